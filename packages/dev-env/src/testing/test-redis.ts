import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { redisServer } from "../binaries/binary.ts";
import { findBinary } from "../binaries/find-binary.ts";
import { findFreePorts } from "../configuration/free-ports.ts";
import { type KeyUser, redisAdministratorUri, redisProcess, redisUri } from "../stores/redis.ts";
import { createThrowawayFolder, removeThrowawayFolder } from "./throwaway-folder.ts";

/** A Redis of a test's own, which may be killed. It starts empty each time, at the same port. */
export interface TestRedis {
  administratorUrl: string;
  urlOf(user: KeyUser): string;
  start(): Promise<void>;
  kill(): Promise<void>;
  /** It is there, and answers nothing. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

export async function createTestRedis(users: KeyUser[]): Promise<TestRedis> {
  const [program, folder, [port = 0]] = await Promise.all([
    findBinary(redisServer),
    createThrowawayFolder(),
    findFreePorts(1),
  ]);
  const administratorPassword = "administrator";
  const redis = { program, port, folder, administratorPassword };
  const { command, args, isReady } = await redisProcess(redis, users);
  let child: ChildProcess | undefined;

  async function kill() {
    if (child?.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }

  return {
    administratorUrl: redisAdministratorUri(redis),
    urlOf: (user) => redisUri(port, user),
    async start() {
      child = spawn(command, args, { stdio: "ignore" });
      while (!(await isReady())) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    kill,
    freeze: () => child?.kill("SIGSTOP"),
    thaw: () => child?.kill("SIGCONT"),
    async stop() {
      await kill();
      await removeThrowawayFolder(folder);
    },
  };
}
