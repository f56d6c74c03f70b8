import type { Response } from "supertest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readDefinitions } from "../definitions/definitions.ts";
import { searchFilters } from "../search/search-filter.ts";
import {
  baseUrl,
  expressionsOf,
  type Fhir,
  observation,
  patient,
  startFhir,
} from "../testing/fhir-service.ts";
import { collectionOf, filterOf, lastWrittenFirst } from "./resource-store.ts";

let fhir: Fhir;
let ada: string;
let zoe: string;
let readings: string[];

const keep = async (resource: Record<string, unknown>): Promise<string> => {
  const created = await fhir.create(resource);
  expect(created.status).toBe(201);
  return created.body.id;
};

const idsOf = (response: Response): string[] => {
  expect(response.status).toBe(200);
  return (response.body.entry ?? []).map(
    ({ resource }: { resource: { id: string } }) => resource.id,
  );
};

const search = async (query: string) => idsOf(await fhir.read(query));

beforeAll(async () => {
  fhir = await startFhir();
  ada = await keep(
    patient({ identifier: [{ system: "urn:ward", value: "A-1" }, { value: "free" }] }),
  );
  zoe = await keep(
    patient({
      name: [{ family: "Müller-Østby", given: ["Zoé", "Ada"], text: "Dr. Zoé Müller" }],
      birthDate: "1990-05",
      _birthDate: { extension: [{ url: "urn:guessed", valueBoolean: true }] },
      identifier: [
        { system: "urn:ward", value: "Z,9" },
        { system: "urn:odd", value: "x|y" },
      ],
    }),
  );
  readings = [];
  for (const effectiveDateTime of [
    "2026-03-01",
    "2026-03-01T10:00:00Z",
    "2026-03-02T00:30:00+01:00",
  ]) {
    readings.push(await keep(observation(ada, { effectiveDateTime })));
  }
  readings.push(
    await keep(
      observation(zoe, {
        code: { coding: [{ code: "8867-4" }, { system: "urn:x", code: "pulse" }], text: "Pulse" },
        effectiveDateTime: undefined,
        effectivePeriod: { start: "2026-03-05T08:00:00Z" },
      }),
    ),
  );
});

afterAll(() => fhir.stop());

describe("GET /fhir/Patient", () => {
  it("answers a searchset of everything, last written first", async () => {
    const found = await fhir.read("Patient");
    expect(found.headers["content-type"]).toBe("application/fhir+json; charset=utf-8");
    expect(found.body).toMatchObject({
      resourceType: "Bundle",
      type: "searchset",
      link: [{ relation: "self", url: `${baseUrl}/Patient` }],
      entry: [
        { fullUrl: `${baseUrl}/Patient/${zoe}`, search: { mode: "match" }, resource: { id: zoe } },
        { fullUrl: `${baseUrl}/Patient/${ada}`, search: { mode: "match" }, resource: { id: ada } },
      ],
    });
  });

  it("has no entry when nothing is found: FHIR knows no empty array", async () => {
    expect((await fhir.read("Patient?family=nobody")).body.entry).toBeUndefined();
  });

  it.each([
    ["family=lovelace", ["ada"]],
    ["family=LOVE", ["ada"]],
    ["family=lace", []],
    ["family=muller", ["zoe"]],
    ["family=müller-øst", ["zoe"]],
    ["family=ada", []],
    ["name=ada", ["zoe", "ada"]],
    ["name=zoe", ["zoe"]],
    ["name=dr. zoé m", ["zoe"]],
    ["name=ada&family=lovelace", ["ada"]],
    ["name=zoe&name=lovelace", []],
    ["family=love,mull", ["zoe", "ada"]],
    ["name=.*", []],
    ["identifier=A-1", ["ada"]],
    ["identifier=a-1", []],
    ["identifier=urn:ward|A-1", ["ada"]],
    ["identifier=urn:other|A-1", []],
    ["identifier=|A-1", []],
    ["identifier=|free", ["ada"]],
    ["identifier=Z\\,9", ["zoe"]],
    ["identifier=A-1,free", ["ada"]],
    ["identifier=x\\|y", ["zoe"]],
    ["identifier=urn:odd|x\\|y", ["zoe"]],
    ["identifier=urn:odd\\|x\\|y", []],
    ["birthdate=1815-12-10", ["ada"]],
    ["birthdate=1815", ["ada"]],
    ["birthdate=1990-05-07", []],
    ["birthdate=1990", ["zoe"]],
    ["birthdate=1990-05", ["zoe"]],
    ["birthdate=lt1900", ["ada"]],
    ["birthdate=ge1990-05-01", ["zoe"]],
    ["birthdate=ge1800&birthdate=lt1900", ["ada"]],
    ["birthdate=ne1990", ["ada"]],
  ])("finds by ?%s", async (query, names) => {
    const encoded = query.replace(
      /=(.*?)(&|$)/g,
      (_, value, end) => `=${encodeURIComponent(value)}${end}`,
    );
    expect(await search(`Patient?${encoded}`)).toEqual(
      names.map((name) => (name === "ada" ? ada : zoe)),
    );
  });

  it("finds by _id, one or several", async () => {
    expect(await search(`Patient?_id=${ada}`)).toEqual([ada]);
    expect(await search(`Patient?_id=${ada},${zoe}`)).toEqual([zoe, ada]);
    expect(await search(`Patient?_id=${ada}&family=muller`)).toEqual([]);
  });

  it.each([
    ["_count=0", "http._count"],
    ["_count=101", "http._count"],
    ["birthdate=yesterday", "http.birthdate"],
    ["birthdate=2026-13", "http.birthdate"],
    ["birthdate=", "http.birthdate"],
    ["family=a,", "http.family"],
    ["identifier=a|b|c", "http.identifier"],
    ["identifier=A-1,urn:ward||A-1", "http.identifier"],
    ["family[$gt]=", "http.family[$gt]"],
    ["_id=$ne", "http._id"],
    ["address=here", "http.address"],
    ["after=nonsense", "http.after"],
    [`family=${Array(30).fill("a").join(",")}`, "http.family"],
  ])("names what is wrong in ?%s (400)", async (query, expression) => {
    const refused = await fhir.read(`Patient?${query}`);
    expect(refused.status).toBe(400);
    expect(expressionsOf(refused)).toEqual([expression]);
  });

  it("refuses a plain user (403), and a caller without a token (401)", async () => {
    expect((await fhir.read("Patient", { Authorization: await fhir.bearer() })).status).toBe(403);
    expect((await fhir.read("Patient", { Authorization: "" })).status).toBe(401);
  });
});

describe("GET /fhir/Observation", () => {
  it.each<[string, number[]]>([
    ["date=2026-03-01", [2, 1, 0]],
    ["date=2026-03-01T10:00:00Z", [1]],
    ["date=eq2026-03", [2, 1, 0]],
    ["date=gt2026-03-02", [3]],
    ["date=ge2026-03-01T12:00Z", [3, 2, 0]],
    ["date=lt2026-03-01T12:00:00Z", [1, 0]],
    ["date=sa2026-03-01T12:00:00Z", [3, 2]],
    ["date=eb2026-03-01T12:00:00Z", [1]],
    ["date=ge2026-03-01&date=lt2026-03-02", [2, 1, 0]],
    ["code=8867-4", [3, 2, 1, 0]],
    ["code=http://loinc.org|8867-4", [2, 1, 0]],
    ["code=|8867-4", [3]],
    ["code=urn:x|pulse,http://loinc.org|8867-4", [3, 2, 1, 0]],
    ["code=Pulse", []],
    ["code=Heart rate", []],
  ])("finds by ?%s", async (query, expected) => {
    const encoded = query.replace(
      /=(.*?)(&|$)/g,
      (_, value, end) => `=${encodeURIComponent(value)}${end}`,
    );
    expect(await search(`Observation?${encoded}`)).toEqual(
      expected.map((index) => readings[index]),
    );
  });

  it("finds by patient, as an id or a reference", async () => {
    const [first, second, third, fourth] = readings;
    expect(await search(`Observation?patient=${ada}`)).toEqual([third, second, first]);
    expect(await search(`Observation?patient=Patient/${zoe}`)).toEqual([fourth]);
    expect(await search(`Observation?patient=Group/${zoe}`)).toEqual([]);
    const query = `patient=${ada}&code=8867-4&date=2026-03-01T10:00:00Z`;
    expect(await search(`Observation?${query}`)).toEqual([second]);
  });

  it("pages by the link that it gives, and stays stable while resources are added", async () => {
    const first = await fhir.read(`Observation?patient=${ada}&_count=2`);
    await keep(observation(ada));
    const [self, next] = first.body.link;
    expect(self).toEqual({
      relation: "self",
      url: `${baseUrl}/Observation?patient=${ada}&_count=2`,
    });
    expect(next.relation).toBe("next");
    const second = await fhir.read(next.url);
    expect([...idsOf(first), ...idsOf(second)]).toEqual([readings[2], readings[1], readings[0]]);
    expect(second.body.link).toHaveLength(1);
  });
});

describe("searching", () => {
  type Plan = { queryPlanner: { winningPlan: unknown } };

  it.each([
    ["Patient", {}],
    ["Patient", { family: ["love"] }],
    ["Patient", { name: ["a,b"] }],
    ["Patient", { identifier: ["urn:ward|A-1"] }],
    ["Patient", { birthdate: ["1815"] }],
    ["Observation", { patient: ["1"] }],
    ["Observation", { patient: ["1"], code: ["8867-4"], date: ["ge2026-03-01", "lt2026-03-02"] }],
    ["Observation", { date: ["2026-03"] }],
  ] as const)("asks an index: %s %o", async (type, query) => {
    const filters = searchFilters(readDefinitions().searchParameters(type), query);
    const position = { lastUpdated: new Date(), id: "a" };
    const plan = (await fhir.mongo
      .model(type)
      .find(filterOf({ filters, position, limit: 20 }))
      .sort(lastWrittenFirst)
      .limit(21)
      .explain()) as unknown as Plan;
    const stages = JSON.stringify(plan.queryPlanner.winningPlan);
    expect(stages).toContain('"IXSCAN"');
    expect(stages).not.toContain('"COLLSCAN"');
    expect(collectionOf(type)).toBe(type.toLowerCase());
  });
});
