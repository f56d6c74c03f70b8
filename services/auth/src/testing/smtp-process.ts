/** The SMTP server as a process of its own, to be killed and started again. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("smtp-server.ts", import.meta.url));

export function prepareSmtpProcess(port: number) {
  const took: string[] = [];
  let running: ChildProcess | undefined;

  const isUp = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true));
      socket.on("error", () => resolve(false)).on("connect", () => socket.destroy());
    });

  return {
    url: `smtp://127.0.0.1:${port}`,
    /** Whom it took mail for, whichever process that was. */
    took,

    async start() {
      const child = spawn(process.execPath, [program, String(port)], { stdio: "pipe" });
      running = child;
      createInterface(child.stdout).on("line", (recipient) => took.push(recipient));
      while (!(await isUp())) await sleep(20);
    },

    async kill() {
      const child = running;
      running = undefined;
      if (!child || child.exitCode !== null) return;
      const closed = once(child, "close");
      child.kill("SIGKILL");
      await closed;
    },
  };
}
