import request from "supertest";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { anyone, permits } from "./guard.ts";
import { openApiDocument } from "./openapi.ts";
import { PageQuery, pageOf } from "./page.ts";
import { conflict, notFound } from "./problem.ts";
import { createTestApp } from "./testing/test-app.ts";

type Json = Record<string, unknown>;
type Operation = {
  operationId: string;
  description?: string;
  security: unknown[];
  parameters: Json[];
  requestBody?: { required: boolean; content: Json };
  responses: Record<string, { description: string; content?: Json; headers?: Json }>;
};
type Document = {
  openapi: string;
  info: Json;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json>; securitySchemes: Json };
};

const ThingId = z.uuid().meta({ description: "Id of a thing" });
const Owner = z.object({ name: z.string() }).meta({ id: "Owner" });
const Thing = z
  .object({ id: ThingId, owner: Owner, size: z.int().default(1), at: z.iso.datetime() })
  .meta({ id: "Thing" });
const thingPath = "/things/{thingId}";

const endpoints = [
  endpoint({
    method: "get",
    path: "/things",
    summary: "List things",
    guard: permits("things:read"),
    query: PageQuery,
    reply: { status: 200, body: pageOf(Thing), headers: { Link: "The next page" } },
    handle: () => ({ items: [], nextCursor: null }),
  }),
  endpoint({
    method: "put",
    path: "/things/:thingId",
    summary: "Replace a thing",
    guard: permits("things:write", { roles: ["admin"] }),
    params: z.object({ thingId: ThingId }),
    body: Thing,
    headers: { "If-Match": "The version that is replaced" },
    consumes: ["application/json", "application/merge-patch+json"],
    reply: { status: 200, body: Thing, otherwise: { 201: "It was new." } },
    problems: [notFound, conflict],
    handle: ({ body }) => body,
  }),
  endpoint({
    method: "delete",
    path: "/things/:thingId",
    summary: "Remove a thing",
    guard: anyone,
    params: z.object({ thingId: ThingId }),
    reply: { status: 204 },
    handle: () => undefined,
  }),
];

const about = { name: "example", title: "Example", description: "An example.", endpoints };
const document = openApiDocument(about) as unknown as Document;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);
const statusesOf = (path: string, method: string) =>
  Object.keys(document.paths[path]?.[method]?.responses ?? {});

/** Every `$ref` of a JSON value. */
const references = (value: unknown): string[] =>
  typeof value !== "object" || value === null
    ? []
    : Object.entries(value).flatMap(([key, item]) =>
        key === "$ref" ? [String(item)] : references(item),
      );

const resolve = (reference: string): unknown =>
  reference
    .split("/")
    .slice(1)
    .reduce<unknown>((at, key) => (at as Json | undefined)?.[key], document);

describe("the document", () => {
  it("is what the service serves, and is plain JSON", async () => {
    const example = await createTestApp(endpoints);
    const served = await request(example.app).get("/example/openapi.json");
    await example.close();
    expect(served.headers["content-type"]).toMatch(/^application\/json/);
    expect(served.body).toEqual(JSON.parse(JSON.stringify(document)));
  });

  it("has what OpenAPI 3.1 requires", () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(document.info).toMatchObject({ title: "Example", version: expect.any(String) });
    for (const { path, method, operation } of operations) {
      expect(path).toMatch(/^\/[^:]*$/);
      expect(["get", "put", "post", "patch", "delete"]).toContain(method);
      for (const [status, response] of Object.entries(operation.responses)) {
        expect(status).toMatch(/^[1-5]\d\d$/);
        expect(response.description).toBeTruthy();
      }
    }
  });

  it("gives every operation an id of its own", () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(ids).toEqual(["getThings", "putThingsByThingId", "deleteThingsByThingId"]);
  });

  it("refers only to what it holds, by JSON Schema's own words", () => {
    const found = references(document);
    expect(found.length).toBeGreaterThan(5);
    for (const reference of found) expect(resolve(reference)).toBeDefined();
    expect(JSON.stringify(document)).not.toMatch(/"\$(schema|defs|id)"/);
  });

  it("declares each name of a path as a required parameter, and no other", () => {
    for (const { path, operation } of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = operation.parameters.filter((parameter) => parameter.in === "path");
      expect(declared.map(({ name }) => name)).toEqual(named);
      expect(declared.every(({ required }) => required === true)).toBe(true);
    }
  });

  it("never says a parameter twice, and each has a schema", () => {
    for (const { operation } of operations) {
      const keys = operation.parameters.map((parameter) => `${parameter.in} ${parameter.name}`);
      expect(new Set(keys).size).toBe(keys.length);
      for (const { schema } of operation.parameters) expect(schema).toBeTypeOf("object");
    }
  });
});

describe("an operation", () => {
  it("names every status it can answer", () => {
    const always = ["400", "401", "431", "500", "502", "503", "504"];
    expect(statusesOf("/things", "get").sort()).toEqual(["200", ...always, "403"].sort());
    expect(statusesOf(thingPath, "put").sort()).toEqual(
      ["200", "201", ...always, "403", "404", "409", "413", "415"].sort(),
    );
    expect(statusesOf(thingPath, "delete").sort()).toEqual(["204", ...always].sort());
  });

  it("answers every refusal as a problem, and an empty reply without content", () => {
    for (const { operation } of operations) {
      for (const [status, { content }] of Object.entries(operation.responses)) {
        if (Number(status) < 400) continue;
        expect(content).toEqual({
          "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
        });
      }
    }
    expect(document.paths[thingPath]?.delete?.responses["204"]).not.toHaveProperty("content");
  });

  it("says who may call it", () => {
    const put = document.paths[thingPath]?.put;
    expect(put?.security).toEqual([{ accessToken: ["things:write"] }]);
    expect(put?.description).toContain("things:write");
    expect(put?.description).toContain("admin");
    expect(document.paths[thingPath]?.delete?.security).toEqual([]);
    expect(document.components.securitySchemes).toHaveProperty("accessToken");
  });

  it("shows its query, headers and media types", () => {
    expect(document.paths["/things"]?.get?.parameters).toMatchObject([
      {
        name: "limit",
        in: "query",
        required: false,
        schema: { type: "integer", minimum: 1, maximum: 100, default: 20 },
      },
      { name: "after", in: "query", required: false, schema: { type: "string" } },
    ]);
    const put = document.paths[thingPath]?.put;
    expect(put?.parameters).toContainEqual(
      expect.objectContaining({ name: "If-Match", in: "header", required: false }),
    );
    expect(Object.keys(put?.requestBody?.content ?? {})).toEqual([
      "application/json",
      "application/merge-patch+json",
    ]);
    expect(document.paths["/things"]?.get?.responses["200"]?.headers).toHaveProperty("Link");
  });
});

describe("a schema with a name", () => {
  it("stands once, under its name, wherever it is used", () => {
    expect(Object.keys(document.components.schemas)).toEqual(
      expect.arrayContaining(["Owner", "Problem", "Thing"]),
    );
    expect(document.components.schemas.Thing).toMatchObject({
      type: "object",
      properties: { owner: { $ref: "#/components/schemas/Owner" } },
    });
  });

  it("has two names when what is sent differs from what is answered, and each is referred to", () => {
    const sent = document.paths[thingPath]?.put?.requestBody?.content["application/json"];
    const answered = document.paths[thingPath]?.put?.responses["200"]?.content;
    const [sentSchema] = references(sent).map(resolve) as Json[];
    const [answeredSchema] = references(answered).map(resolve) as Json[];
    expect(sentSchema?.required).not.toContain("size");
    expect(answeredSchema?.required).toContain("size");
  });

  it("is found also where another named schema holds it in both forms", () => {
    const Box = z.object({ thing: Thing }).meta({ id: "Box" });
    const both = endpoint({
      method: "post",
      path: "/boxes",
      summary: "Fill a box",
      guard: anyone,
      body: z.object({ box: Box }),
      reply: { status: 200, body: z.object({ box: Box }) },
      handle: ({ body }) => body,
    });
    const boxes = openApiDocument({ ...about, endpoints: [both] }) as unknown as Document;
    const at = (name: string) => boxes.components.schemas[name] as { required: string[] };
    const [sent] = references(boxes.paths["/boxes"]?.post?.requestBody);
    const [answered] = references(boxes.paths["/boxes"]?.post?.responses["200"]);
    const thingOf = (reference = "") =>
      at(
        references(at(reference.split("/").at(-1) ?? ""))[0]
          ?.split("/")
          .at(-1) ?? "",
      );
    expect(thingOf(sent).required).not.toContain("size");
    expect(thingOf(answered).required).toContain("size");
  });
});
