const EXIT_CODE = { SIGHUP: 129, SIGTERM: 143 } as const;

/**
 * A test run that is told to end takes with it what it started. (Ctrl-C needs nothing: vitest tears down on SIGINT.) Returns
 * how to undo it.
 */
export function stopOnSignal(stop: () => Promise<void>): () => void {
  const onSignal = (signal: NodeJS.Signals) => {
    const exit = () => process.exit(EXIT_CODE[signal as keyof typeof EXIT_CODE]);
    stop().then(exit, exit);
  };
  const signals = Object.keys(EXIT_CODE) as (keyof typeof EXIT_CODE)[];
  for (const signal of signals) process.once(signal, onSignal);
  return () => {
    for (const signal of signals) process.removeListener(signal, onSignal);
  };
}
