/** Both ways in: the organisation's API key, and a person's bearer token. */
import { timingSafeEqual } from "node:crypto";
import type { Request, RequestHandler } from "express";
import { strikes } from "../http-faults.ts";
import { apiKeyHeader, type Caller, refusals } from "./contract.ts";
import type { ExtendFaults } from "./faults.ts";
import type { Ledger } from "./ledger.ts";
import { setCaller } from "./request.ts";
import type { Sessions } from "./sessions.ts";

export type ApiKey = { apiKey: string; apiSecret: string };

export function authenticate(
  expected: ApiKey,
  sessions: Sessions,
  ledger: Ledger,
  faults: ExtendFaults,
): RequestHandler {
  const callerBy = (request: Request): Caller | undefined => {
    const [scheme = "", credentials = ""] = (request.get("authorization") ?? "").split(" ", 2);
    if (scheme === "Bearer") {
      const email = sessions.emailOf(credentials);
      return email === undefined ? undefined : { user: ledger.userByEmail(email) };
    }
    const keyHeader = request.get(apiKeyHeader) ?? "";
    const isOrganization =
      scheme === "Basic" && keyHeader === expected.apiKey && isKeyAndSecret(credentials, expected);
    return isOrganization ? { user: undefined } : undefined;
  };

  return (request, response, next) => {
    const revoked = faults.take("revoked", strikes(request.path));
    if (revoked) {
      const token = (request.get("authorization") ?? "").replace(/^Bearer /, "");
      sessions.revoke(token, { withRefreshToken: revoked.refreshTokens });
      throw refusals.unauthorized();
    }

    const caller = callerBy(request);
    if (!caller) throw refusals.unauthorized();
    setCaller(response, caller);
    next();
  };
}

function isKeyAndSecret(credentials: string, { apiKey, apiSecret }: ApiKey): boolean {
  const given = Buffer.from(credentials, "base64");
  const expected = Buffer.from(`${apiKey}:${apiSecret}`);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
