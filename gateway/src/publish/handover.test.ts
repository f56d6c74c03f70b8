import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { envoy, findBinary, findFreePorts } from "@portico/dev-env";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createEnvoyAdmin } from "../envoy/admin.ts";
import { type EnvoyConfig, extension, fileSource, typed } from "../envoy/envoy-config.ts";
import { ask, isLive, startEnvoy, until } from "../features/real-envoy.ts";
import { createAcceptance } from "./acceptance.ts";
import { createEnvoyLog } from "./envoy-log.ts";
import { createHandover, type Handover } from "./handover.ts";
import { createPublisher } from "./publisher.ts";

/** A real Envoy, and configurations that the model would never let through. */
let folder: string;
let ports: number[];
let program: string;
let handover: Handover;
let forwarded: string;
let running: ReturnType<typeof startEnvoy> | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-handover-"));
  ports = await findFreePorts(2);
  program = await findBinary(envoy);
  forwarded = "";
  handover = startHandover();
  await handover.prepare();
});

afterEach(async () => {
  await running?.stop();
  running = undefined;
  await rm(folder, { recursive: true, force: true });
});

function startHandover(patienceMs = 5000): Handover {
  return createHandover(
    createPublisher(folder, ports[0] ?? 0),
    createAcceptance(createEnvoyAdmin(ports[0] ?? 0), patienceMs),
    createEnvoyLog(join(folder, "envoy.log"), (text) => {
      forwarded += text;
    }),
  );
}

async function startFromFolder() {
  running = startEnvoy(program, folder);
  await until(() => isLive(ports[0] ?? 0));
}

/** One listener that answers `status` where `regex` matches. */
function config(regex: string, status: number): EnvoyConfig {
  const manager =
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
  const router = "envoy.extensions.filters.http.router.v3.Router";
  const listener = typed("envoy.config.listener.v3.Listener", {
    name: "here",
    address: { socket_address: { address: "127.0.0.1", port_value: ports[1] } },
    filter_chains: [
      {
        filters: [
          extension("http", manager, {
            stat_prefix: "here",
            rds: {
              route_config_name: "here",
              config_source: fileSource(handover.fileOf("routes", "here")),
            },
            http_filters: [extension("router", router)],
          }),
        ],
      },
    ],
  });
  const routes = typed("envoy.config.route.v3.RouteConfiguration", {
    name: "here",
    virtual_hosts: [
      {
        name: "all",
        domains: ["*"],
        routes: [{ match: { safe_regex: { regex } }, direct_response: { status } }],
      },
    ],
  });
  const none = new Map();
  return {
    listeners: new Map([["here", listener]]),
    routes: new Map([["here", routes]]),
    ...{ clusters: none, secrets: none },
  };
}

const BAD = "/(?=lookahead)";
const answers = async () => (await ask(ports[1] ?? 0, "/")).status;
const routesOnDisk = () => readFile(handover.fileOf("routes", "here"), "utf8");

test("handover > knows when Envoy has taken a version", async () => {
  const first = await handover.publish(config("/.*", 201));
  expect(first.pending).toHaveLength(2);
  await startFromFolder();
  expect(await handover.ask()).toEqual({ written: [], refused: [], pending: [] });
  const second = await handover.publish(config("/.*", 202));
  expect(second).toMatchObject({ refused: [], pending: [] });
  expect(await answers()).toBe(202);
});

test("handover > what Envoy refuses is told with its own reason, and the last good version stays, also after a restart", async () => {
  await handover.publish(config("/.*", 201));
  await startFromFolder();
  await handover.ask();
  const { refused } = await handover.publish(config(BAD, 202));
  expect(refused).toMatchObject([
    { kind: "routes", name: "here", message: "invalid perl operator: (?=" },
  ]);
  expect(forwarded).toContain("config update rejected");
  expect(await answers()).toBe(201);
  expect(await routesOnDisk()).not.toContain("lookahead");
  await running?.stop();
  await startFromFolder();
  await until(async () => (await answers()) === 201);
});

test("handover > a refused version is not handed over again, stays told, and is forgotten when it is mended", async () => {
  await handover.publish(config("/.*", 201));
  await startFromFolder();
  await handover.ask();
  await handover.publish(config(BAD, 202));
  expect(await handover.publish(config(BAD, 202))).toMatchObject({
    written: [],
    refused: [{ name: "here", message: "invalid perl operator: (?=" }],
  });
  expect(await handover.publish(config("/.*", 201))).toMatchObject({ written: [], refused: [] });
  await handover.publish(config(BAD, 202));
  expect(await handover.publish(config("/.*", 203))).toMatchObject({ refused: [], pending: [] });
  expect(await answers()).toBe(203);
});

test("handover > a controller that starts beside an Envoy with refusals behind it does not take those for its own", async () => {
  await handover.publish(config("/.*", 201));
  await startFromFolder();
  await handover.ask();
  await handover.publish(config(BAD, 202));
  handover = startHandover();
  await handover.prepare();
  expect(await handover.publish(config("/.*", 204))).toMatchObject({ refused: [], pending: [] });
  expect(await answers()).toBe(204);
});

test("handover > an Envoy that is not there is not waited for", async () => {
  const started = performance.now();
  const { pending } = await handover.publish(config("/.*", 201));
  expect(pending).toHaveLength(2);
  expect(performance.now() - started).toBeLessThan(1000);
});
