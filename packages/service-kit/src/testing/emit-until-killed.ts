/** For the kit's own tests: a service that emits as fast as it can, and prints what was acknowledged. */
import { startOutbox } from "../events/outbox.ts";
import { createLogger } from "../logger.ts";
import { connectMongo } from "../mongo.ts";
import { connectRedis } from "../redis.ts";

const [mongodbUri = "", redisUrl = "", source = "", run = ""] = process.argv.slice(2);
const logger = createLogger("example", "error");
const outbox = startOutbox(
  source,
  await connectMongo(mongodbUri, logger),
  connectRedis(redisUrl, logger),
  logger,
);
for (let count = 0; ; count += 1) {
  const text = `${run} ${count}`;
  await outbox.transaction(async (_session, emit) => emit({ type: "said", data: { text } }));
  process.stdout.write(`${text}\n`);
}
