import { randomUUID } from "node:crypto";
import { startTestService, type TestService } from "@portico/dev-env";
import type { Express } from "express";
import request from "supertest";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { createPosts } from "../app.ts";
import { migrations } from "../migrations.ts";
import { createPostStore } from "../posts/post-store.ts";

let service: TestService<Express>;
beforeAll(async () => {
  service = await startTestService(inject("stores"), migrations, ({ mongo, ...parts }) =>
    createPosts({ posts: createPostStore(mongo), ...parts }),
  );
});
afterAll(() => service.stop());

const scope = "personal-data:read";

const read = async (claims: Record<string, unknown>, query = "") =>
  request(service.app)
    .get(`/posts/personal-data${query}`)
    .set("Authorization", await service.bearer(claims));

const write = async (sub: string, text: string) =>
  request(service.app)
    .post("/posts")
    .set("Authorization", await service.bearer({ sub }))
    .send({ text })
    .expect(201);

it("answers the caller's own posts, page by page, and nobody else's (200)", async () => {
  const [sub, other] = [randomUUID(), randomUUID()];
  for (const text of ["one", "two", "three"]) await write(sub, text);
  await write(other, "another's");
  const first = await read({ sub, scope }, "?limit=2");
  expect(first.status).toBe(200);
  expect(first.headers["cache-control"]).toBe("no-store");
  const second = await read({ sub, scope }, `?limit=2&after=${first.body.nextCursor}`);
  expect(second.body.nextCursor).toBeNull();
  const items = [...first.body.items, ...second.body.items];
  expect(items.map(({ text }) => text)).toEqual(["three", "two", "one"]);
  expect(items.map(({ authorId }) => authorId)).toEqual([sub, sub, sub]);
});

it("needs the scope that only auth gets, for a person's export (403), and a token (401)", async () => {
  expect((await read({})).status).toBe(403);
  await request(service.app).get("/posts/personal-data").expect(401);
});

it("names a wrong cursor (400)", async () => {
  const { status, body } = await read({ scope }, "?after=eyJ9");
  expect([status, body.errors?.[0]?.field]).toEqual([400, "after"]);
});
