/**
 * `helm test`: the journey through the installed system, from signing up to a recorded heart rate, and those who must
 * be kept out. One small program without dependencies, so that any of the images can run it.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { env } from "node:process";
import { text } from "node:stream/consumers";

const {
  GATEWAY_URL: gateway,
  INBOX_URL: inbox,
  PUBLIC_ORIGIN: origin,
  ADMINISTRATOR_EMAIL,
  ADMINISTRATOR_PASSWORD,
  CERTIFICATE,
} = env;

/** To the gateway under the name that clients know it by, wherever it is; fetch would use the address for it. */
function send(url, { method, headers, body }) {
  const isGateway = url.origin === new URL(gateway).origin;
  const { host, hostname } = new URL(origin);
  const tls = { servername: hostname, allowPartialTrustChain: true };
  return new Promise((resolve, reject) => {
    const outgoing = (url.protocol === "https:" ? requestHttps : requestHttp)(
      url,
      {
        ...{ method, signal: AbortSignal.timeout(15_000) },
        headers: {
          ...headers,
          ...(isGateway && { Host: host }),
          ...(body && { "Content-Length": Buffer.byteLength(body) }),
        },
        ...(isGateway && CERTIFICATE && { ...tls, ca: readFileSync(CERTIFICATE) }),
      },
      async (response) => resolve({ response, body: await text(response) }),
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** @param path an address of the platform, wherever it is said to be: it is asked of the gateway in here */
async function call(path, { method, token, json, type = "application/json" } = {}) {
  const asked = new URL(path, gateway);
  const url = asked.origin === origin ? new URL(asked.pathname + asked.search, gateway) : asked;
  const { response, body } = await send(url, {
    method: method ?? (json ? "POST" : "GET"),
    headers: {
      ...(token && { Authorization: `Bearer ${token}` }),
      ...(json && { "Content-Type": type }),
    },
    body: json && JSON.stringify(json),
  });
  const isJson = response.headers["content-type"]?.includes("json");
  return { status: response.statusCode, body: isJson ? JSON.parse(body) : body };
}

async function expect(status, path, options) {
  const reply = await call(path, options);
  equal(reply.status, status, `${path} answered ${reply.status}: ${JSON.stringify(reply.body)}`);
  return reply.body;
}

const signIn = (email, password) =>
  expect(200, "/auth/sign-in", { json: { email, password } }).then((body) => body.accessToken);

const person = { email: `ada-${randomUUID()}@portico.example`, password: randomUUID() };
const heartRate = (patientId) => ({
  resourceType: "Observation",
  status: "final",
  code: { coding: [{ system: "http://loinc.org", code: "8867-4" }] },
  subject: { reference: `Patient/${patientId}` },
  effectiveDateTime: "2026-11-21T09:30:00Z",
  valueQuantity: {
    value: 72,
    unit: "beats/minute",
    system: "http://unitsofmeasure.org",
    code: "/min",
  },
});

const steps = {
  async "a person signs up, and the mail's link verifies the address"() {
    await expect(202, "/auth/sign-up", { json: person });
    const to = encodeURIComponent(person.email);
    const list = await expect(200, `${inbox}/api/messages?to=${to}&waitMs=14000`);
    ok(list.messages[0], "no mail came");
    const { links } = await expect(200, `${inbox}/api/messages/${list.messages[0].id}`);
    const link = links.find((url) => url.startsWith(`${origin}/auth/verify`));
    ok(link, `no link of ours among ${links}`);
    await expect(200, link);
    const token = new URL(link).searchParams.get("token");
    await expect(200, "/auth/verify", { json: { token } });
    await expect(400, "/auth/verify", { json: { token } });
  },

  async "signs in, and is who they are"() {
    person.token = await signIn(person.email, person.password);
    const me = await expect(200, "/auth/users/me", { token: person.token });
    deepEqual([me.email, me.emailVerified], [person.email, true]);
    person.id = me.id;
  },

  async "writes a post and reads it back"() {
    const { token } = person;
    const post = await expect(201, "/posts", { token, json: { text: `Hello ${randomUUID()}` } });
    deepEqual(await expect(200, `/posts/${post.id}`, { token }), post);
  },

  async "submits a payment twice, and has it once"() {
    const { token, id: userId } = person;
    const json = {
      ...{ id: randomUUID(), userId, timestamp: "2026-11-01T09:30:00Z" },
      ...{ description: "Rent", currency: "EUR", amount: 95_000 },
    };
    await expect(201, "/payments", { token, json });
    await expect(200, "/payments", { token, json });
    const { items } = await expect(200, "/payments", { token });
    deepEqual(
      items.map(({ id }) => id),
      [json.id],
    );
  },

  async "sees virtual cards"() {
    const { items } = await expect(200, "/cards", { token: person.token });
    ok(items.length > 0, "no cards");
  },

  async "may not see patients (403)"() {
    await expect(403, "/fhir/Patient", { token: person.token });
  },

  async "becomes a clinician by the first administrator, and records a heart rate"() {
    const administrator = await signIn(ADMINISTRATOR_EMAIL, ADMINISTRATOR_PASSWORD);
    await expect(200, `/auth/users/${person.id}`, {
      ...{ method: "PATCH", token: administrator, json: { roles: ["member", "clinician"] } },
    });
    const token = await signIn(person.email, person.password);
    const fhir = { token, type: "application/fhir+json" };
    const resource = { resourceType: "Patient", name: [{ family: "Lovelace" }], gender: "female" };
    const patient = await expect(201, "/fhir/Patient", { ...fhir, json: resource });
    const seen = await expect(201, "/fhir/Observation", { ...fhir, json: heartRate(patient.id) });
    const search = `/fhir/Observation?patient=${patient.id}&code=8867-4`;
    const { entry } = await expect(200, search, { token });
    deepEqual(
      entry.map(({ resource }) => resource.id),
      [seen.id],
    );
  },

  async "nobody gets in without a token, or with a forged one (401), and operations are not routed"() {
    const forged = `${person.token.split(".").slice(0, 2).join(".")}.${"A".repeat(86)}`;
    for (const path of ["/auth/users/me", "/posts", "/payments", "/cards", "/fhir/Patient"]) {
      await expect(401, path);
      await expect(401, path, { token: forged });
    }
    for (const path of ["/metrics", "/healthz", "/revocations"]) await expect(401, path);
  },
};

for (const [title, run] of Object.entries(steps)) {
  const startedAt = performance.now();
  await run();
  process.stdout.write(`✓ ${title} (${Math.round(performance.now() - startedAt)} ms)\n`);
}
