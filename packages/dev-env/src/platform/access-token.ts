import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../failure.ts";
import type { ReadyUser } from "./ready.ts";

const SIGN_IN_WITHIN_MS = 15_000;
const ATTEMPT_TIMEOUT_MS = 3000;
const RETRY_EVERY_MS = 100;

/** Signs a user in as a client would. Through the gateway, so that its answer proves the whole path. */
export async function signIn(
  gateway: string,
  { email, password }: Pick<ReadyUser, "email" | "password">,
): Promise<string> {
  const response = await fetch(`${gateway}/auth/sign-in`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email, password }),
    signal: AbortSignal.timeout(ATTEMPT_TIMEOUT_MS),
  });
  const text = await response.text();
  if (!response.ok)
    throw new Error(`POST /auth/sign-in answers ${response.status}: ${text.slice(0, 300)}`);
  return (JSON.parse(text) as { accessToken: string }).accessToken;
}

/** Envoy needs a moment to warm up its clusters and to fetch the signing keys: repeats until it lets the token through. */
export async function firstAccessToken(gateway: string, user: ReadyUser): Promise<string> {
  const deadline = performance.now() + SIGN_IN_WITHIN_MS;
  for (;;) {
    try {
      const accessToken = await signIn(gateway, user);
      await requireAccepted(gateway, accessToken);
      return accessToken;
    } catch (error) {
      if (performance.now() > deadline) {
        throw new Failure(`Nobody gets through the gateway: ${(error as Error).message}`);
      }
      await sleep(RETRY_EVERY_MS);
    }
  }
}

async function requireAccepted(gateway: string, accessToken: string): Promise<void> {
  const response = await fetch(`${gateway}/auth/users/me`, {
    headers: { authorization: `Bearer ${accessToken}` },
    signal: AbortSignal.timeout(ATTEMPT_TIMEOUT_MS),
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`GET /auth/users/me answers ${response.status}`);
}

/** How long a token has left, from its own `exp` (RFC 9068, section 2.2). */
export function remainingMs(accessToken: string): number {
  const [, payload = ""] = accessToken.split(".");
  const { exp } = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
  return exp * 1000 - Date.now();
}
