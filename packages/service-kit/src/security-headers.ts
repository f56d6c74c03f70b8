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
const securityHeaders = (() => {
  const headers = new Map<string, string>();
  const collecting = {
    setHeader: (name: string, value: string) => headers.set(name, value),
    removeHeader: () => undefined,
  };
  secure({} as IncomingMessage, collecting as unknown as ServerResponse, () => undefined);
  return headers;
})();

export const setSecurityHeaders: RequestHandler = (_request, response, next) => {
  response.setHeaders(securityHeaders);
  next();
};
