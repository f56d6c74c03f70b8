import { once } from "node:events";
import { readFile, stat } from "node:fs/promises";
import { createServer, request } from "node:http";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import { createServer as createTlsServer, request as requestTls } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { envoy, findBinary, findFreePorts } from "@portico/dev-env";
import { afterAll, beforeAll, expect, test } from "vitest";
import { authorities, type Certificate, createAuthority, tlsSecret } from "./certificate.ts";
import { GATEWAY_CLASS, route, service } from "./given.ts";
import {
  ask,
  type RealGateway,
  startRealGateway,
  startUpstream,
  type Upstream,
  until,
} from "./real-envoy.ts";

/** What only Envoy can tell of the Gateway API: rewritten requests, connections by TLS, streams. */

const authority = createAuthority();
const known = authority.issue("client");
const certificates = { a: authority.issue("a.example"), b: authority.issue("b.example") };

let gateway: RealGateway;
let posts: Upstream;
let copies: Upstream;
let secured: Server;
let calls: Server;
let chat: Server;
let port: number;
let tlsPort: number;
let mutualPort: number;

const listening = async (server: Server) => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
};

const https = (name: string, at: number, secret: string, hostname = "") =>
  `{ name: ${name}, port: ${at}, protocol: HTTPS${hostname && `, hostname: ${hostname}`}, tls: { certificateRefs: [{ name: ${secret} }] } }`;

function gatewayYaml(): string {
  const listeners = [
    `{ name: http, port: ${port}, protocol: HTTP }`,
    https("any", tlsPort, "a"),
    https("b", tlsPort, "b", "b.example"),
    https("mutual", mutualPort, "a"),
  ];
  return `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: portico }
spec:
  gatewayClassName: portico
  listeners: [${listeners.join(", ")}]
  tls:
    backend: { clientCertificateRef: { name: a } }
    frontend:
      default: {}
      perPort: [{ port: ${mutualPort}, tls: { validation: { caCertificateRefs: [{ group: "", kind: ConfigMap, name: ca }] } } }]
`;
}

const rule = (path: string, backend: string, more = "") =>
  `\n  - { matches: [{ path: { value: ${path} } }], backendRefs: [{ name: ${backend}, port: 80 }]${more} }`;
const rewrite = (prefix: string) =>
  `{ type: URLRewrite, urlRewrite: { hostname: inside.example, path: { type: ReplacePrefixMatch, replacePrefixMatch: ${prefix} } } }`;
const HEADERS =
  '{ type: RequestHeaderModifier, requestHeaderModifier: { set: [{ name: x-set, value: "5%" }], remove: [x-gone] } }';
const MIRROR = "{ type: RequestMirror, requestMirror: { backendRef: { name: copies, port: 80 } } }";
const CORS =
  "{ type: CORS, cors: { allowOrigins: ['https://*.a.example'], allowMethods: ['*'], allowHeaders: ['*'], allowCredentials: true } }";

const ROUTES = [
  route(
    "posts",
    `rules:${[
      rule("/posts", "posts"),
      rule("/strip", "posts", `, filters: [${rewrite("/")}, ${HEADERS}, ${MIRROR}]`),
      rule("/swap", "posts", `, filters: [${rewrite("/new")}]`),
      rule("/cors", "posts", `, filters: [${CORS}]`),
      rule("/secured", "secured"),
      rule("/impostor", "impostor"),
      rule("/chat", "chat"),
    ].join("")}
  - { matches: [{ path: { value: /moved } }], filters: [{ type: RequestRedirect, requestRedirect: { hostname: new.example, path: { type: ReplacePrefixMatch, replacePrefixMatch: /here } } }] }`,
  ),
  `
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: { name: calls }
spec:
  parentRefs: [{ name: portico, sectionName: http }]
  rules: [{ matches: [{ method: { service: portico.Calls } }], backendRefs: [{ name: calls, port: 80 }] }]
`,
];

const verified = (name: string, hostname: string) => `
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: { name: ${name} }
spec:
  targetRefs: [{ group: "", kind: Service, name: ${name} }]
  validation: { hostname: ${hostname}, caCertificateRefs: [{ group: "", kind: ConfigMap, name: ca }] }
`;

beforeAll(async () => {
  [posts, copies] = await Promise.all([startUpstream("posts"), startUpstream("copies")]);
  const own = certificates.b;
  secured = createTlsServer(
    { cert: own.certificate, key: own.key, ca: authority.certificate, requestCert: true },
    ({ socket }, response) => {
      const { authorized, servername } = socket as TLSSocket & { servername: string };
      response.end(JSON.stringify({ authorized, servername }));
    },
  );
  const http2 = createHttp2Server();
  http2.on("stream", (stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" });
    stream.pipe(stream);
  });
  calls = http2 as unknown as Server;
  chat = createServer().on("upgrade", (_request, socket) => {
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    );
    socket.pipe(socket);
  });
  const [securedPort, callsPort, chatPort] = await Promise.all(
    [secured, calls, chat].map(listening),
  );
  [port = 0, tlsPort = 0, mutualPort = 0] = await findFreePorts(3);
  gateway = await startRealGateway(
    await findBinary(envoy),
    [
      GATEWAY_CLASS,
      gatewayYaml(),
      tlsSecret("a", certificates.a),
      tlsSecret("b", certificates.b),
      authorities("ca", authority),
      service("posts", posts.port),
      service("copies", copies.port),
      service("secured", securedPort),
      service("impostor", securedPort),
      service("calls", callsPort),
      service("chat", chatPort).replace("port: 80 }", "port: 80, appProtocol: kubernetes.io/ws }"),
      verified("secured", "b.example"),
      verified("impostor", "c.example"),
      ...ROUTES,
    ].join("\n---\n"),
  );
  await until(async () => (await ask(port, "/posts").catch(() => undefined))?.status === 200);
});

afterAll(async () => {
  await gateway?.stop();
  for (const server of [secured, calls, chat]) {
    server?.close();
  }
  await Promise.all([posts?.stop(), copies?.stop()]);
});

test.each([
  ["/strip", "/"],
  ["/strip/", "/"],
  ["/strip/a/b?c=d", "/a/b?c=d"],
  ["/swap", "/new"],
  ["/swap/a", "/new/a"],
])("a rewrite > of %s arrives as %s, under the new host", async (path, expected) => {
  const { url, headers } = (await ask(port, path)).json();
  expect([url, headers.host]).toEqual([expected, "inside.example"]);
});

test("headers > are changed for the service and its copy, whose answer nobody sees", async () => {
  const before = copies.count();
  const answer = await ask(port, "/strip", { headers: { "x-gone": "1" } });
  expect(answer.json()).toMatchObject({ service: "posts", headers: { "x-set": "5%" } });
  expect(answer.json().headers).not.toHaveProperty("x-gone");
  await until(() => copies.count() === before + 1);
});

test("a redirect > says where, with the rest of the path and without a body", async () => {
  const answer = await ask(port, "/moved/a?b=c");
  expect(answer.status).toBe(302);
  expect(answer.headers.location).toBe(`http://new.example:${port}/here/a?b=c`);
  expect(answer.text).toBe("");
});

test("a preflight > is answered for the origins that are named, and for no other", async () => {
  const preflight = (origin: string) =>
    ask(port, "/cors", {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "PUT",
        "access-control-request-headers": "x-a",
      },
    });
  const before = posts.count();
  expect((await preflight("https://b.a.example")).headers).toMatchObject({
    "access-control-allow-origin": "https://b.a.example",
    "access-control-allow-methods": "PUT",
    "access-control-allow-headers": "x-a",
    "access-control-allow-credentials": "true",
  });
  for (const origin of ["https://evil.example", "https://a.example", "http://b.a.example"]) {
    expect((await preflight(origin)).headers).not.toHaveProperty("access-control-allow-origin");
  }
  expect(posts.count()).toBe(before);
});

interface Secured {
  readonly status: number;
  readonly subject: string;
  readonly serial: string;
  readonly body: string;
}

function askByTls(
  at: number,
  name: string,
  {
    host = name,
    client,
    version,
  }: { host?: string; client?: Certificate; version?: "TLSv1.1" } = {},
): Promise<Secured> {
  return new Promise((resolve, reject) => {
    const outgoing = requestTls(
      {
        ...{ host: "127.0.0.1", port: at, path: "/posts", servername: name, headers: { host } },
        ...{ ca: authority.certificate, checkServerIdentity: () => undefined, agent: false },
        ...(client && { cert: client.certificate, key: client.key }),
        ...(version && {
          ...{ minVersion: "TLSv1", maxVersion: version },
          ciphers: "DEFAULT@SECLEVEL=0",
        }),
      },
      async (incoming) => {
        const { subject, serialNumber } = (incoming.socket as TLSSocket).getPeerCertificate();
        const body = (await incoming.toArray()).join("");
        const status = incoming.statusCode ?? 0;
        resolve({ status, subject: String(subject.CN), serial: serialNumber, body });
      },
    );
    outgoing.on("error", reject);
    outgoing.end();
  });
}

test.each([
  ["a.example", "a.example", 200, "a.example"],
  ["b.example", "b.example", 200, "b.example"],
  ["unknown.example", "unknown.example", 200, "a.example"],
  ["a.example", "b.example", 421, "a.example"],
  ["b.example", "a.example", 421, "b.example"],
])(
  "TLS > a connection for %s, asked for %s, answers %i as %s",
  async (name, host, status, subject) => {
    expect(await askByTls(tlsPort, name, { host })).toMatchObject({ status, subject });
  },
);

test("TLS > below 1.2 is refused", async () => {
  await expect(askByTls(tlsPort, "a.example", { version: "TLSv1.1" })).rejects.toThrow(/version/i);
});

test("TLS > a client must prove itself where the Gateway says so", async () => {
  expect(await askByTls(mutualPort, "a.example", { client: known })).toMatchObject({ status: 200 });
  const stranger = createAuthority("somebody-else").issue("client");
  await expect(askByTls(mutualPort, "a.example")).rejects.toThrow();
  await expect(askByTls(mutualPort, "a.example", { client: stranger })).rejects.toThrow();
});

test("a backend by TLS > sees the name and the gateway's certificate, and must have the name", async () => {
  expect((await ask(port, "/secured")).json<object>()).toEqual({
    authorized: true,
    servername: "b.example",
  });
  expect((await ask(port, "/impostor")).status).toBe(503);
});

test("gRPC > is a stream in both directions", async () => {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  const stream = session.request({
    ":method": "POST",
    ":path": "/portico.Calls/Echo",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.setEncoding("utf8");
  for (const word of ["one", "two"]) {
    stream.write(word);
    expect(await once(stream, "data")).toEqual([word]);
  }
  stream.end();
  await once(stream, "close");
  session.close();
});

function upgrade(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { connection: "Upgrade", upgrade: "websocket" };
    const outgoing = request({ host: "127.0.0.1", port, path, headers });
    outgoing.on("upgrade", (_response, socket) => {
      socket.on("error", reject);
      socket.once("data", (data) => {
        resolve(String(data));
        socket.destroy();
      });
      socket.write("hello");
    });
    outgoing.on("response", (response) => {
      response.resume();
      resolve(`${response.statusCode}`);
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

test("WebSocket > is for backends that say that they speak it", async () => {
  expect(await upgrade("/chat")).toBe("hello");
  const before = posts.count();
  expect(await upgrade("/posts")).toBe("403");
  expect(posts.count()).toBe(before);
});

test("a renewed certificate > is served on the next connection, and its file is for Envoy alone", async () => {
  const before = await askByTls(tlsPort, "b.example");
  const renewed = tlsSecret("b", authority.issue("b.example"));
  const start = await readFile(join(gateway.objects, "start.yaml"), "utf8");
  await gateway.put("start.yaml", start.replace(tlsSecret("b", certificates.b), renewed));
  await until(async () => (await askByTls(tlsPort, "b.example")).serial !== before.serial);
  const { mode } = await stat(join(gateway.envoyDir, "secrets", "tls_portico_b.json"));
  expect(mode & 0o777).toBe(0o600);
});
