import { readConfig } from "./config.ts";
import { createController } from "./controller.ts";
import { createLogger, messageOf } from "./logger.ts";
import { createMetrics } from "./metrics.ts";
import { startOpsServer } from "./ops-server.ts";
import { createPublisher } from "./publish/publisher.ts";
import { createFolderSource } from "./snapshot/folder-source.ts";
import { createStatusBoard } from "./status/status-board.ts";

const config = readConfig(process.env);
const logger = createLogger(config.logLevel);
const metrics = createMetrics();
const status = createStatusBoard(logger);
const controller = createController({
  source: createFolderSource(config.folders),
  publisher: createPublisher(config.envoyDir, config.envoyAdminPort),
  status,
  metrics,
  logger,
  namespace: config.namespace,
  envoyHost: config.host,
});

const ops = await startOpsServer({ controller, metrics, status }, config.host, config.opsPort);
logger.info("controller.started", { opsPort: ops.port, folders: config.folders });
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, async () => {
    logger.info("controller.stopping", { signal });
    await controller.stop();
    await ops.stop();
  });
}

process.on("unhandledRejection", (reason) => {
  logger.error("controller.crashed", { message: messageOf(reason) });
  process.exit(1);
});

await controller.start();
