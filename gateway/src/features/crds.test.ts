import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { CRDS, manifestOf } from "../crds/crds.ts";
import { POLICY_CASES } from "../crds/policy-cases.ts";
import { JWTPolicy } from "../snapshot/jwt-policy.ts";
import { RateLimitPolicy } from "../snapshot/rate-limit-policy.ts";
import { TrafficPolicy } from "../snapshot/traffic-policy.ts";

/** The API server and the controller agree on what an object of ours looks like. */

type Schema = { properties?: Record<string, Schema>; items?: Schema; [keyword: string]: unknown };
interface Manifest {
  readonly spec: {
    readonly versions: readonly [
      {
        readonly subresources: object;
        readonly additionalPrinterColumns: readonly { name: string }[];
        readonly schema: { openAPIV3Schema: { properties: { spec: Schema } } };
      },
    ];
    readonly names: { readonly shortNames: readonly string[] };
  };
}

const folder = new URL("../../../helm/portico/crds/", import.meta.url);
const shipped = async (plural: string) =>
  parse(await readFile(new URL(`${plural}.yaml`, folder), "utf8")) as Manifest;

/** With field validation Strict, which is kubectl's default, unknown fields are refused. */
function strict(schema: Schema): Schema {
  const { properties, items, ...rest } = schema;
  return {
    ...rest,
    ...(properties && {
      additionalProperties: false,
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, one]) => [name, strict(one)]),
      ),
    }),
    ...(items && { items: strict(items) }),
  };
}

const takes = async (plural: string, spec: unknown) => {
  const schema = (await shipped(plural)).spec.versions[0].schema.openAPIV3Schema.properties.spec;
  return z.fromJSONSchema(strict(schema) as never).safeParse(spec).success;
};
const metadata = { name: "a", namespace: "b" };

const SCHEMAS = {
  jwtpolicies: JWTPolicy,
  ratelimitpolicies: RateLimitPolicy,
  trafficpolicies: TrafficPolicy,
};

test.each(POLICY_CASES)("%s > %s is decided alike by both: %j", async (plural, verdict, spec) => {
  expect(SCHEMAS[plural].safeParse({ metadata, spec }).success).toBe(verdict === "good");
  expect(await takes(plural, spec)).toBe(verdict !== "bad");
  const rules = JSON.stringify((await shipped(plural)).spec);
  if (verdict !== "good" && verdict !== "bad") {
    expect(rules).toContain(verdict);
  }
});

test.each(CRDS.map((crd) => [crd.plural, crd] as const))(
  "%s > is shipped as it is written here, with a status and columns for people",
  async (plural, crd) => {
    const manifest = await shipped(plural);
    expect(manifest).toEqual(JSON.parse(JSON.stringify(manifestOf(crd))));
    const [version] = manifest.spec.versions;
    expect(version.subresources).toEqual({ status: {} });
    expect(version.additionalPrinterColumns.map(({ name }) => name)).toContain("Accepted");
    expect(manifest.spec.names.shortNames).toHaveLength(1);
  },
);
