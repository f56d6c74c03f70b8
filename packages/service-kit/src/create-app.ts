/**
 * Endpoints -> an Express app. Each request is traced, authenticated, guarded, checked, answered,
 * counted and logged, in that order; every refusal is a problem in the service's own format.
 */
import { pipeline } from "node:stream/promises";
import express, {
  type ErrorRequestHandler,
  type Express,
  type IRouter,
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
  Router,
} from "express";
import { presentedToken, type VerifyAccessToken } from "./access-token.ts";
import { tokenOfBrowser } from "./browser-cookie.ts";
import { type Endpoint, Streamed } from "./endpoint.ts";
import type { Logger } from "./logger.ts";
import type { HttpMetrics } from "./metrics.ts";
import { openApiDocument } from "./openapi.ts";
import {
  methodNotAllowed,
  notFound,
  type ProblemFormat,
  problemJson,
  type ResponseHeaders,
  toProblem,
} from "./problem.ts";
import { readBody } from "./request-body.ts";
import { securityHeaders, setSecurityHeaders } from "./security-headers.ts";
import { continueTrace, currentTrace, inTrace } from "./trace.ts";

export type AppOptions = {
  /** Service name; its document is served at `/<name>/openapi.json`. */
  name: string;
  title: string;
  description: string;
  endpoints: readonly Endpoint[];
  verifyAccessToken: VerifyAccessToken;
  logger: Logger;
  metrics: HttpMetrics;
  problemFormat?: ProblemFormat;
  /** Largest body in bytes; 100 KiB unless said otherwise. */
  bodyLimitBytes?: number;
  /**
   * How many proxies in front of the service append to `X-Forwarded-For` the address that they were
   * called from. What a client wrote there itself stands before theirs and is never believed; 0: nothing is.
   */
  trustedHops?: number;
  /**
   * Handlers of other makers (a protocol library, pages), tried before the endpoints of the same path:
   * `next()` passes on to them.
   */
  foreign?: readonly { route: string; handler: RequestHandler }[];
};

export function createApp(options: AppOptions): Express {
  const format = options.problemFormat ?? problemJson;
  const app = express();
  app.disable("x-powered-by");
  app.set("etag", false);
  app.set("query parser", "simple");
  app.set("trust proxy", options.trustedHops ?? 0);

  app.use(observe(options));
  const { routerOf, dispatch } = createDispatcher(app);
  app.use(dispatch);
  const documentPath = `/${options.name}/openapi.json`;
  routerOf(documentPath).get(documentPath, serveDocument(options));
  for (const { route, handler } of options.foreign ?? []) {
    routerOf(route).all(route, named(route), setSecurityHeaders, handler);
  }
  for (const [path, methods] of methodsByPath(options)) {
    const router = routerOf(path);
    for (const endpoint of options.endpoints.filter((one) => one.path === path)) {
      router[endpoint.method](
        path,
        authenticate(endpoint, options),
        ...readBody(endpoint, options.bodyLimitBytes),
        answerWith(endpoint),
      );
    }
    // Before the next path: `/users/me` must not become somebody's id in `/users/:id`.
    router.all(path, named(path), refuseMethod(methods));
  }
  app.use(() => {
    throw notFound();
  });
  app.use(renderProblem(format, options.logger));
  return app;
}

/**
 * Express tries one route after the other, which with a hundred of them is a tenth of all work. So each
 * path without parameters has a router of its own, found at once; the others come after them, in order.
 */
function createDispatcher(app: Express) {
  const routers = new Map<string, Router>();
  // As Express compares them: neither capitals nor a slash at the end make another path.
  const keyOf = (path: string) => path.toLowerCase().replace(/(?<=.)\/$/, "");

  const routerOf = (path: string): IRouter => {
    if (/[:*{]/.test(path)) return app;
    const key = keyOf(path);
    const router = routers.get(key) ?? Router();
    routers.set(key, router);
    return router;
  };

  const dispatch: RequestHandler = (request, response, next) => {
    const router = routers.get(keyOf(request.path));
    if (router) router(request, response, next);
    else next();
  };
  return { routerOf, dispatch };
}

/** Opens the trace, and writes one log line and one measurement when the answer is out. */
function observe({ logger, metrics }: AppOptions): RequestHandler {
  return (request, response, next) => {
    const startedAt = performance.now();
    const trace = continueTrace(request.get("traceparent"));
    response.on("close", () => {
      const seconds = (performance.now() - startedAt) / 1000;
      const route: string = response.locals.route ?? "unmatched";
      // 499: the client left before the answer was out.
      const status = response.writableFinished ? response.statusCode : 499;
      metrics.observe(request.method, route, status, seconds);
      inTrace(trace, () =>
        logger.info("request.handled", {
          method: request.method,
          route,
          status,
          durationMs: Math.round(seconds * 1e5) / 100,
          requestId: request.get("x-request-id"),
        }),
      );
    });
    inTrace(trace, next);
  };
}

/** Names the route for the log and the metrics: a template, never the path with its ids. */
const named =
  (route: string): RequestHandler =>
  (_request, response, next) => {
    response.locals.route = route;
    next();
  };

/** Written when somebody asks for it: a service that starts needs none. */
function serveDocument(options: AppOptions): RequestHandler {
  let document: string | undefined;
  return (_request, response) => {
    document ??= JSON.stringify(openApiDocument(options));
    response.locals.route = `/${options.name}/openapi.json`;
    send(response, 200, {}, "application/json", document);
  };
}

/** Before a body is read: who may not call makes us parse nothing. */
const authenticate =
  (endpoint: Endpoint, { verifyAccessToken }: AppOptions): RequestHandler =>
  async (request, response, next) => {
    response.locals.route = endpoint.path;
    const presented =
      presentedToken(request.get("authorization")) ?? presentedByBrowser(endpoint, request);
    response.locals.caller =
      presented &&
      (await verifyAccessToken(presented.token, {
        scheme: presented.scheme,
        proof: request.get("dpop"),
        method: request.method,
        url: request.originalUrl,
      }));
    endpoint.guard.admit(response.locals.caller);
    next();
  };

/** Not where none is needed: nobody chose to send it there, and one that has expired must not be in the way. */
function presentedByBrowser({ guard }: Endpoint, request: Request) {
  const token = guard.requiresToken ? tokenOfBrowser(request) : undefined;
  return token === undefined ? undefined : { scheme: "Bearer" as const, token };
}

/** Runs the endpoint and writes its answer. */
const answerWith =
  (endpoint: Endpoint): RequestHandler =>
  async (request, response) => {
    const { status, headers, body } = await endpoint.answer({
      caller: response.locals.caller,
      params: request.params,
      query: { ...request.query },
      body: request.body,
      header: (name) => request.get(name),
      url: request.originalUrl,
      address: request.ip ?? "",
    });
    // What a caller may see depends on the token, so no shared cache keeps it.
    const all = endpoint.guard.requiresToken
      ? { "Cache-Control": "no-store", ...headers }
      : headers;
    if (!endpoint.reply.body) {
      response.writeHead(status, { ...securityHeaders, ...all }).end();
      return;
    }
    const { mediaType } = endpoint.reply;
    if (body instanceof Streamed) {
      const contentType = `${mediaType}; charset=utf-8`;
      response.writeHead(status, { ...securityHeaders, ...all, "Content-Type": contentType });
      await pipeline(body.pieces, response);
      return;
    }
    const text = mediaType.startsWith("text/") ? String(body) : JSON.stringify(body);
    send(response, status, all, mediaType, text);
  };

/**
 * All headers at once: set one by one each is checked and stored again, which is a sixth of a request's
 * CPU. Express's own `send` also guesses the type and makes entity tags.
 */
function send(
  response: Response,
  status: number,
  headers: ResponseHeaders,
  mediaType: string,
  text: string,
): void {
  response.writeHead(status, {
    ...securityHeaders,
    ...headers,
    "Content-Type": `${mediaType}; charset=utf-8`,
    "Content-Length": Buffer.byteLength(text),
  });
  response.end(text);
}

function methodsByPath({ name, endpoints }: AppOptions): Map<string, string[]> {
  const methods = new Map<string, string[]>([[`/${name}/openapi.json`, ["GET", "HEAD"]]]);
  for (const { path, method } of endpoints) {
    const verbs = method === "get" ? ["GET", "HEAD"] : [method.toUpperCase()];
    methods.set(path, [...(methods.get(path) ?? []), ...verbs]);
  }
  return methods;
}

const refuseMethod =
  (methods: string[]): RequestHandler =>
  () => {
    throw methodNotAllowed(undefined, { headers: { Allow: methods.join(", ") } });
  };

function renderProblem(format: ProblemFormat, logger: Logger): ErrorRequestHandler {
  return (error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    const problem = toProblem(error);
    if (problem.status >= 500) {
      logger.error("request.failed", { problem: problem.code, error: problem.cause ?? problem });
    }
    // Half an answer is out already: cut the connection, so that nobody takes it for a whole one.
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const headers = { "Cache-Control": "no-store", ...problem.headers };
    const rendered = format.render(problem, currentTrace()?.traceId ?? "");
    send(response, problem.status, headers, format.mediaType, JSON.stringify(rendered));
  };
}
