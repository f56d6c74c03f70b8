/**
 * Ways around a refusal that have worked on others: a second header, a token where nobody should look,
 * an identity that is claimed, a method in disguise, another spelling of a path (OWASP API5:2023).
 */
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { doorsOf } from "../doors.ts";
import { call } from "../http.ts";
import { seeded, signIn } from "../people.ts";

const { ready } = inject("platform");
const doors = doorsOf(ready);
let member: string;
let clinician: string;
let administrator: string;

beforeAll(async () => {
  const tokenOf = async (kind: string): Promise<string> =>
    (await signIn(ready.gateway, seeded(ready, kind))).accessToken;
  member = await tokenOf("plain");
  clinician = await tokenOf("clinician");
  administrator = await tokenOf("administrator");
});

/** One request with exactly these header lines; answers its status. */
async function statusOf(url: string, headers: readonly string[], method = "GET"): Promise<number> {
  const { hostname, port, pathname, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  const lines = [
    `${method} ${pathname} HTTP/1.1`,
    `Host: ${host}`,
    "Connection: close",
    ...headers,
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(await text(socket))?.[1]);
}

const bearer = (token: string) => `Authorization: Bearer ${token}`;

describe.each(doors)("at $name", ({ url }) => {
  // To the gateway it is no request that can be understood; a service looks for a token and finds none.
  const refused = url.startsWith(ready.gateway) ? 400 : 401;

  it(`one Authorization header is enough, two are refused in either order (${refused})`, async () => {
    expect(await statusOf(url, [bearer(clinician)])).toBe(200);
    expect(await statusOf(url, [bearer("forged"), bearer(clinician)])).toBe(refused);
    expect(await statusOf(url, [bearer(clinician), bearer("forged")])).toBe(refused);
  });

  it("a token in the query, or in a cookie of another name, is none (401)", async () => {
    expect((await call(`${url}?access_token=${clinician}`)).status).toBe(401);
    expect(await statusOf(url, [`Cookie: access_token=${clinician}; token=${clinician}`])).toBe(
      401,
    );
  });

  it("who only claims to be somebody is nobody (401)", async () => {
    const { id } = seeded(ready, "administrator");
    const claims = ["X-User-Id", "X-User", "X-Forwarded-User", "X-Auth-Request-User", "X-Roles"];
    const headers = [...claims.map((name) => `${name}: ${id}`), "X-Jwt-Payload: eyJzdWIiOiJhIn0"];
    expect(await statusOf(url, headers)).toBe(401);
  });
});

describe("what only administrators may read", () => {
  const users = `${ready.gateway}/auth/users`;

  it("is theirs", async () => {
    expect((await call(users, { token: administrator })).status).toBe(200);
    expect((await call(users, { token: member })).status).toBe(403);
  });

  it.each([
    ..."/auth/Users /AUTH/users /auth/users/ /auth//users //auth/users /auth/%75sers".split(" "),
    ..."/auth/users;x /auth/users%2f /auth/./users /auth/x/../users /auth/x/%2e%2e/users".split(
      " ",
    ),
    ..."/auth/users%00 /auth/users%20 /posts/..%2fauth/users /auth/users?/auth/sign-in".split(" "),
  ])("is not a member's by the name of %s", async (path) => {
    const { hostname, port } = new URL(ready.gateway);
    const socket = connect(Number(port), hostname);
    await once(socket, "connect");
    const lines = [`GET ${path} HTTP/1.1`, `Host: ${hostname}:${port}`, "Connection: close"];
    socket.write(`${[...lines, bearer(member)].join("\r\n")}\r\n\r\n`);
    const reply = await text(socket);
    expect(reply).toMatch(/^HTTP\/1\.1 (?:30[178]|4\d\d) /);
    expect(reply).not.toContain(seeded(ready, "administrator").email);
  });

  it.each(["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])(
    "cannot be changed by a POST that is a PATCH by %s",
    async (header) => {
      const { id } = seeded(ready, "premium");
      const url = `${users}/${id}`;
      const change = { json: { roles: ["member", "admin"] }, headers: { [header]: "PATCH" } };
      expect((await call(url, { token: administrator, ...change })).status).toBe(405);
      const { body } = await call(url, { token: administrator });
      expect(body.roles).toEqual(["member"]);
    },
  );
});

describe("mass assignment", () => {
  const gains = {
    roles: ["admin"],
    emailVerified: true,
    premiumUntil: "2099-01-01T00:00:00Z",
    status: "active",
    tokenVersion: 99,
    _id: "1",
    constructor: { prototype: { isAdmin: true } },
  };

  it.each(Object.entries(gains))(
    "of %s at sign-up is refused, and named (400)",
    async (name, value) => {
      const email = `${crypto.randomUUID()}@portico.example`;
      const json = { email, password: `right ${crypto.randomUUID()}`, [name]: value };
      const refused = await call(`${ready.gateway}/auth/sign-up`, { json });
      expect([refused.status, refused.body.errors?.[0]?.field]).toEqual([400, name]);
    },
  );

  it("while the same sign-up without it is taken", async () => {
    const json = {
      email: `${crypto.randomUUID()}@portico.example`,
      password: `right ${crypto.randomUUID()}`,
    };
    expect((await call(`${ready.gateway}/auth/sign-up`, { json })).status).toBe(202);
  });
});
