/** How a provider fails its clients, on demand: late, broken, unreadable, cut off, or no longer trusting them. */
import type { Request, RequestHandler, Response } from "express";
import { z } from "zod";
import type { FaultQueue } from "../fault-queue.ts";
import { wait } from "../wait.ts";
import { refusals } from "./contract.ts";

const common = {
  /** How many requests it strikes; absent: until faults are cleared. */
  count: z.int().min(1).max(1_000_000).optional(),
  /** Strikes only paths that begin so. */
  path: z.string().startsWith("/").max(200).optional(),
};

export const ExtendFault = z.discriminatedUnion("kind", [
  /** The right answer, late. */
  z.object({
    kind: z.literal("slow"),
    delayMs: z.int().min(0).max(600_000).default(10_000),
    ...common,
  }),
  z.object({ kind: z.literal("error"), status: z.int().min(500).max(599).default(500), ...common }),
  /** 200, says JSON, is not. */
  z.object({ kind: z.literal("garbage"), ...common }),
  /** 200, and the connection ends in the middle of the body. */
  z.object({ kind: z.literal("truncated"), ...common }),
  /** The connection is reset before any answer. */
  z.object({ kind: z.literal("reset"), ...common }),
  /** The token that a request carries dies with it: 401 now and from then on. */
  z.object({ kind: z.literal("revoked"), refreshTokens: z.boolean().default(false), ...common }),
]);

export type ExtendFault = z.infer<typeof ExtendFault>;

export type ExtendFaults = FaultQueue<ExtendFault>;

export const strikes =
  (path: string) =>
  (fault: ExtendFault): boolean =>
    fault.path === undefined || path.startsWith(fault.path);

const garbage = "<html><body>Bad gateway</body></html>";
const halfAnswer = '{"virtualCards":[{"id":"vc_';

export const failOnDemand =
  (faults: ExtendFaults): RequestHandler =>
  async (request, response, next) => {
    const here = strikes(request.path);

    const slow = faults.take("slow", here);
    if (slow) await wait(slow.delayMs, whenGone(response));
    if (response.destroyed) return;

    const error = faults.take("error", here);
    if (error) throw refusals.broken(error.status);
    if (faults.take("garbage", here)) return void response.type("json").send(garbage);
    if (faults.take("truncated", here)) return truncate(request, response);
    if (faults.take("reset", here)) return void request.socket.resetAndDestroy();
    next();
  };

function truncate(request: Request, response: Response): void {
  response.writeHead(200, { "content-type": "application/json", "content-length": 4096 });
  response.write(halfAnswer, () => request.socket.destroy());
}

function whenGone(response: Response): AbortSignal {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  return gone.signal;
}
