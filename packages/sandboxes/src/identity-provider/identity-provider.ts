/**
 * An OpenID Connect provider that behaves as Google's does: the same algorithms, claims and manners, its
 * own people, and every fault that an application must survive. It owns who its people are; what an
 * application makes of them is the application's.
 */
import { randomBytes } from "node:crypto";
import express, { type ErrorRequestHandler, type RequestHandler } from "express";
import { z } from "zod";
import { createFaultQueue } from "../fault-queue.ts";
import { failOnDemand } from "../http-faults.ts";
import { listen, reachableHost } from "../listen.ts";
import { type Log, silent } from "../log.ts";
import { admin } from "./admin.ts";
import { failures, type IdentityProviderFault, type IdentityProviderFaults } from "./faults.ts";
import { createMemoryAdapters } from "./memory-adapter.ts";
import { createPeople, nameOf, type People } from "./people.ts";
import type { Client } from "./provider.ts";
import { generateSigningKey } from "./signing-keys.ts";

export type IdentityProviderOptions = {
  host?: string | undefined;
  /** 0 or absent: any free port. */
  port?: number | undefined;
  /** How browsers and applications reach it; `http://<host>:<port>` unless said. */
  issuer?: string | undefined;
  clients: readonly Client[];
  faults?: readonly IdentityProviderFault[];
  log?: Log;
};

export type IdentityProvider = {
  /** The issuer, and where it listens. */
  url: string;
  people: People;
  faults: IdentityProviderFaults;
  /** Requests by method and path: `{ "GET /oauth2/v3/certs": 1 }`. */
  counts(): Record<string, number>;
  /** From now on another key signs, and the old one is published no more. */
  rotateKeys(): void;
  reset(): void;
  close(): Promise<void>;
};

type Served = { handle: RequestHandler };

export async function createIdentityProvider(
  options: IdentityProviderOptions,
): Promise<IdentityProvider> {
  const { log = silent, clients } = options;
  const people = createPeople();
  const faults = createFaultQueue<IdentityProviderFault>(options.faults);
  const counts = new Map<string, number>();
  const adapters = createMemoryAdapters(Date.now);
  const cookieKey = randomBytes(32).toString("base64url");
  let issuer = options.issuer;
  let loading: Promise<Served> | undefined;

  /** The library and a key take 10 MiB and a quarter of a second: not before somebody signs in. */
  const load = async (): Promise<Served> => {
    const [{ createProvider }, { signIn }, key] = await Promise.all([
      import("./provider.ts"),
      import("./sign-in.ts"),
      generateSigningKey(),
    ]);
    const parts = {
      issuer: String(issuer),
      clients,
      people,
      adapters,
      key,
      cookieKey,
      faults,
      log,
    };
    const provider = createProvider(parts);
    const protocol = provider.callback();
    const served = express.Router();
    served.use(signIn(provider, people));
    served.use((request, response) => protocol(request, response));
    return { handle: served };
  };
  const rotateKeys = (): void => {
    loading = undefined;
  };
  const reset = (): void => {
    people.reset();
    faults.clear();
    counts.clear();
  };

  const app = express();
  app.disable("x-powered-by").disable("etag");
  app.use(
    "/_sandbox",
    admin({ people, faults, counts: () => Object.fromEntries(counts), rotateKeys, reset }),
  );
  app.use(observe(counts, log), failOnDemand(faults, failures));
  app.get("/picture/:sub", showPicture(people));
  app.use(async (request, response, next) => {
    loading ??= load();
    const { handle } = await loading;
    return handle(request, response, next);
  });
  app.use(answerProblem(log));

  const web = await listen(app, options);
  issuer ??= `http://${reachableHost(options.host)}:${new URL(web.url).port}`;

  return {
    url: issuer,
    people,
    faults,
    counts: () => Object.fromEntries(counts),
    rotateKeys,
    reset,
    close: web.close,
  };
}

const maxRoutes = 200;

const observe =
  (counts: Map<string, number>, log: Log): RequestHandler =>
  (request, response, next) => {
    const { method } = request;
    const path = request.path.replace(/^(\/sign-in|\/o\/oauth2\/v2\/auth|\/picture)\/.+/, "$1/:id");
    const route = `${method} ${path}`;
    if (counts.has(route) || counts.size < maxRoutes) {
      counts.set(route, (counts.get(route) ?? 0) + 1);
    }
    response.once("close", () => {
      log("request.answered", { method, path, status: response.statusCode });
    });
    next();
  };

const showPicture =
  (people: People): RequestHandler =>
  (request, response, next) => {
    const person = people.find(String(request.params.sub));
    if (!person) return next();
    const initials = nameOf(person).replace(/[^\p{Lu}]/gu, "");
    response
      .type("svg")
      .send(
        `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96"><rect width="96" height="96" fill="#7a3ff2"/>` +
          `<text x="48" y="60" font-family="sans-serif" font-size="36" fill="#fff" text-anchor="middle">${initials}</text></svg>`,
      );
  };

/** A wrong order or form is the client's mistake; a lost sign-in is told as such. */
const answerProblem =
  (log: Log): ErrorRequestHandler =>
  async (error, request, response, _next) => {
    const { isLost } = await import("./sign-in.ts");
    const isMistake = error instanceof z.ZodError || isLost(error);
    const status = isMistake ? 400 : (error.status ?? 500);
    if (status >= 500) log("request.failed", { path: request.path, reason: String(error) });
    const detail = error instanceof z.ZodError ? z.prettifyError(error) : undefined;
    response.status(status).type("application/problem+json");
    response.send(
      JSON.stringify({ status, title: status < 500 ? "Bad Request" : "Error", detail }),
    );
  };
