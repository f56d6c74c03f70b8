import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stringify } from "yaml";
import { tokenOfFile } from "./connection.ts";
import { connectionOfPod, findConnection } from "./find-connection.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-connection-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const base64 = (text: string) => Buffer.from(text).toString("base64");

async function writeKubeconfig(user: object, cluster: object = {}): Promise<string> {
  const path = join(folder, "kubeconfig");
  const document = {
    "current-context": "here",
    contexts: [{ name: "here", context: { cluster: "cluster", user: "me" } }],
    clusters: [{ name: "cluster", cluster: { server: "https://api.example:6443", ...cluster } }],
    users: [
      { name: "somebody", user: { token: "not-mine" } },
      { name: "me", user },
    ],
  };
  await writeFile(path, stringify(document));
  return path;
}

test("connection > a pod has its address from Kubernetes, the certificate and the token from its files", async () => {
  await writeFile(join(folder, "ca.crt"), "the certificate");
  await writeFile(join(folder, "token"), "the token\n");
  const connection = await connectionOfPod({ host: "fd00::1", port: 443 }, folder);
  expect(connection.server.href).toBe("https://[fd00::1]/");
  expect(connection.tls).toEqual({ ca: "the certificate" });
  expect(await connection.token()).toBe("the token");
});

test("connection > a token that is replaced is read again, and not at every request", async () => {
  const path = join(folder, "token");
  let now = 0;
  const token = tokenOfFile(path, () => now);
  await writeFile(path, "first");
  expect(await token()).toBe("first");
  await writeFile(path, "second");
  expect(await token()).toBe("first");
  now = 61_000;
  expect(await token()).toBe("second");
});

test("connection > reads the current context of a kubeconfig, certificates inside it or beside it", async () => {
  await writeFile(join(folder, "client.key"), "the key");
  const kubeconfig = await writeKubeconfig(
    { "client-certificate-data": base64("the certificate"), "client-key": "client.key" },
    { "certificate-authority-data": base64("the authority"), "tls-server-name": "kubernetes" },
  );
  const connection = await findConnection({ kubeconfig });
  expect(connection.server.href).toBe("https://api.example:6443/");
  expect(connection.tls).toEqual({
    ca: "the authority",
    cert: "the certificate",
    key: "the key",
    servername: "kubernetes",
    rejectUnauthorized: true,
  });
  expect(await connection.token()).toBeUndefined();
});

test("connection > a kubeconfig with a token", async () => {
  const connection = await findConnection({ kubeconfig: await writeKubeconfig({ token: "mine" }) });
  expect(await connection.token()).toBe("mine");
});

test.each([
  ["a file that is not there", () => join(folder, "nowhere"), /nowhere is not usable: .*ENOENT/],
  ["a program that signs in", () => writeKubeconfig({ exec: {} }), /signs in by a program/],
  ["a context of no cluster", () => writeKubeconfig({}, { server: "x" }), /Invalid URL/],
])("connection > says what is wrong with %s", async (_what, kubeconfig, message) => {
  await expect(findConnection({ kubeconfig: await kubeconfig() })).rejects.toThrow(message);
});

test("connection > neither a pod nor a kubeconfig is one clear error", async () => {
  await expect(findConnection({})).rejects.toThrow(
    "this is not a pod, and KUBECONFIG names no file",
  );
});
