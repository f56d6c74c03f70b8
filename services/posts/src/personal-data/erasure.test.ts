import { randomUUID } from "node:crypto";
import {
  openEventStream,
  startTestService,
  type TestEventStream,
  type TestService,
} from "@portico/dev-env";
import type { Express } from "express";
import request from "supertest";
import { afterAll, beforeAll, expect, inject, it, vi } from "vitest";
import { createPosts, eventHandlers } from "../app.ts";
import { migrations } from "../migrations.ts";
import { createPostStore } from "../posts/post-store.ts";

let service: TestService<Express>;
let events: TestEventStream;

beforeAll(async () => {
  service = await startTestService(inject("stores"), migrations, ({ mongo, ...parts }) =>
    createPosts({ posts: createPostStore(mongo), ...parts }),
  );
  const posts = createPostStore(service.mongo);
  events = openEventStream("posts", service, ["auth"], (outbox) => eventHandlers(posts, outbox));
});

afterAll(async () => {
  await events.close();
  await service.stop();
});

const write = async (sub: string, text: string) =>
  request(service.app)
    .post("/posts")
    .set("Authorization", await service.bearer({ sub }))
    .send({ text })
    .expect(201);

const textsThere = async () =>
  (await service.mongo.collection("posts").find().toArray()).map(({ text }) => text).sort();

const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 8_000 });

it("removes every post of an erased account, nobody else's, and says so", async () => {
  const [leaving, staying] = [randomUUID(), randomUUID()];
  for (const text of ["one", "two"]) await write(leaving, text);
  await write(staying, "another's");
  expect(await textsThere()).toEqual(["another's", "one", "two"]);

  await events.say("auth", "account-erased", { accountId: leaving, final: false });
  await eventually(async () =>
    expect(await events.saidBy("posts")).toMatchObject([
      { type: "dev.portico.posts.account-erased", data: { accountId: leaving, final: false } },
    ]),
  );
  expect(await textsThere()).toEqual(["another's"]);
});

it("the second time removes what was still being written the first time", async () => {
  const leaving = randomUUID();
  await events.say("auth", "account-erased", { accountId: leaving, final: false });
  const answers = async () =>
    (await events.saidBy("posts")).filter(({ data }) => data.accountId === leaving);
  await eventually(async () => expect(await answers()).toHaveLength(1));
  await write(leaving, "late");
  await events.say("auth", "account-erased", { accountId: leaving, final: true });
  await eventually(async () => expect(await answers()).toHaveLength(2));
  expect(await textsThere()).toEqual(["another's"]);
});

it("finds an account's posts by an index, however many others there are", async () => {
  const found = service.mongo.collection("posts").find({ authorId: randomUUID() });
  expect(JSON.stringify(await found.explain("queryPlanner"))).not.toContain("COLLSCAN");
});
