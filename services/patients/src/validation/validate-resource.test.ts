import fc from "fast-check";
import { expect, it } from "vitest";
import { readDefinitions } from "../definitions/definitions.ts";
import type { Content } from "../resources/resource.ts";
import { searchKeysOf } from "../search/search-keys.ts";
import { observation, patient } from "../testing/fhir-service.ts";
import { findIssues } from "./validate-resource.ts";

const definitions = readDefinitions();

const meta = { versionId: "1", lastUpdated: "2026-03-01T10:00:00.000Z" };

/** Every object and array inside, as places where something can be put. */
const placesIn = (value: unknown): (Record<string, unknown> | unknown[])[] =>
  typeof value === "object" && value !== null
    ? [value as Record<string, unknown>, ...Object.values(value).flatMap(placesIn)]
    : [];

function put(resource: object, where: number, which: number, value: unknown): void {
  const places = placesIn(resource);
  const place = places[where % places.length] as Record<string, unknown>;
  const keys = Object.keys(place).filter((key) => key !== "resourceType");
  const key = keys[which % (keys.length * 2)] ?? `_${keys[which % keys.length]}`;
  if (keys.length > 0 && (!Array.isArray(place) || key in place))
    place[key] = structuredClone(value);
}

const Value = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom({}, [], [null], [[]], { extension: [] }, { id: 1 }, { resourceType: "Patient" }),
  fc.constantFrom(
    "2026-02-30",
    "2026+",
    "23:59:60",
    "Patient/1",
    "#a",
    " ",
    "\u0000",
    "%",
    "1e400",
  ),
);

it("whatever stands in a resource, it is judged, never thrown at; and what is valid can be found", () => {
  const change = fc.tuple(fc.nat(200), fc.nat(40), Value);
  const base = fc.constantFrom<object>(
    patient({ identifier: [{ system: "urn:a", value: "b" }], contact: [{ name: { text: "a" } }] }),
    observation("1", { component: [{ code: { text: "a" }, valueString: "b" }] }),
  );
  fc.assert(
    fc.property(base, fc.array(change, { minLength: 1, maxLength: 3 }), (resource, changes) => {
      const changed = structuredClone(resource) as Content;
      for (const [where, which, value] of changes) put(changed, where, which, value);
      const before = structuredClone(changed);
      const issues = findIssues(changed, definitions);
      expect(changed).toEqual(before);
      if (issues.length > 0) return;
      const parameters = definitions.searchParameters(changed.resourceType);
      searchKeysOf({ ...changed, id: "1", meta }, parameters);
    }),
    { numRuns: 2_000 },
  );
});
