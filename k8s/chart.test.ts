import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";
import { serviceOf } from "../gateway/src/infrastructure/gateway-service.ts";
import { serviceNames } from "../packages/dev-env/src/configuration/services.ts";

const chart = join(import.meta.dirname, "..", "helm", "portico");
const read = (file: string) => readFile(join(chart, file), "utf8");
const schema = z.fromJSONSchema(JSON.parse(await read("values.schema.json")));
const values = async () => parse(await read("values.yaml"));
const check = (given: unknown) => schema.safeParse(given).error?.issues ?? [];

describe("values.schema.json", () => {
  it("accepts values.yaml, and what k8s/ says instead for a cloud", async () => {
    expect(check(await values())).toEqual([]);
    const cloud = parse(await readFile(join(import.meta.dirname, "values-eks.yaml"), "utf8"));
    expect(check(merged(await values(), cloud))).toEqual([]);
  });

  it.each([
    ["an unknown value", { replicas: 3 }],
    ["a misspelt value of a service", { services: { auth: { replicas: 3 } } }],
    ["an unknown service", { services: { cart: {} } }],
    ["an origin with a path", { publicOrigin: "https://portico.example/" }],
    ["no replica", { serviceDefaults: { replicaCount: 0 } }],
    ["a replica count that is text", { services: { posts: { replicaCount: "2" } } }],
    ["another type of Service", { gateway: { service: { type: "ExternalName" } } }],
    ["a port out of range", { gateway: { listeners: [{ name: "a", protocol: "HTTP", port: 0 }] } }],
    ["an amount of memory that is none", { redis: { resources: { limits: { memory: "1 GB" } } } }],
    ["a role that nobody has", { services: { auth: { secondFactorRoles: "admin,root" } } }],
  ])("refuses %s", async (_, wrong) => {
    expect(check(merged(await values(), wrong))).not.toEqual([]);
  });
});

function merged(below: unknown, above: unknown): unknown {
  if (!isObject(below) || !isObject(above)) return above;
  const keys = [...new Set([...Object.keys(below), ...Object.keys(above)])];
  return Object.fromEntries(
    keys.map((key) => [key, key in above ? merged(below[key], above[key]) : below[key]]),
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

test("chart > says of every value what it is: none stands without a comment near it", async () => {
  const lines = (await read("values.yaml")).split("\n");
  const topLevel = lines.flatMap((line, index) => (/^[a-z]\w*:/i.test(line) ? [index] : []));
  const uncommented = topLevel.filter(
    (index) => !lines.slice(Math.max(0, index - 4), index).some((line) => line.startsWith("#")),
  );
  expect(uncommented.map((index) => lines[index])).toEqual([]);
});

test("chart > ships the gateway's objects as a laptop has them: no template in them, no namespace", async () => {
  const files = await readdir(join(chart, "gateway"));
  const texts = await Promise.all(files.map((file) => read(join("gateway", file))));
  expect(texts.join()).not.toContain("{{");
  const objects = texts.flatMap((text) => parseAllDocuments(text).map((one) => one.toJS()));
  expect(objects.filter(({ metadata }) => metadata.namespace)).toEqual([]);
  const routes = objects.filter(({ kind }) => kind === "HTTPRoute");
  expect(routes.map(({ metadata }) => metadata.name).sort()).toEqual([...serviceNames].sort());
  const gatewayClass = objects.find(({ kind }) => kind === "GatewayClass");
  const { gatewayClass: given } = (await values()).gateway;
  expect([given.name, given.controllerName]).toEqual([
    gatewayClass.metadata.name,
    gatewayClass.spec.controllerName,
  ]);
});

test("k8s/rendered > holds no secret, and no image that we do not build", async () => {
  const text = await readFile(join(import.meta.dirname, "rendered", "eks.yaml"), "utf8");
  const objects = parseAllDocuments(text).map((one) => one.toJS());
  expect(objects.filter((object) => object?.kind === "Secret")).toEqual([]);
  const used = new Set([...text.matchAll(/image: \S+\/portico\/(\w+):/g)].map(([, name]) => name));
  expect([...used].sort()).toEqual([...serviceNames, "envoy", "gateway"].sort());
});

test("k8s/rendered > every pod is what the restricted Pod Security Standard asks for, and has limits", async () => {
  const text = await readFile(join(import.meta.dirname, "rendered", "eks.yaml"), "utf8");
  const pods = parseAllDocuments(text)
    .map((one) => one.toJS())
    .flatMap((object) => object?.spec?.template?.spec ?? []);
  expect(pods.length).toBeGreaterThan(serviceNames.length);
  for (const pod of pods) {
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(pod.automountServiceAccountToken).toBe(false);
    for (const container of pod.containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      expect(Object.keys(container.resources.limits)).toContain("memory");
    }
  }
});

test("chart > uses every value that it offers", async () => {
  const files = await readdir(join(chart, "templates"), { recursive: true, withFileTypes: true });
  const texts = await Promise.all(
    files
      .filter((file) => file.isFile())
      .map((file) => readFile(join(file.parentPath, file.name), "utf8")),
  );
  const templates = texts.join("\n");
  const keys = (value: unknown): string[] =>
    isObject(value) ? Object.entries(value).flatMap(([key, inner]) => [key, ...keys(inner)]) : [];
  const known = await values();
  // What is in a resources block, or a reference, is handed on whole.
  const offered = new Set(
    keys(known).filter((key) => !/^(requests|limits|cpu|memory|ephemeral-storage|kind)$/.test(key)),
  );
  const unused = [...offered].filter((key) => !new RegExp(`\\b${key}\\b`).test(templates));
  expect(unused).toEqual([]);
});

test("chart > knows the name of the Service that the controller makes for its Gateway", async () => {
  const helper = (await read("templates/_helpers.tpl")).split(
    'define "portico.gateway.service"',
  )[1];
  const hashed = /printf "([^"]+)" \.Release\.Namespace \| sha256sum \| trunc 8/.exec(
    helper ?? "",
  )?.[1];
  const shown = /printf "([^"]+)" \.Release\.Namespace \| replace/.exec(helper ?? "")?.[1];
  const nameIn = (namespace: string) => {
    const hash = createHash("sha256").update(`${hashed}`.replace("%s", namespace)).digest("hex");
    return `${`${shown}`.replace("%s", namespace).slice(0, 54).replace(/-$/, "")}-${hash.slice(0, 8)}`;
  };
  for (const namespace of ["portico", "a".repeat(63)]) {
    const gateway = { namespace, name: "portico", labels: {}, annotations: {}, ports: [] };
    const made = serviceOf(gateway, { namespace, selector: {}, serviceType: "ClusterIP" });
    expect(made.metadata.name).toBe(nameIn(namespace));
  }
});

test("chart > Redis's file of users has nothing in it but users: it starts with no comment", async () => {
  const file = (await read("templates/secrets.yaml")).split("users.acl: |\n")[1]?.split("\n\n")[0];
  const lines = file?.split("\n").filter((line) => !line.trim().startsWith("{{"));
  expect(lines?.length).toBeGreaterThan(3);
  for (const line of lines ?? []) expect(line).toMatch(/^ {4}user /);
});
