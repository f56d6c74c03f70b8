/**
 * Two routes of our gateway to one upstream: one that asks for nothing, and one with all that our policies
 * can ask for. Before the second is measured it has refused what each of its policies is there to refuse.
 */
import { equal, match } from "node:assert/strict";
import { type Server, waitUntil } from "../child.ts";
import type { Bench } from "../comparison.ts";
import { bearer, send } from "../load/send.ts";
import { addPolicy, addRoute, removeRoute } from "./bench-routes.ts";

const open = "bench-edge-open";
const full = "bench-edge-full";
const servedWithinMs = 10_000;
const origin = "https://app.portico.example";
const maxRequestBytes = 4096;
/** More than anybody sends here in a second; two numbers, to tell the limits apart. */
const byAddress = 1_000_000;
const byClaim = 900_000;

/** What everybody is asked with, also whoever does not look at it. No compressed answer is asked for. */
export const headersOf = ({ platform }: Bench) => ({
  ...bearer(platform.ready.accessToken),
  Origin: origin,
});

export async function addOpenRoute({ folder, platform }: Bench, upstream: Server): Promise<string> {
  const path = "/bench/edge/open";
  await addRoute(folder, open, path, upstream.port);
  await addPolicy(folder, "JWTPolicy", open, { requirement: "None" });
  const url = `${platform.ready.gateway}${path}`;
  const isOpen = async () => (await send({ url })).status === 200;
  await waitUntil(isOpen, upstream, servedWithinMs);
  return url;
}

export async function addFullRoute(bench: Bench, upstream: Server): Promise<string> {
  const { folder, platform } = bench;
  const path = "/bench/edge/full";
  const url = `${platform.ready.gateway}${path}`;
  await addRoute(folder, full, path, upstream.port, filters);
  await addPolicy(folder, "RateLimitPolicy", full, { limits });
  await addPolicy(folder, "TrafficPolicy", full, traffic);
  await demandOfTokens(bench, url, upstream);
  await requireAllKept(bench, url);
  return url;
}

export async function removeRoutes({ folder }: Bench): Promise<void> {
  await removeRoute(folder, open);
  await removeRoute(folder, full);
}

const filters = [
  {
    type: "RequestHeaderModifier",
    requestHeaderModifier: { set: [{ name: "x-bench", value: "edge" }], remove: ["x-unwanted"] },
  },
  {
    type: "ResponseHeaderModifier",
    responseHeaderModifier: { set: [{ name: "x-served-by", value: "bench" }] },
  },
  {
    type: "CORS",
    cors: { allowOrigins: [origin], allowMethods: ["GET"], allowHeaders: ["Authorization"] },
  },
];

const limits = [
  { by: { type: "ClientAddress" }, requests: byAddress, per: "Second" },
  { by: { type: "Claim", name: "sub" }, requests: byClaim, per: "Second" },
];

const traffic = {
  timeouts: { request: "10s", backendRequest: "5s", idle: "30s" },
  maxRequestBytes,
  compression: { algorithms: ["gzip", "brotli", "zstd"] },
};

/** First what the token has not, so that it shows that both are looked at. */
async function demandOfTokens(bench: Bench, url: string, upstream: Server): Promise<void> {
  const { scope, client_id: client } = claimsOf(bench.platform.ready.accessToken);
  const [own = ""] = scope.split(" ");
  const demands = [
    { scope: "bench:nobody", client, status: 403 },
    { scope: own, client, status: 200 },
    { scope: own, client: "nobody", status: 403 },
    { scope: own, client, status: 200 },
  ];
  for (const { scope, client, status } of demands) {
    const claims = [{ name: "client_id", values: [client] }];
    const demand = { requirement: "Required", scopes: [scope], claims };
    await addPolicy(bench.folder, "JWTPolicy", full, demand);
    const isKept = async () => (await send({ url, headers: headersOf(bench) })).status === status;
    await waitUntil(isKept, upstream, servedWithinMs);
  }
}

function claimsOf(token: string): { scope: string; client_id: string } {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}

async function requireAllKept(bench: Bench, url: string): Promise<void> {
  const headers = headersOf(bench);
  const stranger = await send({ url });
  equal(stranger.status, 401, "no token is demanded");
  equal(stranger.headers["x-ratelimit-limit"], String(byAddress), "no limit by address");

  const good = await send({ url, headers: { ...headers, "Accept-Encoding": "gzip" } });
  match(String(good.headers["x-ratelimit-limit"]), RegExp(`\\b${byClaim}\\b`), "no limit by claim");
  equal(good.headers["access-control-allow-origin"], origin, "no CORS");
  equal(good.headers["x-served-by"], "bench", "no header is modified");
  equal(good.headers["content-encoding"], "gzip", "nothing is compressed");

  const body = "x".repeat(maxRequestBytes + 1);
  const large = await send({ url, headers, method: "POST", body });
  equal(large.status, 413, "no limit on bodies");
}
