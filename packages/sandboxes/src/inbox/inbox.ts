/**
 * An SMTP inbox: takes every mail that the system sends and shows it, to people on a page and to
 * programs through an API. It owns the mailbox and its faults; it never delivers anything anywhere.
 */
import express, { type ErrorRequestHandler, type Express } from "express";
import { z } from "zod";
import { createFaultQueue, type FaultQueue } from "../fault-queue.ts";
import { listen } from "../listen.ts";
import { type Log, silent } from "../log.ts";
import { inboxApi } from "./api.ts";
import type { InboxFault } from "./faults.ts";
import type { Message } from "./message.ts";
import { createMessageStore, type MessageFilter, type MessageStore } from "./message-store.ts";
import { inboxPages } from "./page.ts";
import { type Credentials, receiveMail } from "./receive.ts";

export type InboxOptions = {
  host?: string;
  /** 0 or absent: any free port. */
  smtpPort?: number;
  httpPort?: number;
  /** Asked of every client that sends; part of `smtpUrl`. Absent: anyone may send. */
  credentials?: Credentials | undefined;
  maxMessages?: number;
  maxMessageBytes?: number;
  /** Bound of all messages together. */
  maxBytes?: number;
  faults?: readonly InboxFault[];
  /** Epoch milliseconds. */
  clock?: () => number;
  log?: Log;
};

export type Inbox = {
  /** For SMTP_URL, with credentials when it asks for them. */
  smtpUrl: string;
  /** Of the page and the API. */
  url: string;
  faults: FaultQueue<InboxFault>;
  /** Newest first. */
  messages(filter?: MessageFilter): Message[];
  /** The newest message that matches, or the next to come; rejects when there is none in time. */
  waitFor(filter: MessageFilter, timeoutMs?: number): Promise<Message>;
  clear(): void;
  close(): Promise<void>;
};

const mebibyte = 1024 * 1024;

export async function createInbox(options: InboxOptions = {}): Promise<Inbox> {
  const { host, clock = Date.now, log = silent, maxMessages = 500 } = options;
  const store = createMessageStore({
    maxMessages,
    maxBytes: options.maxBytes ?? 64 * mebibyte,
    now: clock,
  });
  const faults = createFaultQueue<InboxFault>(options.faults);

  const receiver = await receiveMail(store, faults, log, {
    host,
    port: options.smtpPort,
    credentials: options.credentials,
    maxMessageBytes: options.maxMessageBytes ?? mebibyte,
  });
  const web = await listen(inboxApp(store, faults, clock), { host, port: options.httpPort }).catch(
    async (error: unknown) => {
      await receiver.close();
      throw error;
    },
  );

  return {
    smtpUrl: receiver.url,
    url: web.url,
    faults,
    messages: (filter = {}) => store.list(filter, maxMessages).messages,
    async waitFor(filter, timeoutMs = 5000) {
      const message = await store.next(filter, AbortSignal.timeout(timeoutMs));
      if (message) return message;
      throw new Error(`No mail ${describe(filter)} within ${timeoutMs} ms.`);
    },
    clear: store.clear,
    async close() {
      await Promise.all([receiver.close(), web.close()]);
    },
  };
}

const describe = ({ to, subject }: MessageFilter): string =>
  `for ${to ?? "anyone"}${subject === undefined ? "" : ` about "${subject}"`}`;

function inboxApp(
  store: MessageStore,
  faults: FaultQueue<InboxFault>,
  clock: () => number,
): Express {
  const app = express();
  app.disable("x-powered-by");
  app.use((_request, response, next) => {
    response.set({
      "Cache-Control": "no-store",
      "Content-Security-Policy": "default-src 'none'",
      "Referrer-Policy": "no-referrer",
      "X-Content-Type-Options": "nosniff",
    });
    next();
  });
  app.use("/api", inboxApi(store, faults));
  app.use(inboxPages(store, clock));
  app.use((_request, response) => {
    response
      .status(404)
      .type("application/problem+json")
      .send(JSON.stringify({ status: 404, title: "Not Found" }));
  });
  app.use(answerProblem);
  return app;
}

/** What went wrong as RFC 9457 says it; a refused field by name. */
const answerProblem: ErrorRequestHandler = (error, _request, response, _next) => {
  const refused = error instanceof z.ZodError;
  const status = refused ? 400 : (error.status ?? 500);
  const detail = refused ? z.prettifyError(error) : undefined;
  response
    .status(status)
    .type("application/problem+json")
    .send(
      JSON.stringify({
        status,
        title: status < 500 ? "Bad Request" : "Internal Server Error",
        detail,
      }),
    );
};
