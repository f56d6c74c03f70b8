import type { Logger } from "@portico/service-kit";
import type { CloudEvent } from "@portico/service-kit/events";
import type { Mail } from "./mail.ts";
import type { Mailer } from "./mailer.ts";

/**
 * Sends the mail that an event asks for. Throws when it could not be sent yet: the event then comes again,
 * after pauses that grow to a minute. Resolves also when it never will be, which is logged.
 */
export type Deliver = (event: CloudEvent, to: string, mail: Mail) => Promise<void>;

const hourMs = 60 * 60 * 1000;

/** After a day nobody waits for it any longer, and what is wrong with the SMTP server was logged all day. */
const tryForMs = 24 * hourMs;
/** A relay that is set up wrongly refuses everybody, but not for long; a mailbox that is gone, for ever. */
const tryRefusedForMs = hourMs;

export const deliverWith =
  (mailer: Mailer, logger: Logger, now: () => number = Date.now): Deliver =>
  async (event, to, mail) => {
    try {
      await mailer.send(to, mail);
    } catch (error) {
      const bound = isRefused(error) ? tryRefusedForMs : tryForMs;
      if (now() - Date.parse(event.time) <= bound) throw error;
      logger.error("mail.given-up", { id: event.id, type: event.type, error });
    }
  };

type SmtpError = { command?: unknown; responseCode?: unknown };

/** RFC 5321 section 4.2.1: 5yz to RCPT TO says that this recipient will not be taken, now or later. */
const isRefused = (error: unknown): boolean => {
  const { command, responseCode } = error as SmtpError;
  return command === "RCPT TO" && Number(responseCode) >= 500;
};
