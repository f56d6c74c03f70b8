import { expect, test, vi } from "vitest";
import { rememberClients, rememberedMs } from "./known-clients.ts";

const create = () => {
  let now = 0;
  const kept = new Map([["web", { client_id: "web", client_name: "One" }]]);
  const findMetadata = vi.fn(async (id: string) => kept.get(id));
  const clients = rememberClients({ findMetadata }, () => now);
  return { clients, kept, findMetadata, pass: (ms: number) => (now += ms) };
};

test("a client > is read once for a moment, also for many at once", async () => {
  const { clients, findMetadata, pass } = create();
  await Promise.all([clients.find("web"), clients.find("web"), clients.find("web")]);
  pass(rememberedMs - 1);
  await clients.find("web");
  expect(findMetadata).toHaveBeenCalledTimes(1);
});

test("a change > is known when the moment is over, or at once to who forgets", async () => {
  const { clients, kept, pass } = create();
  await clients.find("web");
  kept.set("web", { client_id: "web", client_name: "Two" });
  expect(await clients.find("web")).toMatchObject({ client_name: "One" });
  pass(rememberedMs);
  expect(await clients.find("web")).toMatchObject({ client_name: "Two" });
  kept.delete("web");
  clients.forget("web");
  expect(await clients.find("web")).toBeUndefined();
});

test("what is not there, or could not be read > is not remembered", async () => {
  const { clients, kept, findMetadata } = create();
  expect(await clients.find("new")).toBeUndefined();
  kept.set("new", { client_id: "new", client_name: "New" });
  expect(await clients.find("new")).toBeDefined();
  clients.forget("web");
  findMetadata.mockRejectedValueOnce(new Error("away"));
  await expect(clients.find("web")).rejects.toThrow("away");
  expect(await clients.find("web")).toBeDefined();
});
