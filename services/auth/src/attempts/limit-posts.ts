import type { IncomingMessage, ServerResponse } from "node:http";
import { Problem } from "@portico/service-kit";
import type { PlaceLimit } from "./place-limit.ts";

/** `ip` is Express's: the address that the gateway saw. */
type PlacedRequest = IncomingMessage & { ip?: string };

/**
 * Counts what one place sends to a path of the protocol library. As a `foreign` handler of the kit's
 * createApp, before that of the library.
 * @param refuse answers in the form of that path when it was too often
 */
export const limitPosts = (
  route: string,
  limit: PlaceLimit,
  refuse: (response: ServerResponse, problem: Problem) => void,
) => ({
  route,
  async handler(request: PlacedRequest, response: ServerResponse, next: () => void) {
    try {
      if (request.method === "POST") await limit.count(request.ip ?? "");
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      refuse(response, error);
      return;
    }
    next();
  },
});
