/** How Extend fails its clients, on demand: as any server does, and by no longer trusting them. */
import { z } from "zod";
import type { FaultQueue } from "../fault-queue.ts";
import { type FailureForms, httpFaults, where } from "../http-faults.ts";
import { refusals } from "./contract.ts";

export const ExtendFault = z.discriminatedUnion("kind", [
  ...httpFaults,
  /** The token that a request carries dies with it: 401 now and from then on. */
  z.object({ kind: z.literal("revoked"), refreshTokens: z.boolean().default(false), ...where }),
]);

export type ExtendFault = z.infer<typeof ExtendFault>;

export type ExtendFaults = FaultQueue<ExtendFault>;

/** An error goes the way of every refusal, so that it is counted and logged as one. */
export const failures: FailureForms = {
  answerError: (status) => {
    throw refusals.broken(status);
  },
  halfAnswer: '{"virtualCards":[{"id":"vc_',
};
