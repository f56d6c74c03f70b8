/** Resolves after a time, or at once when the signal aborts: an ordered delay never outlives its client. */
export function wait(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", finish);
      resolve();
    };
    const timer = setTimeout(finish, delayMs);
    timer.unref();
    signal?.addEventListener("abort", finish);
    if (signal?.aborted) finish();
  });
}
