/**
 * Forged tokens at every door: each service through the gateway, and straight at its own port (rows
 * of RFC 8725 and RFC 9068 section 4). In the same run each door lets good tokens in, and a server
 * that no token may make anybody ask counts who asks it.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { doorsOf } from "../doors.ts";
import { call } from "../http.ts";
import { signingKeyOf } from "../journey/sign-token.ts";
import { seeded, signIn } from "../people.ts";
import { forge, kindsOfForgery, type Material, resign } from "./forgeries.ts";

const { ready, folder } = inject("platform");
const doors = doorsOf(ready);
let asked = 0;
const trap = createServer((_request, response) => {
  asked += 1;
  response.end('{"keys":[]}');
});
let material: Material;

beforeAll(async () => {
  await new Promise<void>((resolve) => trap.listen(0, "127.0.0.1", resolve));
  const { accessToken } = await signIn(ready.gateway, seeded(ready, "clinician"));
  material = {
    good: accessToken,
    signingKey: await signingKeyOf(folder),
    trap: `http://127.0.0.1:${(trap.address() as AddressInfo).port}`,
  };
});
afterAll(() => {
  trap.close();
});

const statusesFor = (token: string) =>
  Promise.all(
    doors.map(async ({ name, url }) => [name, (await call(url, { token })).status] as const),
  );
const everyDoor = (status: number) => doors.map(({ name }) => [name, status]);

describe("a forged token is refused at every door (401)", () => {
  it.each(kindsOfForgery)("%s", async (kind) => {
    expect(await statusesFor(forge(kind, material))).toEqual(everyDoor(401));
  });

  it("while good ones are let in", async () => {
    expect(await statusesFor(material.good)).toEqual(everyDoor(200));
    expect(await statusesFor(resign(material))).toEqual(everyDoor(200));
  });

  it("and nobody was made to fetch a key", () => {
    expect(asked).toBe(0);
  });
});
