/** `/_sandbox`: what a test may ask of the stand-in itself. The real Extend has nothing of this. */
import { Router } from "express";
import type { Counters } from "./counters.ts";
import { ExtendFault, type ExtendFaults } from "./faults.ts";
import { RateLimit, type RateLimiter } from "./rate-limit.ts";
import { read } from "./request.ts";

export type Admin = {
  counters: Counters;
  faults: ExtendFaults;
  rateLimiter: RateLimiter;
  /** Books, sessions, counters, faults and rate limit as they were at the start. */
  reset(): void;
};

export function admin({ counters, faults, rateLimiter, reset }: Admin): Router {
  const router = Router();

  router.get("/counters", (_request, response) => {
    response.json(counters.read());
  });

  router
    .route("/faults")
    .get((_request, response) => {
      response.json({ faults: faults.list() });
    })
    .post((request, response) => {
      faults.add(read(ExtendFault, request.body));
      response.status(201).json({ faults: faults.list() });
    })
    .delete((_request, response) => {
      faults.clear();
      response.status(204).end();
    });

  router
    .route("/rate-limit")
    .put((request, response) => {
      rateLimiter.set(read(RateLimit, request.body));
      response.json(rateLimiter.current());
    })
    .delete((_request, response) => {
      rateLimiter.set(undefined);
      response.status(204).end();
    });

  router.post("/reset", (_request, response) => {
    reset();
    response.status(204).end();
  });

  return router;
}
