/**
 * JSON lines on stdout, one event a line (`noun.verb`), joined to its trace, without secrets (redact.ts).
 */
import { Writable } from "node:stream";
import winston from "winston";
import { redact } from "./redact.ts";
import { currentTrace } from "./trace.ts";

export type Logger = {
  debug(event: string, fields?: Record<string, unknown>): void;
  info(event: string, fields?: Record<string, unknown>): void;
  warn(event: string, fields?: Record<string, unknown>): void;
  error(event: string, fields?: Record<string, unknown>): void;
};

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Longer lines are split by what collects them (Docker at 16 KiB), and then are no JSON any more. */
const longestLine = 16_000;

const toLine = (own: Record<string, unknown>, fields: Record<string, unknown>): string => {
  // Named twice: its own fields come first in the line, and cannot be replaced by given ones.
  const line = JSON.stringify({ ...own, ...(redact(fields) as object), ...own });
  if (line.length <= longestLine) return line;
  return JSON.stringify({ ...own, cut: line.slice(0, longestLine / 4) });
};

/** Lines of one turn of the event loop leave in one write: a system call costs more than a line. */
function createStdout(): Writable {
  let waiting = "";
  const flush = () => {
    if (waiting) process.stdout.write(waiting);
    waiting = "";
  };
  process.once("exit", flush);
  return new Writable({
    decodeStrings: false,
    write(line, _encoding, done) {
      if (!waiting) setImmediate(flush);
      waiting += line;
      done();
    },
  });
}

/**
 * @param service the name that every line carries
 * @param destination where lines go; stdout unless a test wants to read them
 */
export function createLogger(
  service: string,
  level: LogLevel = "info",
  destination: NodeJS.WritableStream = createStdout(),
): Logger {
  const log = winston.createLogger({
    level,
    format: winston.format.printf((entry) => String(entry.message)),
    transports: [new winston.transports.Stream({ stream: destination })],
  });
  const write =
    (severity: LogLevel) =>
    (event: string, fields: Record<string, unknown> = {}) => {
      if (!log.isLevelEnabled(severity)) return;
      const trace = currentTrace();
      const own = {
        time: new Date().toISOString(),
        level: severity,
        service,
        event,
        ...(trace && { traceId: trace.traceId, spanId: trace.spanId }),
      };
      log.log(severity, toLine(own, fields));
    };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}
