import type { Demand, RateLimit, Route, TokenIssuer } from "../model/model.ts";

/** What policies ask of a request that a route has, in the order in which Envoy looks. */
export function policiesOf(route: Route, tokenIssuer: TokenIssuer | undefined): string[] {
  const { access, demands, rateLimits, traffic, timeouts } = route;
  const early = rateLimits.filter(({ by }) => by.type !== "Claim");
  const byClaim = rateLimits.filter(({ by }) => by.type === "Claim");
  const { requestMs, idleMs, maxRequestBytes } = { ...traffic, ...timeouts };
  const settings = [
    requestMs === undefined ? "15 s for a request, the default" : `${requestMs} ms for a request`,
    ...(idleMs === undefined ? [] : [`${idleMs} ms of silence`]),
    `${maxRequestBytes ?? 1_048_576} bytes of body`,
  ];
  return [
    ...early.map(limitLine),
    `  ${accessLine(access, tokenIssuer)}`,
    ...demands.flatMap(demandLines),
    ...byClaim.map(limitLine),
    `  at most ${settings.join(", ")}`,
  ];
}

function accessLine(access: Route["access"], tokenIssuer: TokenIssuer | undefined): string {
  const issuers = tokenIssuer?.providers.map(
    ({ issuer, audiences }) => `${issuer} for ${audiences.join(" or ")}`,
  );
  switch (access) {
    case "open":
      return "open: no token is looked at";
    case "optional":
      return "open: a token is looked at for report mode only";
    case "token":
      return `needs a token of ${issuers?.join(", or of ")}`;
    case "refused":
      return "answers 401 to everybody: the Gateway is closed and has no usable JWTPolicy";
  }
}

function demandLines({ policy, isReported, scopes, claims }: Demand): string[] {
  const how = isReported ? "would ask for (report mode)" : "asks for";
  return [
    ...(scopes.length > 0 ? [`  JWTPolicy ${policy} ${how} the scopes ${scopes.join(" ")}`] : []),
    ...claims.map(
      ({ name, values }) => `  JWTPolicy ${policy} ${how} ${name} to be ${values.join(" or ")}`,
    ),
    ...(isReported ? [`  JWTPolicy ${policy} counts who has no good token (report mode)`] : []),
  ];
}

function limitLine({ name, by, requests, perMs, burst, isReported, isShared }: RateLimit): string {
  const caller = by.name === undefined ? by.type : `${by.type} ${by.name}`;
  const how = isReported ? "would limit (report mode)" : "limits";
  return `  RateLimitPolicy ${name} ${how} each ${caller} to ${requests} in ${perMs / 1000} s, ${burst} at once${isShared ? ", counted by all replicas together" : ""}`;
}
