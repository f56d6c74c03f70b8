/** One JSON line per event. `write` is a parameter so that a test reads what would be printed. */

export type LogLevel = "error" | "warn" | "info" | "debug";
export type LogFields = Readonly<Record<string, unknown>>;
export type Logger = Readonly<Record<LogLevel, (event: string, fields?: LogFields) => void>>;

const LEVELS: readonly LogLevel[] = ["error", "warn", "info", "debug"];

export function createLogger(
  threshold: LogLevel,
  write: (line: string) => void = (line) => void process.stdout.write(line),
): Logger {
  const log =
    (level: LogLevel) =>
    (event: string, fields: LogFields = {}) => {
      if (LEVELS.indexOf(level) > LEVELS.indexOf(threshold)) {
        return;
      }
      const time = new Date().toISOString();
      write(`${JSON.stringify({ time, level, service: "gateway", event, ...fields })}\n`);
    };
  return { error: log("error"), warn: log("warn"), info: log("info"), debug: log("debug") };
}

/** What a log line says of something that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
