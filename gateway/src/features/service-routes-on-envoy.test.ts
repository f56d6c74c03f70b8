import { envoy, findBinary, findFreePorts } from "@portico/dev-env";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GATEWAY_CLASS, gatewayOn, route, service } from "./given.ts";
import {
  ask,
  type RealGateway,
  startRealGateway,
  startUpstream,
  type Upstream,
  until,
} from "./real-envoy.ts";

/** A microservice is added, moved and taken away again by one line of its own Service. */

let gateway: RealGateway;
let things: Upstream;
let web: Upstream;
let openPort: number;
let closedPort: number;

const annotated = (name: string, port: number, path: string, on = "open") =>
  service(name, port).replace(
    `metadata: { name: ${name} }`,
    `metadata: { name: ${name}, annotations: { gateway.portico.dev/route: ${path}, gateway.portico.dev/gateway: ${on} } }`,
  );
const put = (path: string) => gateway.put("things.yaml", annotated("things", things.port, path));
const statusOf = async (port: number, path: string) => (await ask(port, path)).status;

beforeAll(async () => {
  [things, web] = await Promise.all([startUpstream("things"), startUpstream("web")]);
  [openPort = 0, closedPort = 0] = await findFreePorts(2);
  gateway = await startRealGateway(
    await findBinary(envoy),
    [
      GATEWAY_CLASS,
      gatewayOn(openPort, "open"),
      gatewayOn(closedPort, "closed", "deny"),
      service("web", web.port),
      annotated("kept", things.port, "/kept", "closed"),
      route(
        "web",
        "rules: [{ matches: [{ path: { value: /web } }], backendRefs: [{ name: web, port: 80 }] }]",
      ).replace("{ name: portico }", "{ name: open }"),
    ].join("\n---\n"),
  );
  await until(async () => (await statusOf(openPort, "/web")) === 200);
});

afterAll(async () => {
  await gateway?.stop();
  await Promise.all([things.stop(), web.stop()]);
});

test("a Service that gets the line > is served under its path, which it sees whole", async () => {
  expect(await statusOf(openPort, "/things/1")).toBe(404);
  await put("/things");
  await until(async () => (await statusOf(openPort, "/things/1")) === 200);
  const answer = await ask(openPort, "/things/1?a=b");
  expect(answer.json()).toMatchObject({ service: "things", url: "/things/1?a=b" });
  expect(await statusOf(openPort, "/thingsx")).toBe(404);
});

test("on a Gateway that denies by default > it is 401 without a token, like any route", async () => {
  expect(await statusOf(closedPort, "/kept")).toBe(401);
});

test("the line > moves the route, and a wrong one takes only its own away", async () => {
  await put("/parts");
  await until(async () => (await statusOf(openPort, "/parts")) === 200);
  expect(await statusOf(openPort, "/things")).toBe(404);
  await put("parts");
  await until(async () => (await statusOf(openPort, "/parts")) === 404);
  expect(await statusOf(openPort, "/web")).toBe(200);
  await put("/web");
  await until(async () => {
    const statuses = await fetch(`http://127.0.0.1:${gateway.ops.port}/status`);
    return (await statuses.text()).includes("HTTPRoute portico/web has /web already");
  });
  expect((await ask(openPort, "/web")).json().service).toBe("web");
});
