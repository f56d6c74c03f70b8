import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { NAMESPACE } from "./deploy.ts";
import { read } from "./run.ts";

/** The logs of pods that come and go: with a pod its log goes, and what was wrong with it. */
export interface KeptLogs {
  /** What the gateways' access logs have of requests that were answered with 5xx, or not at all; the first of them. */
  failures(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

const LOOK_MS = 1000;
const MOST_LINES = 40;

/** Follows each pod that the selector finds, from its first line, one file a container in the folder. */
export async function keepLogs(selector: string, folder: string): Promise<KeptLogs> {
  await mkdir(folder, { recursive: true });
  const followed = new Map<string, ChildProcess>();
  await look();
  const timer = setInterval(() => void look().catch(() => undefined), LOOK_MS);

  async function look() {
    // A container that has not started has no log yet.
    const started =
      '{range .items[*]}{.metadata.name}{range .status.containerStatuses[?(@.state.running)]} {.name}{end}{"\\n"}{end}';
    const args = ["get", "pods", "--selector", selector, "--output", `jsonpath=${started}`];
    const lines = (await read("kubectl", ["--namespace", NAMESPACE, ...args])).trim().split("\n");
    for (const [pod = "", ...containers] of lines.map((line) => line.split(" "))) {
      for (const container of containers) follow(pod, container);
    }
  }

  function follow(pod: string, container: string) {
    const name = `${pod}.${container}`;
    if (followed.has(name)) return;
    const args = ["--namespace", NAMESPACE, "logs", "--follow", pod, "--container", container];
    const child = spawn("kubectl", args, { stdio: ["ignore", "pipe", "ignore"] });
    child.stdout.pipe(createWriteStream(join(folder, `${name}.log`)));
    followed.set(name, child);
  }

  return {
    async stop() {
      clearInterval(timer);
      // What a gateway has logged leaves it a second later.
      await new Promise((resolve) => setTimeout(resolve, 2000));
      for (const child of followed.values()) child.kill();
    },
    failures: () => failuresIn(folder),
  };
}

export async function failuresIn(folder: string): Promise<readonly string[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".envoy.log"));
  const lines = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(folder, file), "utf8");
      return text.split("\n").flatMap((line) => (isFailure(line) ? [`${file}: ${line}`] : []));
    }),
  );
  return lines.flat().slice(0, MOST_LINES);
}

/** A status of 0: the client, or the connection, was gone before there was one. */
function isFailure(line: string): boolean {
  const status = /"status":(\d+)/.exec(line)?.[1];
  return status !== undefined && (status === "0" || status.startsWith("5"));
}
