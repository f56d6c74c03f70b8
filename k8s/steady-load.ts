import { Agent, request } from "node:http";

/**
 * Requests at a constant rate, whatever becomes of them: one that is late does not hold the next one back, so nothing that
 * clients would have had to wait for is left out. Nothing is tried again, either.
 */
export interface SteadyLoad {
  /** What is sent from now on belongs to this step. */
  begin(title: string): void;
  /** Ends sending, and resolves when the last answer has come. */
  end(): Promise<readonly Step[]>;
}

export interface Step {
  readonly title: string;
  readonly startedAt: number;
  seconds: number;
  sent: number;
  /** Reason -> how often. */
  readonly failures: Map<string, number>;
  readonly milliseconds: number[];
}

export interface Ask {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly expected: readonly number[];
  /** Not on a connection that is there already. */
  readonly isFresh?: boolean;
}

const TIMEOUT_MS = 15_000;

/** @param next what the n-th request is */
export function startLoad(gateway: URL, perSecond: number, next: (n: number) => Ask): SteadyLoad {
  const pool = new Agent({ keepAlive: true, maxSockets: 64 });
  const steps: Step[] = [];
  const startedAt = performance.now();
  let step = addStep("load alone");
  let sent = 0;
  let inFlight = 0;

  function addStep(title: string): Step {
    const now = performance.now();
    const last = steps.at(-1);
    if (last) last.seconds = (now - last.startedAt) / 1000;
    const added = {
      ...{ title, startedAt: now, seconds: 0, sent: 0 },
      ...{ failures: new Map(), milliseconds: [] },
    };
    steps.push(added);
    return added;
  }

  function sendOne() {
    const ask = next(sent++);
    const within = step;
    const sentAt = performance.now();
    let isOver = false;
    within.sent++;
    inFlight++;

    function over(failure?: string) {
      if (isOver) return;
      isOver = true;
      inFlight--;
      within.milliseconds.push(performance.now() - sentAt);
      if (failure === undefined) return;
      const second = Math.round((sentAt - within.startedAt) / 1000);
      const reason = `${ask.method ?? "GET"} ${ask.path}: ${failure}`;
      within.failures.set(reason, (within.failures.get(reason) ?? 0) + 1);
      console.log(`  second ${second} of "${within.title}": ${reason}`);
    }

    const { path, method, headers, body, expected, isFresh } = ask;
    const outgoing = request(
      new URL(path, gateway),
      { method, headers, agent: isFresh ? false : pool, timeout: TIMEOUT_MS },
      (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("error", (error) => over(`answer broken off: ${error.message}`));
        response.on("end", () => {
          const { statusCode = 0 } = response;
          over(expected.includes(statusCode) ? undefined : `${statusCode} ${text.slice(0, 200)}`);
        });
      },
    );
    outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)));
    outgoing.on("error", (error: NodeJS.ErrnoException) =>
      over(`${error.code ?? error.message}${outgoing.reusedSocket ? ", connection reused" : ""}`),
    );
    outgoing.end(body);
  }

  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1000) * perSecond;
    while (sent < due) sendOne();
  }, 5);

  return {
    begin(title) {
      step = addStep(title);
    },
    async end() {
      clearInterval(timer);
      step.seconds = (performance.now() - step.startedAt) / 1000;
      while (inFlight > 0) await new Promise((resolve) => setTimeout(resolve, 50));
      pool.destroy();
      return steps;
    },
  };
}

/** One line a step, and whether nothing failed. */
export function tell(steps: readonly Step[]): boolean {
  const percentile = (of: readonly number[], part: number) =>
    `${Math.round(of.toSorted((a, b) => a - b)[Math.floor(of.length * part)] ?? 0)} ms`;
  let isClean = true;
  const width = Math.max(...steps.map(({ title }) => title.length));
  for (const { title, seconds, sent, failures, milliseconds } of steps) {
    const failed = [...failures.values()].reduce((sum, count) => sum + count, 0);
    isClean &&= failed === 0;
    const columns = [
      title.padEnd(width),
      `${Math.round(seconds)} s`.padStart(6),
      `${sent} sent`.padStart(12),
      `${failed} failed`.padStart(10),
      `p50 ${percentile(milliseconds, 0.5)}`.padStart(12),
      `p99 ${percentile(milliseconds, 0.99)}`.padStart(13),
      `longest ${percentile(milliseconds, 1 - 1e-9)}`.padStart(17),
    ];
    console.log(columns.join(" "));
    for (const [reason, count] of failures) console.log(`    ${count} × ${reason}`);
  }
  return isClean;
}
