import { randomUUID } from "node:crypto";
import { openEventStream, type TestEventStream } from "@portico/dev-env";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { eventHandlers } from "../app.ts";
import { createResourceStore } from "../resources/resource-store.ts";
import { type Fhir, observation, patient, startFhir } from "../testing/fhir-service.ts";

let fhir: Fhir;
let events: TestEventStream;

beforeAll(async () => {
  fhir = await startFhir();
  const resources = createResourceStore(fhir.mongo);
  events = openEventStream("patients", fhir, ["auth"], (outbox) =>
    eventHandlers(resources, outbox),
  );
});

afterAll(async () => {
  await events.close();
  await fhir.stop();
});

const as = async (sub: string) => ({
  Authorization: await fhir.bearer({ sub, roles: ["member", "clinician"] }),
});

const recorders = async (collection: string) =>
  (await fhir.mongo.collection(collection).find().toArray()).map(({ recordedBy }) => recordedBy);

it("keeps a medical record and forgets who wrote it down", async () => {
  const [leaving, staying] = [randomUUID(), randomUUID()];
  const recorded = await fhir.create(patient(), await as(leaving));
  await fhir.create(observation(recorded.body.id), await as(leaving));
  await fhir.create(observation(recorded.body.id), await as(staying));
  expect(await recorders("patient")).toEqual([leaving]);
  expect((await recorders("observation")).sort()).toEqual([leaving, staying].sort());

  await events.say("auth", "account-erased", { accountId: leaving, final: true });
  await vi.waitFor(
    async () =>
      expect(await events.saidBy("patients")).toMatchObject([
        { type: "dev.portico.patients.account-erased", data: { accountId: leaving, final: true } },
      ]),
    { timeout: 8_000 },
  );
  expect(await recorders("patient")).toEqual([null]);
  expect((await recorders("observation")).sort()).toEqual([staying, null].sort());
  const kept = await fhir.read(`Patient/${recorded.body.id}`);
  expect(kept.body).toEqual(recorded.body);
});

it("never shows who recorded a resource to whom it is shown", async () => {
  const clinician = randomUUID();
  const { body } = await fhir.create(patient(), await as(clinician));
  const shown = await fhir.read(`Patient/${body.id}`);
  expect(JSON.stringify([body, shown.body])).not.toContain(clinician);
});

it("finds what an account recorded by an index", async () => {
  const found = fhir.mongo.collection("observation").find({ recordedBy: randomUUID() });
  expect(JSON.stringify(await found.explain("queryPlanner"))).not.toContain("COLLSCAN");
});
