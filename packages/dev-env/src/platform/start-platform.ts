import { mkdir } from "node:fs/promises";
import { type Binary, envoy, mongod, redisServer } from "../binaries/binary.ts";
import { findBinary } from "../binaries/find-binary.ts";
import { readConfiguration, repositoryRoot } from "../configuration/configuration.ts";
import { findFreePorts } from "../configuration/free-ports.ts";
import { requireFreePorts, takeFreePorts } from "../configuration/ports.ts";
import { givenVariables, readSecrets, storePassword } from "../configuration/secrets.ts";
import { type ServiceName, serviceNames } from "../configuration/services.ts";
import { Failure } from "../failure.ts";
import type { ProcessSpec } from "../processes/managed-process.ts";
import { compile, isCompiled } from "../processes/node-program.ts";
import { type RunningProcess, Supervisor } from "../processes/supervisor.ts";
import { inStep, type Progress, silentProgress } from "../progress/progress.ts";
import { type Stores, startStores } from "../stores/start-stores.ts";
import { firstAccessToken, remainingMs, signIn } from "./access-token.ts";
import { writeGatewayObjects } from "./gateway-objects.ts";
import { identityProviderOf } from "./identity-provider.ts";
import { localUrl, type PlatformSettings, platformSettings } from "./platform-settings.ts";
import {
  controllerProcess,
  envoyProcess,
  gatewayUser,
  programs,
  sandboxesProcess,
  serviceProcess,
} from "./processes.ts";
import { type Ready, type ReadyUser, removeReady, writeReady } from "./ready.ts";
import { seed, seedClients } from "./seed.ts";
import { serviceEnvironment } from "./service-environment.ts";

/**
 * The whole system in one call, the same for a person (`make up`), for tests and for benchmarks. The order is that of the
 * dependencies and no stricter: stores, sandboxes and the gateway controller together, then the services and the
 * seeding, then Envoy, then one signed-in request through all of it.
 */
export interface PlatformOptions {
  /** Where data, secrets, logs and `ready.json` live. */
  folder: string;
  /** "configured": those of portico.config.json. "free": any, so that several platforms run side by side. */
  ports: "configured" | "free";
  progress?: Progress;
  /** One line for a person: a process died, it is back. */
  log?: (line: string) => void;
  /** What a person set: secrets, and where binaries are. Throwaway platforms generate every secret. */
  environment?: NodeJS.ProcessEnv;
  /** Stops the start, and whatever was started by then. */
  signal?: AbortSignal;
}

export interface Platform {
  /** A copy of `ready.json` as it is now. */
  readonly ready: Ready;
  processes(): RunningProcess[];
  /** For drills. The process comes back by itself. */
  kill(name: string, signal?: NodeJS.Signals): void;
  /** One more of a service, beside the first, that the gateway does not know; answers its port when it is ready. */
  addInstance(name: Exclude<ServiceName, "auth">): Promise<number>;
  stop(): Promise<void>;
}

interface Start {
  options: PlatformOptions;
  progress: Progress;
  settings: PlatformSettings;
  supervisor: Supervisor;
  binaries: Binaries;
}

interface Binaries {
  mongod: string;
  redisServer: string;
  envoy: string;
}

export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const progress = options.progress ?? silentProgress;
  await mkdir(options.folder, { recursive: true });
  const known: { ready?: Ready } = {};
  let addInstance: Platform["addInstance"];
  const supervisor = await Supervisor.create({
    folder: options.folder,
    log: options.log,
    onChange: () => publish(options.folder, known, supervisor),
  });
  removeReady(options.folder);
  const stop = async () => {
    known.ready = undefined;
    removeReady(options.folder);
    await supervisor.stop();
  };
  options.signal?.addEventListener("abort", stop, { once: true });

  try {
    const settings = await decideSettings(options);
    const [binaries] = await Promise.all([
      findBinaries(options, progress),
      compileOnce(options, progress),
    ]);
    const start = { options, progress, settings, supervisor, binaries };
    const { ready, stores } = await startEverything(start);
    known.ready = ready;
    addInstance = addInstanceTo(start, stores);
    publish(options.folder, known, supervisor);
  } catch (error) {
    await stop();
    throw options.signal?.aborted ? new Failure("Stopped before it was ready.") : error;
  }
  const renewal = renewAccessToken(known.ready, () => publish(options.folder, known, supervisor));
  const { ready } = known;
  return {
    get ready() {
      return { ...ready, processes: supervisor.processes() };
    },
    processes: () => supervisor.processes(),
    kill: (name, signal) => supervisor.kill(name, signal),
    addInstance,
    stop: async () => {
      renewal.cancel();
      await stop();
    },
  };
}

/** Does nothing before everything is ready: a `ready.json` that exists says that it is. */
function publish(folder: string, { ready }: { ready?: Ready }, supervisor: Supervisor): void {
  if (ready) writeReady(folder, { ...ready, processes: supervisor.processes() });
}

async function decideSettings({ folder, ports, environment }: PlatformOptions) {
  const configuration = await readConfiguration();
  if (ports === "configured") await requireFreePorts(configuration.ports);
  const given = environment ? await givenVariables(repositoryRoot, environment) : {};
  return platformSettings({
    folder,
    configuration,
    ports: ports === "configured" ? configuration.ports : await takeFreePorts(),
    secrets: await readSecrets({ folder, given }),
  });
}

/** Fetches at the same time what is missing. When one fails the others are given up, and their folders removed, first. */
async function findBinaries(options: PlatformOptions, progress: Progress): Promise<Binaries> {
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, options.signal ?? failed.signal]);
  const find = async (binary: Binary) => {
    try {
      return await findBinary(binary, { environment: options.environment, progress, signal });
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  };
  const searches = [mongod, redisServer, envoy].map(find);
  await Promise.allSettled(searches);
  if (failed.signal.aborted) throw failed.signal.reason;
  const [mongodPath = "", redisPath = "", envoyPath = ""] = await Promise.all(searches);
  return { mongod: mongodPath, redisServer: redisPath, envoy: envoyPath };
}

async function compileOnce({ signal }: PlatformOptions, progress: Progress): Promise<void> {
  if (!isCompiled()) await inStep(progress, "compile", () => compile(programs, signal));
}

async function startEverything(start: Start): Promise<{ ready: Ready; stores: Stores }> {
  const { settings } = start;
  const [stores] = await Promise.all([
    inStep(start.progress, "stores", () => startStoresOf(start)),
    launch(start, sandboxesProcess(settings)),
    writeGatewayObjects(settings).then((objects) =>
      launch(start, controllerProcess(settings, objects)),
    ),
  ]);
  const [users] = await Promise.all([
    inStep(start.progress, "users and clients", () => seedAll(start, stores)),
    ...serviceNames.map((name) => launch(start, serviceProcess(settings, stores, name))),
  ]);
  await launch(start, envoyProcess(settings, start.binaries.envoy));
  const accessToken = await inStep(start.progress, "a sign-in through it all", () =>
    firstAccessToken(settings.origin, userOf(users)),
  );
  return { ready: describe(start, stores, users, accessToken), stores };
}

function addInstanceTo({ settings, supervisor }: Start, stores: Stores): Platform["addInstance"] {
  let instances = 1;
  return async (name) => {
    const [port = 0] = await findFreePorts(1);
    const ports = { ...settings.ports, [name]: port };
    instances += 1;
    const spec = serviceProcess({ ...settings, ports }, stores, name);
    await supervisor.start({ ...spec, name: `${name}-${instances}` });
    return port;
  };
}

function launch({ progress, supervisor }: Start, spec: ProcessSpec): Promise<void> {
  return inStep(progress, spec.name, () => supervisor.start(spec));
}

function startStoresOf({ settings, supervisor, binaries }: Start): Promise<Stores> {
  const { folder, ports, secrets } = settings;
  return startStores({
    supervisor,
    folder,
    mongodb: {
      program: binaries.mongod,
      port: ports.mongodb,
      keyFile: secrets.MONGODB_KEY_FILE,
      administratorPassword: secrets.MONGODB_ADMIN_PASSWORD,
    },
    redis: {
      program: binaries.redisServer,
      port: ports.redis,
      administratorPassword: secrets.REDIS_ADMIN_PASSWORD,
    },
    users: serviceNames.map((name) => ({
      name,
      mongodbPassword: secrets[storePassword(name, "MONGODB")],
      redisPassword: secrets[storePassword(name, "REDIS")],
    })),
    redisUsers: [gatewayUser(settings)],
  });
}

function seedAll({ settings }: Start, stores: Stores): Promise<ReadyUser[]> {
  return seed(settings, serviceEnvironment(settings, stores, "auth"));
}

/** Whose access token is handed out. */
function userOf(users: ReadyUser[]): ReadyUser {
  const user = users.find(({ kind }) => kind === "verified");
  if (!user) throw new Error("no verified user was seeded");
  return user;
}

function describe(
  { settings, supervisor }: Start,
  stores: Stores,
  users: ReadyUser[],
  accessToken: string,
): Ready {
  const { origin, ports, secrets } = settings;
  const identityProvider = identityProviderOf(settings);
  return {
    gateway: origin,
    docs: `${origin}/auth/openapi.json`,
    mailbox: localUrl(settings, ports.mailbox),
    users,
    clients: seedClients(settings),
    accessToken,
    stores: { mongodb: stores.mongodb, redis: stores.redis },
    sandboxes: {
      extend: {
        url: localUrl(settings, ports.extend),
        apiKey: secrets.EXTEND_API_KEY,
        apiSecret: secrets.EXTEND_API_SECRET,
      },
      identityProvider: {
        url: identityProvider.issuer,
        clientId: identityProvider.clientId,
        clientSecret: identityProvider.clientSecret,
      },
    },
    processes: supervisor.processes(),
  };
}

/** An access token lives for minutes and `make up` for days, so the one in `ready.json` is replaced at half its life. */
function renewAccessToken(ready: Ready, changed: () => void): { cancel(): void } {
  const retryMs = 5000;
  let timer: NodeJS.Timeout;
  const schedule = (inMs: number) => {
    timer = setTimeout(renew, Math.max(inMs, retryMs)).unref();
  };
  const renew = async () => {
    try {
      ready.accessToken = await signIn(ready.gateway, userOf(ready.users));
      changed();
    } catch {
      // The gateway or auth is being restarted; the token at hand is good for as long again.
      return schedule(retryMs);
    }
    schedule(remainingMs(ready.accessToken) / 2);
  };
  schedule(remainingMs(ready.accessToken) / 2);
  return { cancel: () => clearTimeout(timer) };
}
