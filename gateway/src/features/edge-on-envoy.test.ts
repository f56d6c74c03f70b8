import { connect } from "node:http2";
import { connect as dial } from "node:net";
import { envoy, findBinary, findFreePorts } from "@portico/dev-env";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GATEWAY_CLASS, gatewayOn, policy, route, service } from "./given.ts";
import { ask, type RealGateway, startRealGateway, until } from "./real-envoy.ts";
import { send, startTape, type Tape } from "./wire.ts";

/** What Envoy's own settings leave open, closed: bytes in, and the bytes that a service would see. */

let gateway: RealGateway;
let tape: Tape;
let port: number;

beforeAll(async () => {
  tape = await startTape();
  [port = 0] = await findFreePorts(1);
  gateway = await startRealGateway(
    await findBinary(envoy),
    [
      GATEWAY_CLASS,
      gatewayOn(port, "portico", "deny"),
      route(
        "web",
        `rules:
  - name: private
    matches: [{ path: { value: /private } }, { path: { type: Exact, value: /exact } }]
    backendRefs: [{ name: web, port: 80 }]
  - name: all
    backendRefs: [{ name: web, port: 80 }]`,
      ),
      policy(
        "open",
        "targetRefs: [{ kind: HTTPRoute, name: web, sectionName: all }]\nrequirement: None",
      ),
      service("web", tape.port),
    ].join("\n---\n"),
  );
  await until(async () => (await statusOf(plain())) === 200);
});

afterAll(async () => {
  await gateway?.stop();
  await tape.stop();
});

const HOST = "Host: portico.example\r\n";
const plain = (...headers: string[]) =>
  `GET /x HTTP/1.1\r\n${HOST}${headers.map((header) => `${header}\r\n`).join("")}\r\n`;
const post = (headers: string, body: string) =>
  `POST /x HTTP/1.1\r\n${HOST}${headers}\r\n\r\n${body}`;

async function statusOf(bytes: string): Promise<number> {
  return Number(/^HTTP\/1\.1 (\d+)/.exec(await send(port, bytes))?.[1]);
}

/** Each with what must still pass, in the same breath: a gateway that is down refuses everything. */
test.each<[string, string, string]>([
  ["two Host headers", plain("Host: evil.example"), plain()],
  ["one Host header twice", plain("Host: portico.example"), plain()],
  [
    "a user in Host",
    plain().replace("portico.", "user@portico."),
    plain().replace("portico.example", "[::1]:80"),
  ],
  [
    "two tokens",
    plain("Authorization: Bearer a", "Authorization: Bearer b"),
    plain("Authorization: Bearer a"),
  ],
  [
    "a token and a password",
    plain("Authorization: Basic a", "Authorization: bearer b"),
    plain("Authorization: Basic a"),
  ],
  [
    "a token beside a signature",
    plain('Authorization: Digest a="b"', "Authorization: Bearer b"),
    plain('Authorization: Digest a="b",c=d, e="f"'),
  ],
  [
    "both lengths",
    post("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
    post("Content-Length: 5", "hello"),
  ],
  [
    "two lengths",
    post("Content-Length: 5\r\nContent-Length: 6", "hello"),
    post("Content-Length: 5", "hello"),
  ],
  ["a list of lengths", post("Content-Length: 5, 5", "hello"), post("Content-Length: 5", "hello")],
  ["a length with a sign", post("Content-Length: +5", "hello"), post("Content-Length: 5", "hello")],
  [
    "an unknown coding",
    post("Transfer-Encoding: xchunked", "0\r\n\r\n"),
    post("Transfer-Encoding: chunked", "0\r\n\r\n"),
  ],
  [
    "two codings",
    post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n"),
    post("Transfer-Encoding: chunked", "0\r\n\r\n"),
  ],
  [
    "a space before the colon",
    post("Transfer-Encoding : chunked", "0\r\n\r\n"),
    post("Transfer-Encoding: chunked", "0\r\n\r\n"),
  ],
  [
    "a chunk that ends in LF",
    post("Transfer-Encoding: chunked", "5\nhello\r\n0\r\n\r\n"),
    post("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"),
  ],
  ["NUL", plain("X-A: a\0b"), plain("X-A: ab")],
  ["TRACE", plain().replace("GET", "TRACE"), plain()],
  ["a fragment", plain().replace("/x", "/x#y"), plain().replace("/x", "/x?y")],
  ["an underscore", plain("x_user: a"), plain("x-usr: a")],
])("%s > reaches no service; the same request without it does", async (_what, bad, good) => {
  tape.take();
  const status = await statusOf(bad);
  expect([400, 401, 405, 501]).toContain(status);
  expect(tape.take()).toBe("");
  expect(await statusOf(good)).toBe(200);
  expect(tape.take()).not.toBe("");
});

/** RFC 9112 lets a recipient read these (2.2, 5.2); what matters is that nobody behind it has to. */
test.each<[string, string, string]>([
  ["a line that ends in LF alone", plain("X-A: b\nX-B: c"), "x-a: b\r\nx-b: c\r\n"],
  ["a request in LF alone", plain("X-A: b").replaceAll("\r\n", "\n"), "x-a: b\r\n"],
  ["a folded line", plain("X-A: b\r\n c"), "x-a: b c\r\n"],
  ["a folded coding", post("X-A: b\r\nTransfer-Encoding:\r\n chunked", "0\r\n\r\n"), "x-a: b\r\n"],
])(
  "%s > is one request with one line per header when it reaches a service",
  async (_what, bytes, lines) => {
    tape.take();
    expect(await statusOf(bytes)).toBe(200);
    const seen = tape.take();
    expect(seen).toContain(lines);
    expect(seen.match(/ HTTP\/1\.1\r\n/g)).toHaveLength(1);
    expect(seen.replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
  },
);

test("a request hidden in another's body > stays a body: as many requests arrive as were sent", async () => {
  const hidden = "GET /private HTTP/1.1\r\nHost: evil.example\r\n\r\n";
  tape.take();
  expect(await statusOf(post(`Content-Length: ${hidden.length}`, hidden))).toBe(200);
  expect(tape.take().match(/^(GET|POST) /gm)).toEqual(["POST ", "GET "]);
  expect(
    await statusOf(post(`Content-Length: 0\r\nTransfer-Encoding: chunked`, `0\r\n\r\n${hidden}`)),
  ).toBe(400);
  expect(tape.take()).toBe("");
});

test("h2c > is not upgraded to: the request is answered as HTTP/1.1, and the service hears nothing of it", async () => {
  const answer = await send(
    port,
    plain(
      "Connection: Upgrade, HTTP2-Settings",
      "Upgrade: h2c",
      "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA",
    ),
  );
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(tape.take()).not.toMatch(/upgrade|http2-settings/i);
});

test("a client's X-Forwarded-For > is neither believed nor passed on", async () => {
  tape.take();
  await send(port, plain("X-Forwarded-For: 203.0.113.9", "X-Forwarded-For: 203.0.113.10"));
  const seen = tape.take();
  expect(seen).toMatch(/x-forwarded-for: [0-9a-f.:]+\r\n/);
  expect(seen).not.toContain("203.0.113");
});

test.each([
  "/PRIVATE",
  "/Private/1",
  "/pr%49vate",
  "/EXACT",
  "/exact/",
  "/Exact/",
  "//private",
  "/a/../private",
  "/a/%2e%2e/private",
  "/./private/.",
  "/private/%2E/",
])("a rule on /private or /exact > is not walked around by %s", async (path) => {
  tape.take();
  expect((await ask(port, path)).status).toBe(401);
  expect(tape.take()).toBe("");
  expect((await ask(port, `/open${path}`)).status).toBe(200);
});

test("rapid reset > ends the connection, and nobody else's", async () => {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => session.destroy());
  const ended = new Promise<void>((resolve) => session.once("close", resolve));
  await new Promise<void>((resolve) => session.once("connect", () => resolve()));
  const flood = setInterval(() => {
    for (let count = 0; count < 50 && !session.destroyed; count++) {
      const stream = session.request({ ":path": "/x", ":authority": "portico.example" });
      stream.on("error", () => {});
      stream.close(8);
    }
  }, 5);
  await ended;
  clearInterval(flood);
  expect(await statusOf(plain())).toBe(200);
});

test("HTTP/2 > a client is told that it may have a hundred streams at once", async () => {
  const session = connect(`http://127.0.0.1:${port}`);
  await new Promise<void>((resolve) => session.once("remoteSettings", () => resolve()));
  expect(session.remoteSettings.maxConcurrentStreams).toBe(100);
  session.destroy();
});

const frame = (type: number, flags: number, stream: number, payload: Buffer) => {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
};
/** A header that no table has, in HPACK (RFC 7541, section 6.2.2). */
const literal = (name: string, value: string) =>
  Buffer.concat([
    ...[Buffer.of(0, name.length), Buffer.from(name)],
    ...[Buffer.of(value.length), Buffer.from(value)],
  ]);

test("HTTP/2 > headers that go on for ever end the connection, and nobody else's", async () => {
  const SETTINGS = 4;
  const HEADERS = 1;
  const CONTINUATION = 9;
  const socket = dial(port, "127.0.0.1");
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.on("error", () => socket.destroy());
  socket.resume();
  socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  socket.write(frame(SETTINGS, 0, 0, Buffer.alloc(0)));
  socket.write(frame(HEADERS, 0, 1, literal(":method", "GET")));
  let sent = 0;
  const more = setInterval(() => {
    const fragment = literal(`x-${sent}`, "a".repeat(100));
    for (let count = 0; count < 100 && !socket.destroyed; count++, sent++) {
      socket.write(frame(CONTINUATION, 0, 1, fragment));
    }
  }, 5);
  await closed;
  clearInterval(more);
  expect(await statusOf(plain())).toBe(200);
});
