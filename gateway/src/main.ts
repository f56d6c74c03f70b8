import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { readConfig } from "./config.ts";
import { type Controller, createController } from "./controller.ts";
import { createEnvoyAdmin } from "./envoy/admin.ts";
import { startKubernetes } from "./kubernetes-surroundings.ts";
import { createLogger, messageOf } from "./logger.ts";
import { createMetrics } from "./metrics.ts";
import { startOpsServer } from "./ops-server.ts";
import { createAcceptance } from "./publish/acceptance.ts";
import { createEnvoyLog } from "./publish/envoy-log.ts";
import { createHandover } from "./publish/handover.ts";
import { createPublisher } from "./publish/publisher.ts";
import { socketIn } from "./shared-limits/socket.ts";
import { createFolderSource } from "./snapshot/folder-source.ts";
import { createStatusBoard } from "./status/status-board.ts";

// With thousands of routes V8 would keep as much garbage as there is memory in use, and more.
setFlagsFromString("--heap-growing-percent=60");

const config = readConfig(process.env);
const logger = createLogger(config.logLevel);
const metrics = createMetrics();
const status = createStatusBoard(logger);
const envoyLog = createEnvoyLog(join(config.envoyDir, "envoy.log"), (text) =>
  process.stdout.write(text),
);
const handover = createHandover(
  createPublisher(config.envoyDir, config.envoyAdminPort, config.limits),
  createAcceptance(createEnvoyAdmin(config.envoyAdminPort)),
  envoyLog,
);

const surroundings =
  config.source.kind === "kubernetes"
    ? await startKubernetes(config.source, logger, () => controller.reportSoon())
    : {
        source: createFolderSource(config.source.folders),
        boards: [],
        stop: async () => undefined,
      };
const controller: Controller = createController({
  source: surroundings.source,
  handover,
  boards: [status, ...surroundings.boards],
  ...("addressing" in surroundings && { addressing: surroundings.addressing }),
  ...{ metrics, logger, namespace: config.namespace },
  ...{
    envoyHost: config.host,
    sharesLimits: config.redisUrl !== undefined,
    trustedHops: config.trustedHops,
    limits: config.limits,
  },
});

// Loaded only where it has something to do: the Redis client is 7 MiB.
const { redisUrl } = config;
const sharedLimits =
  redisUrl === undefined
    ? undefined
    : await import("./shared-limits/shared-limits.ts").then(({ startSharedLimits }) =>
        startSharedLimits({ redisUrl, socket: socketIn(config.envoyDir), metrics, logger }),
      );
const ops = await startOpsServer({ controller, metrics, status }, config.host, config.opsPort);
logger.info("controller.started", { opsPort: ops.port, source: config.source.kind });
const forwarding = setInterval(() => void envoyLog.forward().catch(logUnread), 1000);
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, async () => {
    logger.info("controller.stopping", { signal });
    clearInterval(forwarding);
    await controller.stop();
    await surroundings.stop();
    await sharedLimits?.stop();
    await ops.stop();
  });
}

function logUnread(error: unknown) {
  logger.warn("envoy-log.unread", { message: messageOf(error) });
}

process.on("unhandledRejection", (reason) => {
  logger.error("controller.crashed", { message: messageOf(reason) });
  process.exit(1);
});

await controller.start();
