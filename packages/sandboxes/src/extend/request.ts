/** Reading a request and refusing it, the same for every endpoint group. */
import type { ErrorRequestHandler, Response } from "express";
import type { z } from "zod";
import type { Log } from "../log.ts";
import { type Caller, Refusal, refusals } from "./contract.ts";

/** The value as the contract has it, or 422 with every wrong field. */
export function read<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  throw refusals.invalid(
    parsed.error.issues.map((issue) => ({ field: issue.path.join("."), error: issue.message })),
  );
}

/** A thing that has to be there, or 404. */
export function found<Thing>(thing: Thing | undefined): Thing {
  if (thing === undefined) throw refusals.notFound();
  return thing;
}

export const setCaller = (response: Response, caller: Caller): void => {
  response.locals.caller = caller;
};

/** Set by authentication.ts for every route behind it. */
export const callerOf = (response: Response): Caller => response.locals.caller as Caller;

export const answerRefusal =
  (log: Log): ErrorRequestHandler =>
  (error, request, response, _next) => {
    const refusal = toRefusal(error);
    if (refusal.status >= 500 && refusal !== error) {
      log("request.failed", { path: request.path, reason: String(error) });
    }
    response.set(refusal.headers).status(refusal.status).json(refusal.body);
  };

function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  // Body parser and router mark the client's mistakes with a status.
  const status = error instanceof Error && "status" in error ? Number(error.status) : 500;
  if (status === 413) return refusals.tooLarge();
  return status >= 400 && status < 500 ? refusals.malformed() : refusals.broken();
}
