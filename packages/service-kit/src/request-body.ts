/** A body on its way in: of a type that the endpoint takes, no larger and no deeper than bounds allow. */
import express, { type RequestHandler } from "express";
import type { Endpoint } from "./endpoint.ts";
import { invalidRequest, payloadTooLarge, unsupportedMediaType } from "./problem.ts";

/** Handlers that put the parsed body of `endpoint` on the request; none when it takes no body. */
export const readBody = (endpoint: Endpoint, limitBytes = 102_400): RequestHandler[] =>
  endpoint.body
    ? [
        requireMediaType(endpoint.consumes),
        requireSize(limitBytes),
        express.json({ limit: limitBytes, strict: false, type: () => true }),
        requireShallow,
      ]
    : [];

/** RFC 9110 section 15.5.16: the refusal says what would be accepted. */
const requireMediaType =
  (accepted: readonly string[]): RequestHandler =>
  (request, _response, next) => {
    if (!request.is([...accepted])) {
      throw unsupportedMediaType(`The body must be ${accepted.join(" or ")}.`, {
        headers: { Accept: accepted.join(", ") },
      });
    }
    next();
  };

/** The parser would read all of it first; here who says how much it is gets the answer at once. */
const requireSize =
  (limitBytes: number): RequestHandler =>
  (request, _response, next) => {
    if (Number(request.headers["content-length"]) > limitBytes) throw payloadTooLarge();
    next();
  };

const mostLevels = 64;

/** 50,000 brackets fit into any limit, and end the stack of whatever walks the body by recursion. */
const requireShallow: RequestHandler = (request, _response, next) => {
  if (isDeeperThan(request.body, mostLevels)) {
    throw invalidRequest(`The body is nested deeper than ${mostLevels} levels.`);
  }
  next();
};

const isDeeperThan = (value: unknown, levels: number): boolean =>
  typeof value === "object" &&
  value !== null &&
  (levels === 0 || Object.values(value).some((item) => isDeeperThan(item, levels - 1)));
