import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { answer, endpoint, Streamed, streamed } from "./endpoint.ts";
import { anyone, permits, signedIn } from "./guard.ts";
import { conflict, notFound } from "./problem.ts";
import { createTestApp, type TestApp } from "./testing/test-app.ts";

const Note = z.object({ id: z.string(), text: z.string() });
const secret = "secret-in-a-message";

/** The hundredth cannot be had. */
async function* numbers(count: number) {
  yield "[0";
  for (let number = 1; number < count; number += 1) {
    if (number === 100) throw new Error("there are no more");
    yield `,${number}`;
  }
  yield "]";
}

const endpoints = [
  endpoint({
    method: "get",
    path: "/notes/newest",
    summary: "Read the newest note",
    guard: anyone,
    reply: { status: 200, body: Note },
    handle: () => ({ id: "newest", text: "new" }),
  }),
  endpoint({
    method: "get",
    path: "/notes/:noteId",
    summary: "Read a note",
    guard: anyone,
    params: z.object({ noteId: z.string().max(20) }),
    reply: { status: 200, body: Note },
    problems: [notFound],
    handle: ({ params }) => ({ id: params.noteId, text: "hello" }),
  }),
  endpoint({
    method: "post",
    path: "/notes",
    summary: "Write a note",
    guard: anyone,
    body: z.object({ text: z.string() }),
    reply: { status: 201, body: Note },
    handle: ({ body }) =>
      answer({ id: "1", text: body.text }, { headers: { Location: "/notes/1" } }),
  }),
  endpoint({
    method: "put",
    path: "/notes/:noteId",
    summary: "Replace a note",
    guard: anyone,
    params: z.object({ noteId: z.string() }),
    body: z.unknown(),
    reply: { status: 200, body: z.object({ given: z.unknown() }) },
    handle: ({ body }) => ({ given: body }),
  }),
  endpoint({
    method: "delete",
    path: "/notes/:noteId",
    summary: "Remove a note",
    guard: permits("notes:write"),
    params: z.object({ noteId: z.string() }),
    reply: { status: 204 },
    handle: () => undefined,
  }),
  endpoint({
    method: "get",
    path: "/mine",
    summary: "Read what is mine",
    guard: signedIn,
    reply: { status: 200, body: z.object({ subject: z.string() }) },
    handle: ({ caller }) => ({ subject: caller.subject }),
  }),
  endpoint({
    method: "get",
    path: "/pieces/:count",
    summary: "Read a long list, piece by piece",
    guard: anyone,
    params: z.object({ count: z.coerce.number() }),
    reply: { status: 200, body: streamed("Numbers") },
    handle: ({ params }) => new Streamed(numbers(params.count)),
  }),
  endpoint({
    method: "get",
    path: "/broken/:how",
    summary: "Fail",
    guard: anyone,
    params: z.object({ how: z.string() }),
    reply: { status: 200, body: z.object({ count: z.int() }) },
    async handle({ params }) {
      if (params.how === "problem") throw conflict("It is taken.");
      if (params.how === "reply") return { count: secret as unknown as number };
      if (params.how === "client") throw Object.assign(new Error(secret), { status: 404 });
      if (params.how === "nothing") throw undefined;
      if (params.how === "slow") await sleep(200);
      throw new Error(secret, { cause: new Error("the deepest cause") });
    },
  }),
];

let example: TestApp;
beforeAll(async () => {
  example = await createTestApp(endpoints, {
    bodyLimitBytes: 200_000,
    foreign: [
      {
        route: "/foreign",
        handler: (_request, response) => {
          response.write("half an ans");
          throw new Error("cut off");
        },
      },
    ],
  });
});
afterAll(() => example.close());

const post = (body: string | Buffer, headers: Record<string, string> = {}) =>
  request(example.app)
    .post("/notes")
    .set({ "Content-Type": "application/json", ...headers })
    .serialize((sent: unknown) => sent as string)
    .send(body);

/** The app behind a port, for what supertest cannot send. */
const listen = async () => {
  const server = createServer(example.app).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
};

/** RFC 9457, whatever the refusal. */
const expectProblem = (response: request.Response, status: number, code: string) => {
  expect(response.headers["content-type"]).toMatch(/^application\/problem\+json/);
  expect(response.body).toMatchObject({
    type: "about:blank",
    title: expect.any(String),
    status,
    code,
    detail: expect.any(String),
    traceId: expect.stringMatching(/^[\da-f]{32}$/),
  });
  expect(response.status).toBe(status);
  expect(response.headers["cache-control"]).toBe("no-store");
};

describe("an answer", () => {
  it("is the endpoint's, with its status, headers and type (201)", async () => {
    const written = await post('{"text":"hi"}');
    expect(written.status).toBe(201);
    expect(written.body).toEqual({ id: "1", text: "hi" });
    expect(written.headers).toMatchObject({
      location: "/notes/1",
      "content-type": "application/json; charset=utf-8",
    });
  });

  it("may be empty (204)", async () => {
    const authorization = await example.bearer({ scope: "notes:write" });
    const removed = await request(example.app)
      .delete("/notes/1")
      .set("Authorization", authorization);
    expect(removed.status).toBe(204);
    expect(removed.text).toBe("");
    expect(removed.headers["content-type"]).toBeUndefined();
  });

  it("may be sent piece by piece, and is cut off when it cannot be finished", async () => {
    const whole = await request(example.app).get("/pieces/3");
    expect(whole.headers["content-type"]).toBe("application/json; charset=utf-8");
    expect(whole.body).toEqual([0, 1, 2]);
    const { port, close } = await listen();
    const cut = fetch(`http://127.0.0.1:${port}/pieces/200`).then((response) => response.text());
    await expect(cut).rejects.toThrow();
    expect(example.lines("request.failed").at(-1)).toMatchObject({
      error: { message: "there are no more" },
    });
    close();
  });

  it("to a caller with a token is kept by no cache", async () => {
    const mine = await request(example.app)
      .get("/mine")
      .set("Authorization", await example.bearer());
    expect(mine.body).toEqual({ subject: "member-1" });
    expect(mine.headers["cache-control"]).toBe("no-store");
  });

  it("tells a browser to load, frame and guess nothing, and nobody what runs here", async () => {
    const { headers } = await request(example.app).get("/notes/1");
    expect(headers).toMatchObject({
      "content-security-policy": "default-src 'none';frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
      "strict-transport-security": expect.stringContaining("max-age="),
    });
    expect(headers["x-powered-by"]).toBeUndefined();
  });

  it("to HEAD has the headers of GET and no body", async () => {
    const [get, head] = await Promise.all([
      request(example.app).get("/notes/1"),
      request(example.app).head("/notes/1"),
    ]);
    expect(head.status).toBe(200);
    expect(head.headers["content-length"]).toBe(get.headers["content-length"]);
    expect(head.text).toBeUndefined();
  });
});

describe("a body", () => {
  it.each([
    ["broken JSON", '{"text":"s3cret'],
    ["JSON in another encoding than it says", Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
    ["a bare word", "s3cret"],
  ])("that is %s is refused without repeating it (400)", async (_, body) => {
    const refused = await post(body);
    expectProblem(refused, 400, "invalid-request");
    expect(refused.text).not.toContain("s3cret");
    expect(JSON.stringify(example.lines())).not.toContain("s3cret");
  });

  it.each([
    ["arrays", (depth: number) => "[".repeat(depth) + "]".repeat(depth)],
    ["objects", (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`],
  ])("of nested %s is refused (400), also where the schema takes anything", async (_, nest) => {
    for (const depth of [100, 30_000]) {
      const body = nest(depth);
      const put = request(example.app).put("/notes/1").set("Content-Type", "application/json");
      expectProblem(await post(body), 400, "invalid-request");
      expectProblem(await put.send(body), 400, "invalid-request");
    }
  });

  it("of depth 50,000 is refused at once (400)", async () => {
    const startedAt = performance.now();
    expectProblem(
      await post(`{"text":${"[".repeat(50_000)}${"]".repeat(50_000)}}`),
      400,
      "invalid-request",
    );
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  it("of a usual depth is taken", async () => {
    const body = { a: [{ b: [{ c: [[[["deep"]]]] }] }] };
    const taken = await request(example.app).put("/notes/1").send(body);
    expect(taken.body).toEqual({ given: body });
  });

  it("that is too large is refused (413), also when it is small on the wire", async () => {
    const large = JSON.stringify({ text: "a".repeat(200_000) });
    expectProblem(await post(large), 413, "payload-too-large");
    expectProblem(
      await post(gzipSync(large), { "Content-Encoding": "gzip" }),
      413,
      "payload-too-large",
    );
  });

  it("that says it is too large is refused before it is sent (413)", async () => {
    const { port, close } = await listen();
    const socket = connect(port, "127.0.0.1");
    socket.write(
      "POST /notes HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10000000\r\n\r\n",
    );
    const [answer] = await once(socket, "data");
    expect(String(answer)).toMatch(/^HTTP\/1.1 413 /);
    socket.destroy();
    close();
  });

  it.each([
    ["text", { "Content-Type": "text/plain" }],
    ["a form", { "Content-Type": "application/x-www-form-urlencoded" }],
    ["several parts", { "Content-Type": "multipart/form-data; boundary=x" }],
    ["of no readable type", { "Content-Type": "json" }],
  ])("that is %s is refused, with what is accepted (415)", async (_, headers) => {
    const refused = await post('{"text":"a"}', headers);
    expectProblem(refused, 415, "unsupported-media-type");
    expect(refused.headers.accept).toBe("application/json");
  });

  it.each([
    ["charset", { "Content-Type": "application/json; charset=klingon" }],
    ["encoding", { "Content-Encoding": "zip" }],
  ])("in an unknown %s is refused (415)", async (_, headers) => {
    expectProblem(await post('{"text":"a"}', headers), 415, "unsupported-media-type");
  });

  it("that is not the gzip it says is refused (400)", async () => {
    expectProblem(
      await post('{"text":"a"}', { "Content-Encoding": "gzip" }),
      400,
      "invalid-request",
    );
  });

  it("may come in gzip", async () => {
    const taken = await post(gzipSync('{"text":"a"}'), { "Content-Encoding": "gzip" });
    expect(taken.status).toBe(201);
  });

  it("of a caller who may not call is not read", async () => {
    const refused = await request(example.app).delete("/notes/1").send('{"broken');
    expectProblem(refused, 401, "unauthenticated");
  });
});

describe("a path", () => {
  it.each(["/notes/newest", "/notes/newest/", "/Notes/NEWEST"])(
    "without parameters comes before one with them, however it is written: %s",
    async (path) => {
      const { status, body } = await request(example.app).get(path);
      expect([status, body.text]).toEqual([200, "new"]);
    },
  );

  it("that is unknown is refused (404)", async () => {
    expectProblem(await request(example.app).get("/elsewhere"), 404, "not-found");
    expectProblem(await request(example.app).get("/notes/1/2"), 404, "not-found");
  });

  it.each(["/notes/%ff", "/notes/%", "/notes/%E0%A4%A"])(
    "with malformed percent-encoding is refused: %s (400)",
    async (path) => {
      expectProblem(await request(example.app).get(path), 400, "invalid-request");
    },
  );

  it("names each wrong parameter (400)", async () => {
    const refused = await request(example.app).get(`/notes/${"a".repeat(21)}`);
    expectProblem(refused, 400, "invalid-request");
    expect(refused.body.errors).toMatchObject([{ in: "path", field: "noteId" }]);
  });

  it.each([
    ["PATCH", "/notes/1", "GET, HEAD, PUT, DELETE"],
    ["GET", "/notes", "POST"],
    // Another path of one more endpoint, of which "newest" would be an id.
    ["PUT", "/notes/newest", "GET, HEAD"],
    ["OPTIONS", "/notes", "POST"],
    ["POST", "/example/openapi.json", "GET, HEAD"],
  ])("does not answer %s %s, and says what it answers (405)", async (method, path, allow) => {
    const app = request(example.app);
    const verb = method.toLowerCase() as "get" | "post" | "put" | "patch" | "options";
    const refused = await app[verb](path);
    expectProblem(refused, 405, "method-not-allowed");
    expect(refused.headers.allow).toBe(allow);
  });
});

describe("a failure", () => {
  it("that the endpoint declares says what the caller can do (409)", async () => {
    const refused = await request(example.app).get("/broken/problem");
    expectProblem(refused, 409, "conflict");
    expect(refused.body.detail).toBe("It is taken.");
  });

  it.each(["error", "reply", "client", "nothing", "slow"])(
    "of our own says nothing, logs its cause, and the process lives (500): %s",
    async (how) => {
      const logged = example.lines("request.failed").length;
      const failed = await request(example.app).get(`/broken/${how}`);
      expectProblem(failed, 500, "internal");
      expect(failed.text).not.toContain(secret);
      expect(failed.text).not.toContain("count");
      const [line] = example.lines("request.failed").slice(logged);
      expect(line).toMatchObject({
        level: "error",
        traceId: failed.body.traceId,
        problem: "internal",
      });
      expect((await request(example.app).get("/notes/1")).status).toBe(200);
    },
  );

  it("is logged with the cause of its cause, and the field that broke the reply", async () => {
    await request(example.app).get("/broken/error");
    expect(example.lines("request.failed").at(-1)).toMatchObject({
      error: { message: secret, cause: { message: "the deepest cause" } },
    });
    await request(example.app).get("/broken/reply");
    const [line] = example.lines("request.failed").slice(-1);
    expect(JSON.stringify(line)).toContain("count");
  });

  it("in the middle of an answer cuts the connection and prints nothing", async () => {
    example.app.set("env", "production");
    const print = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { port, close } = await listen();
    await expect(
      fetch(`http://127.0.0.1:${port}/foreign`).then((response) => response.text()),
    ).rejects.toThrow();
    expect(print).not.toHaveBeenCalled();
    expect(example.lines("request.failed").at(-1)).toMatchObject({
      error: { message: "cut off" },
    });
    close();
    print.mockRestore();
  });
});

describe("a request", () => {
  const traceId = "0af7651916cd43dd8448eb211c80319c";

  it("continues the caller's trace, in its log line and in a problem", async () => {
    const refused = await post("{", { traceparent: `00-${traceId}-b7ad6b7169203331-01` });
    expect(refused.body.traceId).toBe(traceId);
    expect(example.lines("request.handled").at(-1)).toMatchObject({ traceId });
  });

  it("is one log line, with the route's template and no id", async () => {
    const before = example.lines("request.handled").length;
    await request(example.app)
      .get("/notes/id-of-a-note?a=query")
      .set({ "x-request-id": "r-1", "user-agent": "agent" });
    const lines = example.lines("request.handled").slice(before);
    expect(lines).toEqual([
      {
        time: expect.any(String),
        level: "info",
        service: "example",
        event: "request.handled",
        traceId: expect.any(String),
        spanId: expect.any(String),
        method: "GET",
        route: "/notes/:noteId",
        status: 400,
        durationMs: expect.any(Number),
        requestId: "r-1",
      },
    ]);
  });

  it("that the client gave up is logged as 499, and is no error of ours", async () => {
    const errors = example.lines("request.failed").length;
    const { port, close } = await listen();
    const halfABody =
      "POST /notes HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{";
    const noAnswer = "GET /broken/slow HTTP/1.1\r\nHost: a\r\n\r\n";

    for (const [bytes, route] of [
      [halfABody, "/notes"],
      [noAnswer, "/broken/:how"],
    ] as const) {
      const before = example.lines("request.handled").length;
      const socket = connect(port, "127.0.0.1");
      socket.write(bytes);
      await sleep(50);
      socket.destroy();
      await vi.waitFor(() =>
        expect(example.lines("request.handled").slice(before)).toMatchObject([
          { route, status: 499 },
        ]),
      );
    }
    await sleep(300);
    close();
    const ours = example.lines("request.failed").slice(errors);
    expect(ours.filter(({ error }) => !JSON.stringify(error).includes(secret))).toEqual([]);
  });
});
