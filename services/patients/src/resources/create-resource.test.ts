import { randomUUID } from "node:crypto";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  codesOf,
  expressionsOf,
  type Fhir,
  observation,
  patient,
  startFhir,
} from "../testing/fhir-service.ts";

let fhir: Fhir;
let patientId: string;

beforeAll(async () => {
  fhir = await startFhir();
  patientId = (await fhir.create(patient())).body.id;
});

afterAll(() => fhir.stop());

const nested = (depth: number): object =>
  depth === 0 ? { url: "a", valueString: "b" } : { url: "a", extension: [nested(depth - 1)] };

describe("POST /fhir/Patient", () => {
  it("answers the first version of the resource, and its place (201)", async () => {
    const sent = patient({ meta: { tag: [{ code: "a" }] } });
    const created = await fhir.create(sent);
    expect(created.status).toBe(201);
    const { id, meta } = created.body;
    expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4/);
    expect(meta).toEqual({
      tag: [{ code: "a" }],
      versionId: "1",
      lastUpdated: expect.stringMatching(/Z$/),
    });
    expect(created.body).toEqual({ ...sent, id, meta });
    expect(created.headers).toMatchObject({
      location: `/fhir/Patient/${id}/_history/1`,
      etag: 'W/"1"',
      "last-modified": new Date(meta.lastUpdated).toUTCString(),
      "content-type": "application/fhir+json; charset=utf-8",
      "cache-control": "no-store",
    });
  });

  it("answers what it was sent, unchanged, when it is read", async () => {
    const sent = patient({
      _birthDate: { extension: [{ url: "http://example.org/time", valueDateTime: "1815-12-10" }] },
      name: [{ given: ["Ada", null], _given: [null, { id: "a" }] }],
      contained: [{ resourceType: "Patient", id: "other", active: true }],
      link: [{ other: { reference: "#other" }, type: "seealso" }],
      extension: [{ url: "http://example.org/$.x", valueDecimal: 1.25 }],
    });
    const created = await fhir.create(sent);
    expect(created.status).toBe(201);
    const read = await fhir.read(`Patient/${created.body.id}`);
    expect(read.body).toEqual(created.body);
    expect(read.body).toMatchObject(sent);
  });

  it("gives the id and the version itself, whatever the client sent", async () => {
    const created = await fhir.create(
      patient({ id: "mine", meta: { versionId: "7", lastUpdated: "1999-01-01T00:00:00Z" } }),
    );
    expect(created.status).toBe(201);
    expect(created.body.id).not.toBe("mine");
    expect(created.body.meta.versionId).toBe("1");
    expect((await fhir.read("Patient/mine")).status).toBe(404);
  });

  it("takes plain JSON too", async () => {
    const created = await fhir.create(patient(), { "Content-Type": "application/json" });
    expect(created.status).toBe(201);
  });

  it.each<[string, Record<string, unknown>, string[], string[]]>([
    ["an unknown property", { nickname: "a" }, ["structure"], ["Patient.nickname"]],
    [
      "a nested unknown one",
      { name: [{ surname: "a" }] },
      ["structure"],
      ["Patient.name[0].surname"],
    ],
    ["an operator for a text", { birthDate: { $gt: "" } }, ["structure"], ["Patient.birthDate"]],
    ["operators in an element", { name: [{ $where: "a" }] }, ["structure"], ["Patient.name[0]"]],
    ["a dotted name", { "name.family": "a" }, ["structure"], ["Patient"]],
    ["what every object has", { constructor: "a" }, ["structure"], ["Patient.constructor"]],
    ["an object for a text", { gender: { valueOf: 1 } }, ["structure"], ["Patient.gender"]],
    ["a number for a text", { language: 5 }, ["structure"], ["Patient.language"]],
    ["a text for an array", { name: "a" }, ["structure"], ["Patient.name"]],
    ["an array for an object", { maritalStatus: [{}] }, ["structure"], ["Patient.maritalStatus"]],
    ["nothing in an array", { name: [] }, ["structure"], ["Patient.name"]],
    ["null", { gender: null }, ["structure"], ["Patient.gender"]],
    ["a code that does not exist", { gender: "x" }, ["code-invalid"], ["Patient.gender"]],
    ["a day that never was", { birthDate: "2026-02-30" }, ["value"], ["Patient.birthDate"]],
    [
      "two alternatives",
      { deceasedBoolean: true, deceasedDateTime: "2026" },
      ["structure"],
      ["Patient.deceasedDateTime"],
    ],
    [
      "a contact without one",
      { contact: [{ gender: "male" }] },
      ["invariant"],
      ["Patient.contact[0]"],
    ],
    [
      "another kind of reference",
      { managingOrganization: { reference: "Patient/1" } },
      ["structure"],
      ["Patient.managingOrganization"],
    ],
    [
      "a type that is not kept",
      { contained: [{ resourceType: "Device" }] },
      ["not-supported"],
      ["Patient.contained[0]"],
    ],
    ["no type at all", { contained: [{ id: "a" }] }, ["not-supported"], ["Patient.contained[0]"]],
    ["half a character", { language: "\ud800" }, ["value"], ["Patient.language"]],
  ])("names each wrong element: %s (400)", async (_, fields, codes, expressions) => {
    const refused = await fhir.create(patient(fields));
    expect(refused.status).toBe(400);
    expect(refused.headers["content-type"]).toContain("application/fhir+json");
    expect(refused.body.resourceType).toBe("OperationOutcome");
    expect(codesOf(refused)).toEqual(codes);
    expect(expressionsOf(refused)).toEqual(expressions);
  });

  it("names all of them at once, up to fifty", async () => {
    const refused = await fhir.create(patient({ a: 1, b: 2, name: [{ c: 3 }] }));
    expect(expressionsOf(refused)).toEqual(["Patient.name[0].c", "Patient.a", "Patient.b"]);
    const many = await fhir.create(
      patient({ name: Array.from({ length: 500 }, () => ({ c: 3 })) }),
    );
    expect(many.body.issue).toHaveLength(50);
  });

  it("survives a body that is nested very deeply (400)", async () => {
    const bomb = `{"resourceType":"Patient","extension":${"[".repeat(50_000)}${"]".repeat(50_000)}}`;
    const refused = await fhir.send("Patient", bomb);
    expect(refused.status).toBe(400);
    expect((await fhir.create(patient({ extension: [nested(60)] }))).status).toBe(400);
    expect((await fhir.create(patient({ extension: [nested(15)] }))).status).toBe(201);
  });

  it.each([
    ["not JSON", "{", undefined],
    ["no object", '"Patient"', undefined],
    ["another type", '{"resourceType":"Observation"}', "resourceType"],
    ["no type", "{}", "resourceType"],
    ["an operator for a type", '{"resourceType":{"$gt":""}}', "resourceType"],
  ])("refuses a body that is %s (400)", async (_, body, expression) => {
    const refused = await fhir.send("Patient", body);
    expect(refused.status).toBe(400);
    expect(refused.body.resourceType).toBe("OperationOutcome");
    expect(expressionsOf(refused)).toEqual([expression]);
  });

  it("does not let a body reach an object's prototype", async () => {
    const sent = '{"resourceType":"Patient","__proto__":{"active":true},"name":[{"__proto__":{}}]}';
    const refused = await fhir.send("Patient", sent);
    expect(refused.status).toBe(400);
    expect(expressionsOf(refused)).toContain("Patient.name[0]");
  });

  it("refuses a caller without a token (401)", async () => {
    const refused = await request(fhir.app).post("/fhir/Patient").send(patient());
    expect(refused.status).toBe(401);
    expect(codesOf(refused)).toEqual(["login"]);
  });

  it.each([
    ["a plain user", { roles: ["member"] }, "clinician"],
    [
      "a clinician's token without patients:write",
      { scope: "patients:read", roles: ["clinician"] },
      "patients:write",
    ],
  ])("refuses %s (403)", async (_, claims, missing) => {
    const refused = await fhir.create(patient(), { Authorization: await fhir.bearer(claims) });
    expect(refused.status).toBe(403);
    expect(codesOf(refused)).toEqual(["forbidden"]);
    expect(refused.body.issue[0].details.text).toContain(missing);
  });

  it("refuses a body that is too large (413)", async () => {
    const refused = await fhir.create(patient({ language: "a".repeat(300_000) }));
    expect(refused.status).toBe(413);
    expect(codesOf(refused)).toEqual(["too-long"]);
  });

  it("refuses another content type, XML too (415)", async () => {
    const refused = await fhir.create(patient(), { "Content-Type": "application/fhir+xml" });
    expect(refused.status).toBe(415);
    expect(refused.headers.accept).toBe("application/fhir+json, application/json");
  });

  it("refuses another format (400), and knows no other methods (405) or types (404)", async () => {
    const format = await fhir.read("Patient?_format=xml");
    expect(format.status).toBe(400);
    expect(expressionsOf(format)).toEqual(["http._format"]);
    const method = await request(fhir.app).delete("/fhir/Patient/1");
    expect(method.status).toBe(405);
    expect(codesOf(method)).toEqual(["not-supported"]);
    expect((await fhir.read("Device")).status).toBe(404);
  });
});

describe("GET /fhir/Patient/:id", () => {
  it("answers the resource with its version (200)", async () => {
    const read = await fhir.read(`Patient/${patientId}?_format=application/fhir%2Bjson`);
    expect(read.status).toBe(200);
    expect(read.headers.etag).toBe('W/"1"');
    expect(read.headers["content-type"]).toBe("application/fhir+json; charset=utf-8");
  });

  it("answers 404 for one that is not there, of another type too", async () => {
    expect((await fhir.read(`Patient/${randomUUID()}`)).status).toBe(404);
    const missing = await fhir.read(`Observation/${patientId}`);
    expect(missing.status).toBe(404);
    expect(codesOf(missing)).toEqual(["not-found"]);
  });

  it("names a malformed id (400)", async () => {
    const refused = await fhir.read("Patient/a%20b");
    expect(refused.status).toBe(400);
    expect(expressionsOf(refused)).toEqual(["http.id"]);
  });

  it("refuses a plain user, as an OperationOutcome (403)", async () => {
    const refused = await fhir.read(`Patient/${patientId}`, { Authorization: await fhir.bearer() });
    expect(refused.status).toBe(403);
    expect(refused.body.resourceType).toBe("OperationOutcome");
  });
});

describe("POST /fhir/Observation", () => {
  it("records a heart rate of a patient (201)", async () => {
    const created = await fhir.create(observation(patientId));
    expect(created.status).toBe(201);
    expect(created.headers.location).toBe(`/fhir/Observation/${created.body.id}/_history/1`);
    expect((await fhir.read(`Observation/${created.body.id}`)).body).toEqual(created.body);
  });

  it("refers to a version of the patient as well", async () => {
    const created = await fhir.create(observation(`${patientId}/_history/1`));
    expect(created.status).toBe(201);
  });

  it.each([
    ["nobody", undefined, "required"],
    ["somebody who is not here", { reference: "Patient/missing" }, "not-found"],
    ["somebody elsewhere", { reference: "https://example.org/fhir/Patient/1" }, "not-found"],
    ["a group", { reference: "Group/1" }, "not-found"],
    ["a name alone", { display: "Ada" }, "required"],
  ])("refuses one about %s (422)", async (_, subject, code) => {
    const refused = await fhir.create(observation(patientId, { subject }));
    expect(refused.status).toBe(422);
    expect(codesOf(refused)).toEqual([code]);
    expect(expressionsOf(refused)).toEqual(["Observation.subject"]);
  });

  it("names what is missing (400)", async () => {
    const refused = await fhir.create({ resourceType: "Observation" });
    expect(refused.status).toBe(400);
    expect(codesOf(refused)).toEqual(["required", "required"]);
    expect(expressionsOf(refused)).toEqual(["Observation.status", "Observation.code"]);
  });
});

describe("a patient's data", () => {
  it("stands in no log and no refusal", async () => {
    const secrets = ["Zebedee", "1901-02-03", "XJ-778899", "not-a-gender"];
    const [name, birthDate, value, gender] = secrets;
    const identified = patient({ name: [{ family: name }], birthDate, identifier: [{ value }] });
    await fhir.create(identified);
    const refusals = await Promise.all([
      fhir.create({ ...identified, gender }),
      fhir.create({ ...identified, [`is ${name}`]: true, identifier: { value } }),
      fhir.create({ ...identified, managingOrganization: { reference: `Patient/${value}` } }),
      fhir.create(observation(patientId, { valueString: name })),
      fhir.create(observation(patientId, { subject: { reference: `Patient/${value}` } })),
      fhir.read(`Patient?birthdate=${name}`),
      fhir.send("Patient", `{"name": "${name}`),
    ]);
    await fhir.read(`Patient?family=${name}&birthdate=${birthDate}&identifier=${value}`);
    for (const refused of refusals) {
      expect(refused.status).toBeGreaterThanOrEqual(400);
      for (const secret of secrets) expect(refused.text).not.toContain(secret);
    }
    for (const secret of secrets) expect(fhir.logged()).not.toContain(secret);
  });
});
