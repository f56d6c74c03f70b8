import request from "supertest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { baseUrl, type Fhir, startFhir } from "../testing/fhir-service.ts";

let fhir: Fhir;

beforeAll(async () => {
  fhir = await startFhir();
});

afterAll(() => fhir.stop());

type Statement = {
  rest: {
    resource: {
      type: string;
      interaction: { code: string }[];
      searchParam: { name: string }[];
    }[];
  }[];
};

const resourcesOf = ({ rest }: Statement) => rest.flatMap(({ resource }) => resource);

describe("GET /fhir/metadata", () => {
  it("answers anybody what this server can do (200)", async () => {
    const answered = await request(fhir.app).get("/fhir/metadata");
    expect(answered.status).toBe(200);
    expect(answered.headers["content-type"]).toBe("application/fhir+json; charset=utf-8");
    expect(answered.body).toMatchObject({
      resourceType: "CapabilityStatement",
      fhirVersion: "4.0.1",
      implementation: { url: baseUrl },
    });
    expect(resourcesOf(answered.body).map(({ type }) => type)).toEqual(["Patient", "Observation"]);
  });

  it("promises no search parameter that is refused, and hides none", async () => {
    const { body } = await request(fhir.app).get("/fhir/metadata");
    const document = await request(fhir.app).get("/patients/openapi.json");
    for (const { type, searchParam } of resourcesOf(body)) {
      const documented: { name: string }[] = document.body.paths[`/fhir/${type}`].get.parameters;
      const common = ["_count", "_format", "after"];
      expect(searchParam.map(({ name }) => name).sort()).toEqual(
        documented
          .map(({ name }) => name)
          .filter((name) => !common.includes(name))
          .sort(),
      );
      for (const { name } of searchParam) {
        expect((await fhir.read(`${type}?${name}=2026`)).status).toBe(200);
      }
    }
  });

  it("promises the interactions that there are", async () => {
    const { body } = await request(fhir.app).get("/fhir/metadata");
    const document = await request(fhir.app).get("/patients/openapi.json");
    for (const { type, interaction } of resourcesOf(body)) {
      expect(interaction.map(({ code }) => code)).toEqual(["create", "read", "search-type"]);
      expect(Object.keys(document.body.paths[`/fhir/${type}`]).sort()).toEqual(["get", "post"]);
      expect(Object.keys(document.body.paths[`/fhir/${type}/{id}`])).toEqual(["get"]);
    }
  });

  it("refuses a token that is not valid, though it needs none (401)", async () => {
    const token = `Bearer ${await fhir.issuer.forgedToken()}`;
    const refused = await request(fhir.app).get("/fhir/metadata").set("Authorization", token);
    expect(refused.status).toBe(401);
    expect(refused.body.resourceType).toBe("OperationOutcome");
  });
});
