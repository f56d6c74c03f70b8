/** The SMTP side (RFC 5321): takes any message for anyone, if it is not too large. */
import type { Socket } from "node:net";
import {
  SMTPServer,
  type SMTPServerDataStream,
  type SMTPServerError,
  type SMTPServerOptions,
  type SMTPServerSession,
} from "smtp-server";
import type { FaultQueue } from "../fault-queue.ts";
import { type Address, reachableHost, whenListening } from "../listen.ts";
import type { Log } from "../log.ts";
import { wait } from "../wait.ts";
import type { InboxFault } from "./faults.ts";
import { type Envelope, parseMessage } from "./message.ts";
import type { MessageStore } from "./message-store.ts";

/** With credentials, a client has to authenticate (RFC 4954) before it may send. */
export type Credentials = { user: string; password: string };

export type Receiver = { url: string; close(): Promise<void> };

export type ReceiverOptions = Address & {
  credentials: Credentials | undefined;
  maxMessageBytes: number;
};

/** An answer other than 250, with the enhanced code of RFC 3463 in its text. */
const reply = (responseCode: number, text: string): SMTPServerError =>
  Object.assign(new Error(text), { responseCode });

const tooLarge = () => reply(552, "5.3.4 Message too large");

export async function receiveMail(
  store: MessageStore,
  faults: FaultQueue<InboxFault>,
  log: Log,
  options: ReceiverOptions,
): Promise<Receiver> {
  const stopping = new AbortController();
  const sockets = new Map<string, Socket>();

  const server = new SMTPServer({
    name: "inbox.portico.localhost",
    banner: "Portico inbox: keeps every message, delivers none",
    size: options.maxMessageBytes,
    maxClients: 100,
    socketTimeout: 60_000,
    closeTimeout: 100,
    disableReverseLookup: true,
    logger: false,
    ...authentication(options.credentials),

    async onMailFrom(_address, _session, done) {
      const slow = faults.take("slow");
      if (slow) await wait(slow.delayMs, stopping.signal);
      done();
    },

    onRcptTo({ address }, _session, done) {
      const isFor = ({ to }: { to?: string | undefined }) =>
        to === undefined || to.toLowerCase() === address.toLowerCase();
      if (faults.take("reject", isFor)) return done(reply(550, "5.1.1 No such mailbox"));
      done(faults.take("refuse") ? reply(451, "4.3.0 Try again later") : null);
    },

    async onData(stream, session, done) {
      try {
        const raw = await readAll(stream);
        if (faults.take("drop")) {
          sockets.get(peer(session))?.destroy();
          return;
        }
        if (!raw) return done(tooLarge());
        const message = store.add(await parseMessage(raw, envelopeOf(session)));
        log("message.received", { id: message.id, bytes: message.bytes });
        done(null, `2.0.0 Kept as ${message.id}`);
      } catch (error) {
        log("message.failed", { reason: String(error) });
        done(reply(554, "5.6.0 The message could not be read"));
      }
    },
  });
  // A client that breaks off is its own affair; without a listener it would end this process.
  server.on("error", (error) => log("connection.failed", { reason: error.message }));
  server.server.on("connection", (socket: Socket) => {
    const key = `${socket.remoteAddress}:${socket.remotePort}`;
    sockets.set(key, socket);
    socket.once("close", () => sockets.delete(key));
  });

  const port = await whenListening(server.server, options);

  return {
    url: smtpUrl(options.credentials, `${reachableHost(options.host)}:${port}`),
    close: () =>
      new Promise((resolve) => {
        stopping.abort();
        server.close(() => resolve());
        for (const socket of sockets.values()) socket.destroy();
      }),
  };
}

function authentication(credentials: Credentials | undefined): SMTPServerOptions {
  // STARTTLS would need a certificate that clients have no reason to trust.
  if (!credentials) return { authOptional: true, disabledCommands: ["AUTH", "STARTTLS"] };

  return {
    disabledCommands: ["STARTTLS"],
    allowInsecureAuth: true,
    authMethods: ["PLAIN", "LOGIN"],
    onAuth({ username, password }, _session, done) {
      const isKnown = username === credentials.user && password === credentials.password;
      if (!isKnown) return done(reply(535, "5.7.8 Authentication credentials invalid"));
      done(null, { user: username });
    },
  };
}

const smtpUrl = (credentials: Credentials | undefined, authority: string): string =>
  credentials
    ? `smtp://${encodeURIComponent(credentials.user)}:${encodeURIComponent(credentials.password)}@${authority}`
    : `smtp://${authority}`;

const peer = (session: SMTPServerSession): string =>
  `${session.remoteAddress}:${session.remotePort}`;

const envelopeOf = ({ envelope }: SMTPServerSession): Envelope => ({
  from: envelope.mailFrom ? envelope.mailFrom.address : "",
  to: envelope.rcptTo.map(({ address }) => address),
});

/** The message, or undefined when it is larger than announced: read to its end, kept only to the limit. */
async function readAll(stream: SMTPServerDataStream): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    if (!stream.sizeExceeded) chunks.push(chunk);
  }
  return stream.sizeExceeded ? undefined : Buffer.concat(chunks);
}
