/** One JSON line for each event on a stream, in the field order that the services use. */

/** Tells that something happened (`noun.verb`). Never an address, a token or a message's text. */
export type Log = (event: string, fields?: Record<string, unknown>) => void;

export const silent: Log = () => {};

/** A log that writes lines to a stream; `sandbox` says which stand-in speaks. */
export const jsonLines =
  (stream: NodeJS.WritableStream, sandbox: string): Log =>
  (event, fields = {}) => {
    const time = new Date().toISOString();
    const level = event.endsWith(".failed") ? "error" : "info";
    stream.write(
      `${JSON.stringify({ time, level, service: "sandboxes", sandbox, event, ...fields })}\n`,
    );
  };
