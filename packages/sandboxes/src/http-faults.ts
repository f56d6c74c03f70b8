/** How a server on the other side of HTTP fails its clients, on demand: late, broken, unreadable, cut off. */
import type { Request, RequestHandler, Response } from "express";
import { z } from "zod";
import { wait } from "./wait.ts";

/** Fields that every fault has. */
export const where = {
  /** How many requests it strikes; absent: until faults are cleared. */
  count: z.int().min(1).max(1_000_000).optional(),
  /** Strikes only paths that begin so. */
  path: z.string().startsWith("/").max(200).optional(),
};

export const httpFaults = [
  /** The right answer, late. */
  z.object({
    kind: z.literal("slow"),
    delayMs: z.int().min(0).max(600_000).default(10_000),
    ...where,
  }),
  z.object({ kind: z.literal("error"), status: z.int().min(500).max(599).default(500), ...where }),
  /** 200, says JSON, is not. */
  z.object({ kind: z.literal("garbage"), ...where }),
  /** 200, and the connection ends in the middle of the body. */
  z.object({ kind: z.literal("truncated"), ...where }),
  /** The connection is reset before any answer. */
  z.object({ kind: z.literal("reset"), ...where }),
] as const;

export type HttpFault = z.infer<(typeof httpFaults)[number]>;

export const strikes =
  (path: string) =>
  (fault: { path?: string | undefined }): boolean =>
    fault.path === undefined || path.startsWith(fault.path);

const garbage = "<html><body>Bad gateway</body></html>";

/** A queue of these faults, whatever other kinds it holds. */
export type HttpFaults = {
  take(
    kind: HttpFault["kind"],
    matches: (fault: { path?: string | undefined }) => boolean,
  ): { kind: string; delayMs?: number; status?: number } | undefined;
};

export type FailureForms = {
  /** Answers with a status as the real server would. */
  answerError(status: number, response: Response): void;
  /** How the real server's answer begins. */
  halfAnswer: string;
};

export const failOnDemand =
  (faults: HttpFaults, forms: FailureForms): RequestHandler =>
  async (request, response, next) => {
    const here = strikes(request.path);

    const slow = faults.take("slow", here);
    if (slow) await wait(slow.delayMs ?? 0, whenGone(response));
    if (response.destroyed) return;

    const error = faults.take("error", here);
    if (error) return forms.answerError(error.status ?? 500, response);
    if (faults.take("garbage", here)) return void response.type("json").send(garbage);
    if (faults.take("truncated", here)) return truncate(request, response, forms.halfAnswer);
    if (faults.take("reset", here)) return void request.socket.resetAndDestroy();
    next();
  };

function truncate(request: Request, response: Response, halfAnswer: string): void {
  response.writeHead(200, { "content-type": "application/json", "content-length": 4096 });
  response.write(halfAnswer, () => request.socket.destroy());
}

function whenGone(response: Response): AbortSignal {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  return gone.signal;
}
