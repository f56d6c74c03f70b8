/**
 * What a person sees while something slow happens. On a terminal the steps under way share one line that is rewritten;
 * anywhere else (CI, a pipe) each step prints a line when it ends, and one every few seconds while it lasts.
 */
export interface Step {
  /** Says how far the step is; asked again each time the line is drawn. */
  detail(describe: () => string): void;
  done(note?: string): void;
  failed(): void;
}

export interface Progress {
  step(label: string): Step;
  line(text: string): void;
}

export const silentProgress: Progress = {
  step: () => ({ detail() {}, done() {}, failed() {} }),
  line() {},
};

interface Output {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

interface OpenStep {
  label: string;
  startedAt: number;
  describe: () => string;
}

const TERMINAL_REDRAW_MS = 120;
const PIPE_REPEAT_MS = 4000;

export function showProgress(output: Output = process.stdout): Progress {
  return output.isTTY ? terminalProgress(output) : pipeProgress(output);
}

function terminalProgress(output: Output): Progress {
  const open = new Set<OpenStep>();
  const erase = () => output.write("\r\x1b[2K");
  const draw = () => {
    if (open.size === 0) return;
    const width = (output.columns || 80) - 1;
    output.write(`\r\x1b[2K${waitingLine([...open]).slice(0, width)}`);
  };
  const print = (text: string) => {
    erase();
    output.write(`${text}\n`);
    draw();
  };
  return trackSteps(open, print, draw, TERMINAL_REDRAW_MS);
}

function pipeProgress(output: Output): Progress {
  const open = new Set<OpenStep>();
  const print = (text: string) => output.write(`${text}\n`);
  const repeat = () => print(waitingLine([...open]));
  return trackSteps(open, print, repeat, PIPE_REPEAT_MS);
}

/** The timer lives only while a step is open, so a finished progress never keeps the process alive. */
function trackSteps(
  open: Set<OpenStep>,
  print: (text: string) => void,
  redraw: () => void,
  everyMs: number,
): Progress {
  let timer: NodeJS.Timeout | undefined;

  function close(step: OpenStep, mark: string, note: string) {
    if (!open.delete(step)) return;
    if (open.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
    print(`  ${mark} ${step.label.padEnd(24)} ${elapsed(step).padStart(7)}  ${note}`.trimEnd());
  }

  return {
    line: print,
    step(label) {
      const step: OpenStep = { label, startedAt: performance.now(), describe: () => "" };
      open.add(step);
      timer ??= setInterval(redraw, everyMs).unref();
      return {
        detail: (describe) => {
          step.describe = describe;
        },
        done: (note = "") => close(step, "✓", note),
        failed: () => close(step, "✗", ""),
      };
    },
  };
}

function waitingLine(steps: OpenStep[]): string {
  const parts = steps.map((step) => [step.label, step.describe()].filter(Boolean).join(" "));
  const [oldest] = steps;
  return `  … ${oldest ? elapsed(oldest).padStart(6) : ""}  ${parts.join(", ")}`;
}

function elapsed(step: OpenStep): string {
  return `${((performance.now() - step.startedAt) / 1000).toFixed(1)} s`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** Runs `work` as one step: marked done when it resolves, failed when it rejects. */
export async function inStep<T>(
  progress: Progress,
  label: string,
  work: (step: Step) => Promise<T>,
): Promise<T> {
  const step = progress.step(label);
  try {
    const result = await work(step);
    step.done();
    return result;
  } catch (error) {
    step.failed();
    throw error;
  }
}
