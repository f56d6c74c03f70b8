import { createTransport } from "nodemailer";
import type { Mail } from "./mail.ts";

export type Mailer = {
  /** Resolves when the SMTP server has taken the mail. */
  send(to: string, mail: Mail): Promise<void>;
  close(): void;
};

const connectTimeoutMs = 5_000;
const sendTimeoutMs = 15_000;

/** Connections to the SMTP server are kept and shared. Trying again is the caller's. */
export function createMailer(smtpUrl: string, from: string): Mailer {
  const transport = createTransport(
    {
      url: smtpUrl,
      pool: true,
      maxConnections: 5,
      connectionTimeout: connectTimeoutMs,
      greetingTimeout: connectTimeoutMs,
      dnsTimeout: connectTimeoutMs,
      socketTimeout: sendTimeoutMs,
      // A mail is text that we wrote: nothing is read from files or URLs for it.
      disableFileAccess: true,
      disableUrlAccess: true,
    },
    { from },
  );

  return {
    async send(to, mail) {
      await within(sendTimeoutMs, transport.sendMail({ to, ...mail }));
    },
    close: () => transport.close(),
  };
}

/** The whole of it, whatever single step hangs. */
async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer in ${timeoutMs} ms.`)), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
