import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createTransport } from "nodemailer";
import { describe, expect, it, onTestFinished } from "vitest";

type Line = Record<string, string>;

type Running = {
  process: ChildProcess;
  lines: Line[];
  /** Resolves with the first line that tells of the event. */
  line(event: string): Promise<Line>;
};

const environment = {
  PATH: process.env.PATH,
  INBOX_SMTP_PORT: "0",
  INBOX_HTTP_PORT: "0",
  EXTEND_PORT: "0",
  IDENTITY_PROVIDER_PORT: "0",
  OPS_PORT: "0",
  EXTEND_API_KEY: "key-in-the-environment",
  EXTEND_API_SECRET: "secret-in-the-environment",
  IDENTITY_PROVIDER_CLIENT_SECRET: "client-secret-in-the-environment",
  IDENTITY_PROVIDER_REDIRECT_URI: "http://localhost:8080/callback",
};

function run(more: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts")], {
    env: { ...environment, ...more },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: Line[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (line) => lines.push(JSON.parse(line) as Line));

  const line = async (event: string): Promise<Line> => {
    for (;;) {
      const found = lines.find((candidate) => candidate.event === event);
      if (found) return found;
      await once(reader, "line");
    }
  };
  return { process: child, lines, line };
}

describe("the process", () => {
  it("starts every stand-in, says it is healthy, and stops cleanly on SIGTERM", async () => {
    const running = run();
    const { inbox, extend, identityProvider, ops } = await running.line("process.started");
    const statuses = await Promise.all(
      [
        `${ops}/healthz`,
        `${ops}/else`,
        `${inbox}/api/messages`,
        `${extend}/_sandbox/counters`,
        `${identityProvider}/.well-known/openid-configuration`,
      ].map(async (url) => (await fetch(url)).status),
    );
    expect(statuses).toEqual([200, 404, 200, 200, 200]);

    running.process.kill("SIGTERM");
    const [code] = await once(running.process, "exit");
    expect(code).toBe(0);
    expect(running.lines.at(-1)?.event).toBe("process.stopped");
  });

  it("logs JSON lines without secrets and without addresses", async () => {
    const credentials = { INBOX_USER: "portico", INBOX_PASSWORD: "inbox-password" };
    const running = run(credentials);
    const { extend, smtpPort } = await running.line("process.started");

    const transport = createTransport(`smtp://portico:inbox-password@127.0.0.1:${smtpPort}`);
    await transport.sendMail({ from: "a@example.com", to: "ada@example.com", text: "token=abc" });
    transport.close();
    await fetch(`${extend}/virtualcards?search=private`, {
      headers: { authorization: "Bearer token-in-flight" },
    });
    await running.line("message.received");
    await running.line("request.answered");

    const logged = JSON.stringify(running.lines);
    for (const secret of [
      ...Object.values(credentials).slice(1),
      environment.EXTEND_API_KEY,
      environment.EXTEND_API_SECRET,
      environment.IDENTITY_PROVIDER_CLIENT_SECRET,
      "ada@example.com",
      "token=abc",
      "token-in-flight",
      "private",
    ]) {
      expect(logged).not.toContain(secret);
    }
  });

  it("says what is wrong with its environment and ends (1)", async () => {
    const running = run({ EXTEND_API_SECRET: "" });
    const exited = once(running.process, "exit");
    const { reason } = await running.line("process.failed");

    expect(reason).toContain("EXTEND_API_SECRET: is required");
    expect((await exited)[0]).toBe(1);
  });
});
