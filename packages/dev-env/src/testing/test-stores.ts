import { randomBytes } from "node:crypto";
import { mongod, redisServer } from "../binaries/binary.ts";
import { findBinary } from "../binaries/find-binary.ts";
import { findFreePorts } from "../configuration/free-ports.ts";
import { showProgress } from "../progress/progress.ts";
import { startStores } from "../stores/start-stores.ts";
import { createTestSupervisor } from "./test-supervisor.ts";

/** Administrative URIs of a mongod and a Redis that live as long as one test run. */
export interface TestStores {
  mongodb: string;
  redis: string;
}

export interface RunningTestStores extends TestStores {
  stop(): Promise<void>;
}

/** How many databases a Redis has, so that every test file of a run can have its own. */
const REDIS_DATABASES = 4096;

export async function startTestStores(): Promise<RunningTestStores> {
  const progress = showProgress();
  const [mongodProgram, redisProgram] = await Promise.all(
    [mongod, redisServer].map((binary) => findBinary(binary, { progress })),
  );
  if (!mongodProgram || !redisProgram) throw new Error("unreachable: findBinary answers or throws");
  const [mongodbPort = 0, redisPort = 0] = await findFreePorts(2);
  const { folder, supervisor, stop } = await createTestSupervisor();

  try {
    const { mongodb, redis } = await startStores({
      supervisor,
      folder,
      mongodb: {
        program: mongodProgram,
        port: mongodbPort,
        keyFile: randomBytes(48).toString("base64"),
        administratorPassword: randomBytes(18).toString("base64url"),
      },
      redis: {
        program: redisProgram,
        port: redisPort,
        administratorPassword: randomBytes(18).toString("base64url"),
        databases: REDIS_DATABASES,
      },
      users: [],
    });
    return { mongodb, redis, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
