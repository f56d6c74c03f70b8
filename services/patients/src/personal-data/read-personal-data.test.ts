import { randomUUID } from "node:crypto";
import request from "supertest";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Fhir, observation, patient, startFhir } from "../testing/fhir-service.ts";

let fhir: Fhir;
beforeAll(async () => {
  fhir = await startFhir();
});
afterAll(() => fhir.stop());

const scope = "personal-data:read";

const read = async (claims: Record<string, unknown>, query = "") =>
  request(fhir.app)
    .get(`/patients/personal-data${query}`)
    .set("Authorization", await fhir.bearer(claims));

const as = async (sub: string) => ({
  Authorization: await fhir.bearer({ sub, roles: ["member", "clinician"] }),
});

it("answers what the caller wrote down, page by page, and nothing of what stands in it (200)", async () => {
  const [sub, other] = [randomUUID(), randomUUID()];
  const { body: recorded } = await fhir.create(patient(), await as(sub));
  const own = [await as(sub), await as(sub)];
  const observations = [];
  for (const who of own) observations.push(await fhir.create(observation(recorded.id), who));
  await fhir.create(observation(recorded.id), await as(other));

  const items = [];
  let after = "";
  for (let page = 0; page < 3; page += 1) {
    const { status, body } = await read({ sub, scope }, `?limit=1${after}`);
    expect(status).toBe(200);
    items.push(...body.items);
    after = `&after=${body.nextCursor}`;
    expect(body.nextCursor === null).toBe(page === 2);
  }
  expect(items).toEqual([
    { resourceType: "Patient", id: recorded.id, recordedAt: recorded.meta.lastUpdated },
    ...observations.reverse().map(({ body }) => ({
      resourceType: "Observation",
      id: body.id,
      recordedAt: body.meta.lastUpdated,
    })),
  ]);
  expect((await read({ sub, scope }, "?limit=100")).body.items).toEqual(items);
});

it("needs no role any more: what somebody did stays theirs to know", async () => {
  const sub = randomUUID();
  await fhir.create(patient(), await as(sub));
  expect((await read({ sub, scope, roles: ["member"] })).body.items).toHaveLength(1);
});

it("needs the scope that only auth gets, for a person's export (403), and a token (401)", async () => {
  expect((await read({ roles: ["member", "clinician"] })).status).toBe(403);
  await request(fhir.app).get("/patients/personal-data").expect(401);
});
