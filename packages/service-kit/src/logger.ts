/**
 * JSON lines on stdout, one event a line (`noun.verb`), joined to its trace, with secrets taken out
 * at the source: by field name, and by shape wherever a token stands inside a text.
 */
import winston from "winston";
import { currentTrace } from "./trace.ts";

export type Logger = {
  debug(event: string, fields?: Record<string, unknown>): void;
  info(event: string, fields?: Record<string, unknown>): void;
  warn(event: string, fields?: Record<string, unknown>): void;
  error(event: string, fields?: Record<string, unknown>): void;
};

export type LogLevel = "debug" | "info" | "warn" | "error";

const secretName =
  /^(.*password.*|.*secret.*|.*token|authorization|cookie|set-cookie|api-?key|pan|cvc|code|code_?verifier|e-?mail)$/i;
const tokenShape =
  /\b(?:Bearer|Basic)\s+[\w+/=.~-]+|\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)*|\b(mongodb(?:\+srv)?|rediss?|smtps?):\/\/[^\s@/]+@/gi;

const redactText = (text: string): string =>
  text.replace(tokenShape, (_, scheme?: string) =>
    scheme ? `${scheme}://[redacted]@` : "[redacted]",
  );

const describeError = (error: Error, depth: number): Record<string, unknown> => ({
  type: error.name,
  message: redactText(error.message),
  stack: redactText(error.stack ?? ""),
  ...(error.cause !== undefined && { cause: redact(error.cause, depth + 1) }),
});

/** A copy fit for the log: secrets gone, errors spelled out, nothing deeper than six levels. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return redactText(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth > 6) return "[deep]";
  if (value instanceof Error) return describeError(value, depth);
  if (value instanceof Date) return value;
  if (Array.isArray(value)) return value.slice(0, 100).map((item) => redact(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      secretName.test(name) ? "[redacted]" : redact(field, depth + 1),
    ]),
  );
}

/**
 * @param service the name that every line carries
 * @param destination where lines go; stdout unless a test wants to read them
 */
export function createLogger(
  service: string,
  level: LogLevel = "info",
  destination: NodeJS.WritableStream = process.stdout,
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
      const line = {
        time: new Date().toISOString(),
        level: severity,
        service,
        event,
        ...(trace && { traceId: trace.traceId, spanId: trace.spanId }),
        ...(redact(fields) as Record<string, unknown>),
      };
      log.log(severity, JSON.stringify(line));
    };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}
