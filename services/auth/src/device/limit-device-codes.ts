/** Stands before the device authorization endpoint: each code is kept for ten minutes, and anybody may ask for one. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Problem } from "@portico/service-kit";
import type { Attempts } from "../attempts/create-attempts.ts";

/** `ip` is Express's: the address that the gateway saw. */
type DeviceAuthorization = IncomingMessage & { ip?: string };

/**
 * As a `foreign` handler of the kit's createApp, before that of the protocol library. Answers 429 in the
 * form of OAuth's errors (RFC 6749 section 5.2), with `Retry-After`.
 */
export function limitDeviceCodes({ deviceCodes }: Pick<Attempts, "deviceCodes">) {
  return {
    route: "/auth/device-authorization",
    async handler(request: DeviceAuthorization, response: ServerResponse, next: () => void) {
      try {
        if (request.method === "POST") await deviceCodes.count(request.ip ?? "");
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        response
          .writeHead(error.status, {
            ...error.headers,
            "Content-Type": "application/json; charset=utf-8",
            "Cache-Control": "no-store",
          })
          .end(JSON.stringify({ error: "slow_down", error_description: error.detail }));
        return;
      }
      next();
    },
  };
}
