import type { ServerResponse } from "node:http";
import type { Problem } from "@portico/service-kit";
import type { Attempts } from "../attempts/create-attempts.ts";
import { limitPosts } from "../attempts/limit-posts.ts";

/** Stands before the device authorization endpoint: anybody may ask for a code, and each is kept for ten minutes. */
export const limitDeviceCodes = ({ deviceCodes }: Pick<Attempts, "deviceCodes">) =>
  limitPosts("/auth/device-authorization", deviceCodes, sendSlowDown);

/** 429 in the form of OAuth's errors (RFC 6749 section 5.2), with `Retry-After`. */
function sendSlowDown(response: ServerResponse, { status, headers, detail }: Problem): void {
  response.writeHead(status, {
    ...headers,
    "Content-Type": "application/json; charset=utf-8",
    "Cache-Control": "no-store",
  });
  response.end(JSON.stringify({ error: "slow_down", error_description: detail }));
}
