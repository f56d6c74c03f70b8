import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { nodeProgram } from "@portico/dev-env";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { signIn } from "./testing/people.ts";
import { startAuth, type TestAuth } from "./testing/start-auth.ts";

let auth: TestAuth;
beforeAll(async () => {
  auth = await startAuth(inject("stores"));
});
afterAll(() => auth.stop());

async function seed(input: object) {
  const { command, args, env } = nodeProgram("services/auth/src/seed.ts", auth.environment);
  const child = spawn(command, args, { env });
  child.stdin.end(JSON.stringify(input));
  const [output, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return complaints === "" ? JSON.parse(output) : Promise.reject(new Error(complaints));
}

const clinician = {
  kind: "clinician",
  email: "clinician@portico.example",
  password: "a seeded password",
  roles: ["clinician"],
  emailVerified: true,
  premiumUntil: "2099-01-01T00:00:00.000Z",
};
const client = { client_id: "demo-service", client_secret: "s".repeat(43), redirect_uris: [] };

test("seed > writes users who can sign in, and clients without their secrets", async () => {
  const { users } = await seed({ users: [clinician], clients: [client] });
  const { account } = await signIn(auth, clinician);
  expect(users).toEqual([{ email: clinician.email, id: account.id }]);
  expect(account).toMatchObject({
    roles: ["member", "clinician"],
    emailVerified: true,
    premiumUntil: clinician.premiumUntil,
  });
  const kept = await auth.mongo.collection("clients").find().toArray();
  expect(kept).toHaveLength(1);
  expect(JSON.stringify(kept)).not.toContain(client.client_secret);
});

test("seed > a second time changes nothing; another password replaces the old one", async () => {
  const read = () => auth.mongo.collection("accounts").find().toArray();
  await seed({ users: [clinician], clients: [client] });
  const before = await read();
  await seed({ users: [clinician], clients: [client] });
  expect(await read()).toEqual(before);

  const changed = { ...clinician, password: "another password" };
  await seed({ users: [changed] });
  const { account } = await signIn(auth, changed);
  expect(account.id).toBe(before[0]?._id);
});

test("seed > a first administrator is made once: a password chosen since then stays", async () => {
  const first = {
    ...clinician,
    email: "first@portico.example",
    roles: ["admin"],
    onlyIfMissing: true,
  };
  const [made] = (await seed({ users: [first] })).users;
  const chosen = { ...first, password: "chosen by that person", onlyIfMissing: false };
  await seed({ users: [chosen] });
  expect((await seed({ users: [first] })).users).toEqual([made]);
  const { account } = await signIn(auth, chosen);
  expect(account).toMatchObject({ id: made.id, roles: ["member", "admin"] });
});
