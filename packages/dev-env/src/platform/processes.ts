import { availableParallelism } from "node:os";
import { join } from "node:path";
import { repositoryRoot } from "../configuration/configuration.ts";
import { operationsPort } from "../configuration/ports.ts";
import type { ServiceName } from "../configuration/services.ts";
import type { ProcessSpec } from "../processes/managed-process.ts";
import { acceptsConnections, answersOk } from "../processes/readiness.ts";
import type { Stores } from "../stores/start-stores.ts";
import type { PlatformSettings } from "./platform-settings.ts";
import { serviceEnvironment } from "./service-environment.ts";

const LOOPBACK = "127.0.0.1";
/** Compiled code is kept between runs: a service starts in about half the time. */
const COMPILE_CACHE = join(repositoryRoot, "node_modules", ".cache", "portico-compile");

export function serviceProcess(
  settings: PlatformSettings,
  stores: Stores,
  name: ServiceName,
): ProcessSpec {
  return nodeProcess({
    name,
    stage: "services",
    program: `services/${name}/src/main.ts`,
    env: serviceEnvironment(settings, stores, name),
    port: settings.ports[name],
    isReady: isReadyAt(operationsPort(settings.ports, name)),
  });
}

export function sandboxesProcess({ ports, secrets }: PlatformSettings): ProcessSpec {
  return nodeProcess({
    name: "sandboxes",
    stage: "sandboxes",
    program: "packages/sandboxes/src/main.ts",
    env: {
      HOST: LOOPBACK,
      INBOX_HTTP_PORT: String(ports.mailbox),
      INBOX_SMTP_PORT: String(ports.smtp),
      EXTEND_PORT: String(ports.extend),
      EXTEND_API_KEY: secrets.EXTEND_API_KEY,
      EXTEND_API_SECRET: secrets.EXTEND_API_SECRET,
    },
    port: ports.mailbox,
    // The last of its ports to be listened on.
    isReady: acceptsConnections(ports.extend),
  });
}

export function controllerProcess(settings: PlatformSettings, objects: string): ProcessSpec {
  const opsPort = operationsPort(settings.ports, "gatewayController");
  return nodeProcess({
    name: "gateway-controller",
    stage: "edge",
    program: "gateway/src/main.ts",
    env: {
      GATEWAY_SOURCE: "folders",
      GATEWAY_FOLDERS: [join(repositoryRoot, "helm/portico/gateway"), objects].join(":"),
      ENVOY_DIR: envoyFolder(settings),
      ENVOY_ADMIN_PORT: String(settings.ports.envoyAdmin),
      OPS_PORT: String(opsPort),
      HOST: LOOPBACK,
      LOG_LEVEL: "info",
    },
    port: opsPort,
    isReady: isReadyAt(opsPort),
  });
}

/** One Envoy per machine could be hot restarted; several of them (a test beside `make up`) must not share its memory. */
export function envoyProcess(settings: PlatformSettings, program: string): ProcessSpec {
  return {
    name: "envoy",
    stage: "edge",
    command: program,
    args: [
      ...["-c", join(envoyFolder(settings), "bootstrap.json")],
      ...["--disable-hot-restart", "--log-level", "warning"],
      ...["--concurrency", String(Math.min(availableParallelism(), 4))],
    ],
    port: settings.ports.gateway,
    isReady: answersOk(`http://${LOOPBACK}:${settings.ports.envoyAdmin}/ready`),
  };
}

export function envoyFolder({ folder }: PlatformSettings): string {
  return join(folder, "gateway", "envoy");
}

const isReadyAt = (opsPort: number) => answersOk(`http://${LOOPBACK}:${opsPort}/readyz`);

type NodeProcess = Omit<ProcessSpec, "command" | "args" | "cwd"> & { program: string };

function nodeProcess({ program, env, ...spec }: NodeProcess): ProcessSpec {
  return {
    ...spec,
    command: process.execPath,
    args: [join(repositoryRoot, program)],
    env: { ...env, NODE_COMPILE_CACHE: COMPILE_CACHE },
    cwd: repositoryRoot,
  };
}
