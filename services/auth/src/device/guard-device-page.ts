/** Stands before the page where user codes are typed in: nobody tries many, and links work without scripts. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Redis } from "ioredis";
import { limitPosts } from "../attempts/limit-posts.ts";
import { createPlaceLimit } from "../attempts/place-limit.ts";
import { showRefusal } from "../pages/page-handler.ts";

export type DeviceRequest = IncomingMessage & { userCode?: string };

const route = "/auth/device";

/**
 * RFC 8628 section 5.1: forms that one place may send in a quarter of an hour; a device takes two. A code
 * is one of 20^8 and lives for ten minutes: with a thousand of them live all the time, one place finds
 * the first after about twelve years.
 */
const formsOfOnePlace = 60;

/** As `foreign` handlers of the kit's createApp, before those of the protocol library. */
export const guardDevicePage = (redis: Redis) => [
  limitPosts(route, createPlaceLimit(redis, "user-code", formsOfOnePlace), showRefusal),
  {
    route,
    handler(request: DeviceRequest, _response: ServerResponse, next: () => void) {
      takeCodeFromLink(request);
      next();
    },
  },
];

/** The library would send the form on by a script; here it waits, filled in, for a person's press. */
function takeCodeFromLink(request: DeviceRequest): void {
  const [path, query] = (request.url ?? "").split("?");
  const userCode = new URLSearchParams(query).get("user_code");
  if (userCode) Object.assign(request, { userCode, url: path });
}
