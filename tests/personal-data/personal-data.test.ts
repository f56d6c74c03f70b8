/**
 * Somebody asks for everything that is held of them, and somebody leaves, while one service is dead: when
 * it is back the export is whole, and nothing of who left is anywhere. A platform of its own, since it
 * would disturb other journeys.
 */
import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Browser,
  createBrowser,
  createThrowawayFolder,
  type Platform,
  removeThrowawayFolder,
  startPlatform,
} from "@portico/dev-env";
import { createLogger } from "@portico/service-kit";
import { connectRedis } from "@portico/service-kit/redis";
import mongoose from "mongoose";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { call, type Reply } from "../http.ts";
import { seeded, signIn } from "../people.ts";

type Person = {
  name: string;
  email: string;
  password: string;
  id: string;
  token: string;
  browser: Browser;
};

/** Dies while both of them are busy; it holds something of both. */
const dead = "patients";

let folder: string;
let platform: Platform;
let gateway: string;
let databases: mongoose.mongo.MongoClient;
let ada: Person;
let bob: Person;
/** Of the patient that each of them recorded. */
const patientNames = new Map<Person, string>();

beforeAll(async () => {
  folder = await createThrowawayFolder();
  platform = await startPlatform({ folder, ports: "free" });
  gateway = platform.ready.gateway;
  databases = await mongoose.mongo.MongoClient.connect(platform.ready.stores.mongodb);
  ada = await newClinician();
  bob = await newClinician();
  for (const person of [ada, bob]) await leaveTraces(person);
}, 180_000);

afterAll(async () => {
  await databases?.close();
  await platform?.stop();
  await removeThrowawayFolder(folder);
});

const ok = (reply: Reply, status: number): Reply => {
  expect(reply.status, JSON.stringify(reply.body)).toBe(status);
  return reply;
};

async function newClinician(): Promise<Person> {
  const mark = randomUUID().slice(0, 8);
  const credentials = {
    name: `Mx Somebody-${mark}`,
    email: `somebody-${mark}@portico.example`,
    password: `a passphrase ${randomUUID()}`,
  };
  ok(await call(`${gateway}/auth/sign-up`, { json: credentials }), 202);
  const inbox = `${platform.ready.mailbox}/api/messages`;
  const found = await call(`${inbox}?to=${encodeURIComponent(credentials.email)}&waitMs=10000`);
  const { body: mail } = await call(`${inbox}/${found.body.messages[0].id}`);
  const link = mail.links.find((url: string) => url.includes("/auth/verify"));
  const token = new URL(link).searchParams.get("token");
  ok(await call(`${gateway}/auth/verify`, { json: { token } }), 200);

  const { account } = await signIn(gateway, credentials);
  const admin = await signIn(gateway, seeded(platform.ready, "administrator"));
  const change = { method: "PATCH", token: admin.accessToken };
  const roles = ["member", "clinician"];
  ok(await call(`${gateway}/auth/users/${account.id}`, { ...change, json: { roles } }), 200);
  const { accessToken } = await signIn(gateway, credentials);
  const browser = createBrowser(gateway);
  const page = await browser.open("/auth/browser-session/start?return_to=/auth/openapi.json");
  await browser.submit(page, { email: credentials.email, password: credentials.password });
  return { ...credentials, id: account.id, token: accessToken, browser };
}

/** Something in every service that keeps anything of a person. */
async function leaveTraces(person: Person): Promise<void> {
  const { token, name, email, id: userId } = person;
  for (const text of [`I am ${name}`, `Write to ${email}`]) {
    ok(await call(`${gateway}/posts`, { token, json: { text } }), 201);
  }
  const payment = {
    id: randomUUID(),
    userId,
    timestamp: "2026-11-01T09:30:00Z",
    description: `Rent of ${name}`,
    currency: "EUR",
    amount: 95_000,
  };
  ok(await call(`${gateway}/payments`, { token, json: payment }), 201);
  const family = `Patient-${randomUUID().slice(0, 8)}`;
  patientNames.set(person, family);
  const resource = { resourceType: "Patient", name: [{ family }], gender: "unknown" };
  ok(await call(`${gateway}/fhir/Patient`, { token, json: resource }), 201);
}

const pidOf = (name: string) => platform.processes().find((one) => one.name === name)?.pid;

/** With -9, and what the supervisor starts in its place is stopped before it listens. */
async function keepDown(name: string): Promise<() => void> {
  const before = pidOf(name);
  platform.kill(name);
  await vi.waitFor(() => expect(pidOf(name) ?? before).not.toBe(before), {
    timeout: 5_000,
    interval: 5,
  });
  platform.kill(name, "SIGSTOP");
  return () => platform.kill(name, "SIGCONT");
}

/** Every document and every Redis entry of the platform that says this, by where it is. */
async function placesOf(text: string): Promise<string[]> {
  const places: string[] = [];
  const { databases: all } = await databases.db().admin().listDatabases();
  for (const { name } of all.filter(({ name }) => !["admin", "config", "local"].includes(name))) {
    for (const { name: collection } of await databases.db(name).listCollections().toArray()) {
      const documents = await databases.db(name).collection(collection).find().toArray();
      if (JSON.stringify(documents).includes(text)) places.push(`${name}.${collection}`);
    }
  }
  const redis = connectRedis(platform.ready.stores.redis, createLogger("tests", "error"));
  for (const key of await redis.keys("*")) {
    const kept = JSON.stringify([key, await readKey(redis, key)]);
    if (kept.includes(text)) places.push(`redis ${key}`);
  }
  redis.disconnect();
  return places.sort();
}

async function readKey(redis: ReturnType<typeof connectRedis>, key: string): Promise<unknown> {
  const reads: Record<string, () => Promise<unknown>> = {
    string: () => redis.get(key),
    hash: () => redis.hgetall(key),
    set: () => redis.smembers(key),
    zset: () => redis.zrange(key, "0", "-1"),
    list: () => redis.lrange(key, 0, -1),
    stream: () => redis.xrange(key, "-", "+"),
    none: async () => null,
  };
  const read = reads[await redis.type(key)];
  if (!read) throw new Error(`Nobody reads what ${key} is.`);
  return read();
}

async function logsThatSay(text: string): Promise<string[]> {
  const logs = join(folder, "logs");
  const files = await readdir(logs);
  const said = await Promise.all(files.map((file) => readFile(join(logs, file), "utf8")));
  return files.filter((_, index) => said[index]?.includes(text));
}

const exportsPath = "/auth/users/me/exports";
const get = (path: string, token?: string) => call(`${gateway}${path}`, { token });

describe("while one service is dead", () => {
  let revive: () => void;
  let exportPath: string;
  let receiptPath: string;

  beforeAll(async () => {
    // What is to be found in the end is there in the beginning.
    expect(await placesOf(bob.email)).toEqual(
      expect.arrayContaining(["auth.accounts", "posts.posts"]),
    );
    expect(await placesOf(bob.name)).toEqual(
      expect.arrayContaining(["auth.accounts", "payments.payments", "posts.posts"]),
    );
    expect(await placesOf(bob.id)).toEqual(
      expect.arrayContaining(["auth.browserSessions", "patients.patient", "payments.payments"]),
    );
    revive = await keepDown(dead);
  });

  it("an export begins, and has what the others hold", async () => {
    const asked = ok(
      await call(`${gateway}${exportsPath}`, { method: "POST", token: ada.token }),
      202,
    );
    exportPath = asked.headers.get("location") ?? "";
    const progress = async () => (await get(exportPath, ada.token)).body;
    await expect
      .poll(async () => (await progress()).services, { timeout: 20_000 })
      .toEqual({
        auth: "collected",
        posts: "collected",
        payments: "collected",
        cards: "collected",
        patients: "waiting",
      });
    expect(await progress()).toMatchObject({ state: "collecting", data: null });
    expect((await get(`${exportPath}/data`, ada.token)).status).toBe(409);
    expect((await get(exportPath, bob.token)).status).toBe(404);
  });

  it("an account is erased: it is gone at once, and the others have removed what they held", async () => {
    const erased = ok(
      await call(`${gateway}/auth/users/me`, { method: "DELETE", token: bob.token }),
      202,
    );
    receiptPath = erased.headers.get("location") ?? "";
    for (const path of ["/auth/users/me", "/posts", "/payments", "/cards"]) {
      await expect
        .poll(async () => (await get(path, bob.token)).status, { timeout: 1_000 })
        .toBe(401);
    }
    expect((await bob.browser.fetch("/auth/browser-session")).status).toBe(401);
    const { email, password } = bob;
    const again = await call(`${gateway}/auth/sign-in`, { json: { email, password } });
    expect(again.status).toBe(401);

    const services = async () => (await get(receiptPath)).body.services;
    await expect
      .poll(
        async () =>
          Object.entries<{ erasedAt: string | null }>(await services())
            .filter(([, { erasedAt }]) => erasedAt)
            .map(([name]) => name)
            .sort(),
        { timeout: 20_000 },
      )
      .toEqual(["auth", "cards", "payments", "posts"]);
    expect((await get(receiptPath)).body.state).toBe("erasing");
    expect(await placesOf(bob.id)).toEqual(
      expect.arrayContaining([`${dead}.patient`, "redis events:auth"]),
    );
  });

  it("nothing is lost when Redis forgets everything meanwhile", async () => {
    const redis = connectRedis(platform.ready.stores.redis, createLogger("tests", "error"));
    await redis.flushall();
    redis.disconnect();
    expect(await placesOf(bob.id)).toContain(`${dead}.patient`);
  });

  it("once it is back, the export is whole", async () => {
    revive();
    await expect
      .poll(async () => (await get(exportPath, ada.token)).body.state, { timeout: 90_000 })
      .toBe("ready");
    const { body } = ok(await get(`${exportPath}/data`, ada.token), 200);
    expect(Object.keys(body)).toEqual(["auth", "posts", "payments", "cards", "patients"]);
    expect(body.auth[0].account).toMatchObject([{ id: ada.id, email: ada.email, name: ada.name }]);
    expect(body.auth[0].sessions.length).toBeGreaterThan(1);
    const texts = body.posts.map(({ text }: { text: string }) => text);
    expect(texts.sort()).toEqual([`I am ${ada.name}`, `Write to ${ada.email}`]);
    expect(body.payments).toMatchObject([{ description: `Rent of ${ada.name}`, amount: 95_000 }]);
    expect(body.cards).toEqual([]);
    expect(body.patients).toMatchObject([{ resourceType: "Patient" }]);
    // What stands in the record is the patient's, not the clinician's.
    expect(JSON.stringify(body)).not.toContain(patientNames.get(ada));
    expect(JSON.stringify(body)).not.toContain(bob.id);
    expect((await get(`${exportPath}/data`, platform.ready.accessToken)).status).toBe(404);
  }, 120_000);

  it("once it is back, it forgets who left as well, and the receipt is complete", async () => {
    const receipt = async () => (await get(receiptPath)).body;
    await expect
      .poll(async () => (await receipt()).services[dead].erasedAt, { timeout: 90_000 })
      .not.toBeNull();
    // When the last access token has expired, each is asked again; nobody waits for that here.
    const erasures = databases.db("auth").collection("erasures");
    await erasures.updateMany({}, { $set: { askAt: new Date(0) } });
    await expect.poll(async () => (await receipt()).state, { timeout: 60_000 }).toBe("complete");
  }, 180_000);

  it("leaves nothing of who left: no address and no name, and an id only where it ends by itself", async () => {
    expect(await placesOf(bob.email)).toEqual([]);
    expect(await placesOf(bob.name)).toEqual([]);
    const endsByItself = /^\w+\.(outbox|revocations)$|^redis events:/;
    const places = await placesOf(bob.id);
    expect(places.filter((place) => !endsByItself.test(place))).toEqual([]);
    expect(await logsThatSay(bob.email)).toEqual([]);
    expect(await logsThatSay(bob.name)).toEqual([]);
  });

  it("leaves the medical record, and everything of whoever stayed", async () => {
    const family = patientNames.get(bob);
    const found = await get(`/fhir/Patient?family=${family}`, ada.token);
    expect(found.body.entry).toHaveLength(1);
    for (const path of ["/auth/users/me", "/posts", "/payments"]) {
      expect((await get(path, ada.token)).status).toBe(200);
    }
    const { body } = await get("/payments", ada.token);
    expect(body.items).toHaveLength(1);
  });

  it("leaves the address free for whoever comes", async () => {
    const { email, password } = bob;
    ok(await call(`${gateway}/auth/sign-up`, { json: { email, password } }), 202);
    const { account } = await signIn(gateway, { email, password });
    expect(account.id).not.toBe(bob.id);
  });
});
