/** Answers are data, never pages: nothing may be loaded, framed or run because of them. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { RequestHandler } from "express";
import helmet from "helmet";

const secure = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { "default-src": ["'none'"], "frame-ancestors": ["'none'"] },
  },
});

/** What helmet sets is the same for every answer: asked once, since it asks a dozen handlers each time. */
export const securityHeaders: Readonly<Record<string, string>> = (() => {
  const headers: Record<string, string> = {};
  const collecting = {
    setHeader(name: string, value: string) {
      headers[name] = value;
    },
    removeHeader: () => undefined,
  };
  secure({} as IncomingMessage, collecting as unknown as ServerResponse, () => undefined);
  return headers;
})();

const named = new Map(Object.entries(securityHeaders));

/** For handlers that write their answers themselves. */
export const setSecurityHeaders: RequestHandler = (_request, response, next) => {
  response.setHeaders(named);
  next();
};
