import { availableParallelism } from "node:os";
import { join } from "node:path";
import { repositoryRoot } from "../configuration/configuration.ts";
import { operationsPort } from "../configuration/ports.ts";
import { type ServiceName, serviceNames } from "../configuration/services.ts";
import type { ProcessSpec } from "../processes/managed-process.ts";
import { nodeProgram } from "../processes/node-program.ts";
import { acceptsConnections, answersOk } from "../processes/readiness.ts";
import { GATEWAY_USER, type KeyUser, redisUri } from "../stores/redis.ts";
import type { Stores } from "../stores/start-stores.ts";
import { identityProviderOf, redirectUriOf } from "./identity-provider.ts";
import type { PlatformSettings } from "./platform-settings.ts";
import { serviceEnvironment } from "./service-environment.ts";

const LOOPBACK = "127.0.0.1";
const SANDBOXES = "packages/sandboxes/src/main.ts";
const CONTROLLER = "gateway/src/main.ts";
const serviceProgram = (name: ServiceName) => `services/${name}/src/main.ts`;

export const programs = [...serviceNames.map(serviceProgram), SANDBOXES, CONTROLLER];

/** auth has the most to do: with 8 a request costs it a fifth less, and it takes 9 MiB more. */
const youngMiBOf = (name: ServiceName) => (name === "auth" ? 8 : undefined);

export function serviceProcess(
  settings: PlatformSettings,
  stores: Stores,
  name: ServiceName,
): ProcessSpec {
  return {
    ...nodeProgram(
      serviceProgram(name),
      serviceEnvironment(settings, stores, name),
      youngMiBOf(name),
    ),
    name,
    stage: "services",
    port: settings.ports[name],
    isReady: isReadyAt(operationsPort(settings.ports, name)),
  };
}

export function sandboxesProcess(settings: PlatformSettings): ProcessSpec {
  const { ports, secrets } = settings;
  const identityProvider = identityProviderOf(settings);
  const environment = {
    HOST: LOOPBACK,
    INBOX_HTTP_PORT: String(ports.mailbox),
    INBOX_SMTP_PORT: String(ports.smtp),
    EXTEND_PORT: String(ports.extend),
    EXTEND_API_KEY: secrets.EXTEND_API_KEY,
    EXTEND_API_SECRET: secrets.EXTEND_API_SECRET,
    IDENTITY_PROVIDER_PORT: String(ports.identityProvider),
    IDENTITY_PROVIDER_ISSUER: identityProvider.issuer,
    IDENTITY_PROVIDER_CLIENT_ID: identityProvider.clientId,
    IDENTITY_PROVIDER_CLIENT_SECRET: identityProvider.clientSecret,
    IDENTITY_PROVIDER_REDIRECT_URI: redirectUriOf(settings, identityProvider),
  };
  return {
    ...nodeProgram(SANDBOXES, environment),
    name: "sandboxes",
    stage: "sandboxes",
    port: ports.mailbox,
    // The last of its ports to be listened on.
    isReady: acceptsConnections(ports.identityProvider),
  };
}

/** Who counts rate limits in Redis. */
export function gatewayUser({ secrets }: PlatformSettings): KeyUser {
  return { name: GATEWAY_USER, password: secrets.GATEWAY_REDIS_PASSWORD };
}

export function controllerProcess(settings: PlatformSettings, objects: string): ProcessSpec {
  const opsPort = operationsPort(settings.ports, "gatewayController");
  const environment = {
    GATEWAY_SOURCE: "folders",
    GATEWAY_FOLDERS: [join(repositoryRoot, "helm/portico/gateway"), objects].join(":"),
    ENVOY_DIR: envoyFolder(settings),
    ENVOY_ADMIN_PORT: String(settings.ports.envoyAdmin),
    OPS_PORT: String(opsPort),
    HOST: LOOPBACK,
    LOG_LEVEL: "info",
    GATEWAY_REDIS_URL: redisUri(settings.ports.redis, gatewayUser(settings)),
  };
  return {
    ...nodeProgram(CONTROLLER, environment),
    name: "gateway-controller",
    stage: "edge",
    port: opsPort,
    isReady: isReadyAt(opsPort),
  };
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
      // Unknown fields are for the suite to find, on a strict Envoy: not looking for them, Envoy reads
      // thousands of routes in half the time.
      "--ignore-unknown-dynamic-fields",
      ...["--concurrency", String(Math.min(availableParallelism(), 4))],
      // A person who reads the access log sees the last second; an old listener's connections end soon.
      ...["--file-flush-interval-msec", "1000", "--drain-time-s", "30"],
    ],
    port: settings.ports.gateway,
    isReady: answersOk(`http://${LOOPBACK}:${settings.ports.envoyAdmin}/ready`),
  };
}

export function envoyFolder({ folder }: PlatformSettings): string {
  return join(folder, "gateway", "envoy");
}

const isReadyAt = (opsPort: number) => answersOk(`http://${LOOPBACK}:${opsPort}/readyz`);
