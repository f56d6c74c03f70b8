/**
 * Extend, the virtual-card provider, as its clients see it: the same paths, answers, limits and
 * failures. It owns an imaginary organisation's books; what is assumed about the real one is all in
 * contract.ts. Card numbers do not exist here: Extend keeps them on another host.
 */
import { randomUUID } from "node:crypto";
import express, { type RequestHandler } from "express";
import { createFaultQueue } from "../fault-queue.ts";
import { failOnDemand } from "../http-faults.ts";
import { listen, type Tls } from "../listen.ts";
import { type Log, silent } from "../log.ts";
import { admin } from "./admin.ts";
import { type ApiKey, authenticate } from "./authentication.ts";
import { cardTransactions } from "./card-transactions.ts";
import { acceptsVersion, refusals, requestIdHeader } from "./contract.ts";
import { type Counts, createCounters } from "./counters.ts";
import { creditCards } from "./credit-cards.ts";
import { events } from "./events.ts";
import { type ExtendFault, type ExtendFaults, failures } from "./faults.ts";
import { Ledger } from "./ledger.ts";
import { createRateLimiter, keepRateLimit, type RateLimit } from "./rate-limit.ts";
import { answerRefusal } from "./request.ts";
import { defaultEmail } from "./seed.ts";
import { createSessions } from "./sessions.ts";
import { type Account, signIn } from "./sign-in.ts";
import { simulateTransaction } from "./simulate-transaction.ts";
import { transactionReport } from "./transaction-report.ts";
import { transactions } from "./transactions.ts";
import { virtualCards } from "./virtual-cards.ts";

export type ExtendOptions = ApiKey & {
  host?: string;
  /** 0 or absent: any free port. */
  port?: number;
  /** Speaks HTTPS, as clients with a fixed scheme need it. */
  tls?: Tls;
  /** Who can sign in the classic way. */
  accounts?: readonly Account[];
  /** None unless said: what the real limit is, nobody knows. */
  rateLimit?: RateLimit;
  faults?: readonly ExtendFault[];
  /** Epoch milliseconds. */
  clock?: () => number;
  log?: Log;
};

export type Extend = {
  url: string;
  faults: ExtendFaults;
  counters(): Counts;
  /** undefined: no limit. */
  setRateLimit(limit: RateLimit | undefined): void;
  reset(): void;
  close(): Promise<void>;
};

/** The account that signs in when the options name none. */
export const defaultAccount: Account = { email: defaultEmail, password: "sandbox-password" };

export async function createExtend(options: ExtendOptions): Promise<Extend> {
  const { clock = Date.now, log = silent, accounts = [defaultAccount] } = options;
  const ledger = new Ledger(clock);
  const sessions = createSessions(clock);
  const counters = createCounters(clock);
  const faults = createFaultQueue<ExtendFault>(options.faults);
  const rateLimiter = createRateLimiter(options.rateLimit, clock);

  const reset = (): void => {
    ledger.reset();
    sessions.clear();
    counters.reset();
    faults.clear();
    rateLimiter.set(options.rateLimit);
  };

  const app = express();
  app.disable("x-powered-by").disable("etag");
  app.use(
    "/_sandbox",
    express.json({ limit: "1kb" }),
    admin({ counters, faults, rateLimiter, reset }),
  );
  // In the order in which a request meets them.
  app.use(
    counters.count,
    identify(log),
    failOnDemand(faults, failures),
    keepRateLimit(rateLimiter, counters),
  );
  app.use(requireVersion, express.json({ limit: "100kb" }));
  app.use(signIn(accounts, sessions, ledger, counters));
  app.use(authenticate(options, sessions, ledger, faults));
  app.use(virtualCards(ledger, clock));
  app.use(cardTransactions(ledger));
  app.use(simulateTransaction(ledger, clock));
  app.use(transactions(ledger));
  app.use(transactionReport(ledger));
  app.use(creditCards(ledger));
  app.use(events(ledger));
  app.use(() => {
    throw refusals.notFound();
  });
  app.use(answerRefusal(log));

  const web = await listen(app, options, options.tls);

  return {
    url: web.url,
    faults,
    counters: counters.read,
    setRateLimit: rateLimiter.set,
    reset,
    close: web.close,
  };
}

/** Gives each request its id and its line in the log. */
const identify =
  (log: Log): RequestHandler =>
  (request, response, next) => {
    const requestId = randomUUID();
    const { method, path } = request;
    response.set(requestIdHeader, requestId);
    response.once("close", () => {
      log("request.answered", { method, path, status: response.statusCode, requestId });
    });
    next();
  };

const requireVersion: RequestHandler = (request, _response, next) => {
  if (!acceptsVersion(request.get("accept"))) throw refusals.unknownVersion();
  next();
};
