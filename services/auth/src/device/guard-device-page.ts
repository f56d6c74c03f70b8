/** Stands before the page where user codes are typed in: nobody tries many, and links work without scripts. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Problem } from "@portico/service-kit";
import type { Redis } from "ioredis";
import { createPlaceLimit } from "../attempts/place-limit.ts";
import { showRefusal } from "../pages/page-handler.ts";

/** `ip` is Express's: the address that the gateway saw. */
export type DeviceRequest = IncomingMessage & { ip?: string; userCode?: string };

/**
 * RFC 8628 section 5.1: forms that one place may send in a quarter of an hour; a device takes two. A code
 * is one of 20^8 and lives for ten minutes: with a thousand of them live all the time, one place finds
 * the first after about twelve years.
 */
const formsOfOnePlace = 60;

/** As a `foreign` handler of the kit's createApp, before those of the protocol library. */
export function guardDevicePage(redis: Redis) {
  const forms = createPlaceLimit(redis, "user-code", formsOfOnePlace);

  return {
    route: "/auth/device",
    async handler(request: DeviceRequest, response: ServerResponse, next: () => void) {
      try {
        if (request.method === "POST") await forms.count(request.ip ?? "");
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        showRefusal(response, error);
        return;
      }
      takeCodeFromLink(request);
      next();
    },
  };
}

/** The library would send the form on by a script; here it waits, filled in, for a person's press. */
function takeCodeFromLink(request: DeviceRequest): void {
  const [path, query] = (request.url ?? "").split("?");
  const userCode = new URLSearchParams(query).get("user_code");
  if (userCode) Object.assign(request, { userCode, url: path });
}
