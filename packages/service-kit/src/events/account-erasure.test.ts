import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, expect, inject, it, vi } from "vitest";
import { Secret } from "../config.ts";
import { createTestLogger } from "../testing/test-app.ts";
import { createTestEvents, type TestEvents } from "../testing/test-events.ts";
import { answerErasure, onAccountErased } from "./account-erasure.ts";
import { connectEvents, type Events } from "./connect-events.ts";
import { CloudEvent } from "./event.ts";

let stores: TestEvents;
let events: Events;
const erase = vi.fn<(accountId: string) => Promise<void>>();

beforeAll(async () => {
  stores = await createTestEvents(inject("stores"));
  const config = { redisUrl: new Secret(stores.redisUrl), port: 8102 };
  events = connectEvents("posts", config, stores.mongo, createTestLogger().logger);
  events.hear(["auth"], { [onAccountErased]: answerErasure(erase, events.outbox) });
});
afterEach(() => erase.mockReset());
afterAll(async () => {
  await events.close();
  await stores.close();
});

const authSays = (data: object, id: string = randomUUID()) =>
  stores.redis.xadd(
    "events:auth",
    "*",
    "event",
    JSON.stringify({
      specversion: "1.0",
      id,
      source: "/auth",
      type: onAccountErased,
      time: new Date().toISOString(),
      datacontenttype: "application/json",
      data,
    }),
  );

const answersAbout = async (accountId: string) =>
  (await stores.redis.xrange("events:posts", "-", "+"))
    .map(([, fields]) => CloudEvent.parse(JSON.parse(fields[1] ?? "")))
    .filter(({ subject }) => subject === accountId);

const eventually = (check: () => Promise<void>) =>
  vi.waitFor(check, { timeout: 8_000, interval: 50 });

it("a service removes what it holds of an erased account, and tells auth so", async () => {
  const accountId = randomUUID();
  await authSays({ accountId, final: false });
  await eventually(async () =>
    expect(await answersAbout(accountId)).toMatchObject([
      {
        source: "/posts",
        type: "dev.portico.posts.account-erased",
        data: { accountId, final: false },
      },
    ]),
  );
  expect(erase.mock.calls).toEqual([[accountId]]);
});

it("it says so once, however often it is told the same", async () => {
  const [accountId, id] = [randomUUID(), randomUUID()];
  await authSays({ accountId, final: true }, id);
  await authSays({ accountId, final: true }, id);
  const last = randomUUID();
  await authSays({ accountId: last, final: true });
  await eventually(async () => expect(await answersAbout(last)).toHaveLength(1));
  expect(await answersAbout(accountId)).toHaveLength(1);
});

it("it does not say so before it is true: what fails is tried again", async () => {
  const accountId = randomUUID();
  erase.mockRejectedValueOnce(new Error("not now"));
  await authSays({ accountId, final: true });
  await eventually(async () => expect(erase).toHaveBeenCalledTimes(1));
  expect(await answersAbout(accountId)).toEqual([]);
  await eventually(async () => expect(await answersAbout(accountId)).toHaveLength(1));
  expect(erase).toHaveBeenCalledTimes(2);
});
