/**
 * Bad input, for every operation of every service, through the gateway: the right 4xx as a problem
 * that names each wrong field, never a 500. The list comes from the OpenAPI documents, so a new
 * endpoint is tried without a new test.
 */
import { describe, expect, inject, it } from "vitest";
import { type Call, call, type Reply } from "../http.ts";
import { type Operation, operationsOf, services } from "./operations.ts";

const { ready } = inject("platform");

const sessions = await Promise.all(
  ready.users.map(async ({ kind, email, password }) => {
    const { body } = await call(`${ready.gateway}/auth/sign-in`, { json: { email, password } });
    return { kind, token: body.accessToken as string, scopes: body.scope.split(" ") as string[] };
  }),
);
const verified = sessions.find(({ kind }) => kind === "verified");

/** Who may call the operation: patients need a clinician, accounts an administrator. */
const holderOf = ({ scopes }: Operation) =>
  [verified, ...sessions].find((holder) => scopes.every((one) => holder?.scopes.includes(one)));

const tokenFor = (operation: Operation) => (holderOf(operation) ?? verified)?.token;

const anyId = "00000000-0000-4000-8000-000000000000";
const urlOf = ({ path }: Operation, id = anyId) =>
  `${ready.gateway}${path.replace(/\{\w+\}/g, encodeURIComponent(id))}`;

const send = (operation: Operation, options: Call & { id?: string; query?: string }) =>
  call(`${urlOf(operation, options.id)}${options.query ?? ""}`, {
    method: operation.method.toUpperCase(),
    token: tokenFor(operation),
    ...options,
  });

/** RFC 9457 or, from the FHIR endpoints, an OperationOutcome; never a word about our insides. */
const expectProblem = (reply: Reply, status: number) => {
  expect(reply.status, JSON.stringify(reply.body)).toBe(status);
  const type = reply.headers.get("content-type");
  if (type?.startsWith("application/fhir+json")) {
    expect(reply.body.resourceType).toBe("OperationOutcome");
  } else {
    expect(type).toMatch(/^application\/problem\+json/);
    expect(reply.body).toMatchObject({
      status,
      code: expect.any(String),
      detail: expect.any(String),
    });
  }
  expect(JSON.stringify(reply.body)).not.toMatch(/node_modules|at \w+ \(|Mongo|Cast to/);
};

/** FHIR R4 names a query parameter `http.` and its name (OperationOutcome.issue.expression). */
const wrongFields = (reply: Reply): string[] =>
  reply.body.errors?.map(({ field }: { field: string }) => field) ??
  reply.body.issue
    ?.flatMap(({ expression }: { expression?: string[] }) => expression ?? [])
    .map((expression: string) => expression.replace(/^http\./, ""));

const json = (operation: Operation, body: unknown): Call => ({
  raw: JSON.stringify(body),
  headers: { "Content-Type": operation.body?.mediaType ?? "application/json" },
});

const all = (
  await Promise.all(services.map((service) => operationsOf(ready.gateway, service)))
).flat();
const named = (operations: Operation[]) =>
  operations.map((o) => [`${o.method.toUpperCase()} ${o.path}`, o] as const);

/** Without those that are for the platform's own services. */
const open = all.filter(holderOf);

const withBody = open.filter(({ body }) => body);
const isStrict = ({ body }: Operation) => body?.schema.additionalProperties === false;

it("finds the operations of all five services", () => {
  expect(new Set(all.map(({ service }) => service))).toEqual(new Set(services));
  expect(withBody.length).toBeGreaterThanOrEqual(5);
});

describe.each(named(withBody))("%s", (_, operation) => {
  it("refuses a body that is not JSON (400)", async () => {
    // Nothing at all is an empty object, which is enough where no field is required.
    const nothing = operation.body?.schema.required?.length ? [""] : [];
    for (const raw of [...nothing, '{"a":', "null", "[]", '"text"', "[".repeat(50_000)]) {
      expectProblem(await send(operation, { ...json(operation, 0), raw }), 400);
    }
  });

  it("refuses a body that is too large (413)", async () => {
    const reply = await send(operation, json(operation, { filler: "x".repeat(3_000_000) }));
    expectProblem(reply, 413);
  });

  it("refuses another content type (415)", async () => {
    const headers = { "Content-Type": "application/xml" };
    expectProblem(await send(operation, { raw: "<a/>", headers }), 415);
  });

  it("names unknown fields, and every field of a wrong type (400)", async () => {
    for (const wrong of [{ $gt: "" }, [[]]]) {
      const fields = Object.keys(operation.body?.schema.properties ?? {});
      const body = Object.fromEntries(fields.map((field) => [field, wrong]));
      const reply = await send(operation, json(operation, { ...body, unknownField: 1 }));
      expectProblem(reply, 400);
      if (!isStrict(operation)) continue;
      // In a list it is an item that is named.
      const refused = wrongFields(reply).map((field) => field.split(".")[0]);
      expect(refused).toEqual(expect.arrayContaining([...fields, "unknownField"]));
    }
  });

  it("cannot be polluted through __proto__ or constructor (400)", async () => {
    for (const raw of ['{"__proto__":{"admin":true}}', '{"constructor":{"prototype":{}}}']) {
      expectProblem(await send(operation, { ...json(operation, 0), raw }), 400);
    }
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });
});

describe.each(named(all.filter(({ requiresToken }) => requiresToken)))("%s", (_, operation) => {
  it("refuses a caller without a token (401)", async () => {
    const reply = await call(urlOf(operation), { method: operation.method.toUpperCase() });
    expectProblem(reply, 401);
    expect(reply.headers.get("www-authenticate")).toMatch(/^Bearer/);
  });
});

const withId = open.filter(({ parameters }) => parameters.some((p) => p.in === "path"));

describe.each(named(withId))("%s", (_, operation) => {
  it.each(["1", "a'b", "$where", "x".repeat(300), "%00", "été"])(
    "refuses the malformed id %s (4xx, never 5xx)",
    async (id) => {
      const reply = await send(operation, { id, ...(operation.body && json(operation, {})) });
      expect([400, 404], `answered ${reply.status}`).toContain(reply.status);
      expectProblem(reply, reply.status);
    },
  );
});

const lists = open.filter((o) => o.method === "get" && !o.path.includes("{") && !o.isPage);

describe.each(named(lists))("%s", (_, operation) => {
  it("names an unknown query parameter (400)", async () => {
    const reply = await send(operation, { query: "?unknownParameter=1&a[$gt]=" });
    expectProblem(reply, 400);
    expect(wrongFields(reply)).toEqual(expect.arrayContaining(["unknownParameter", "a[$gt]"]));
  });
});

/** That none of the operations at this path has. */
const unusedMethod = ({ path }: Operation): string => {
  const used = all.filter((one) => one.path === path).map(({ method }) => method.toUpperCase());
  return ["PATCH", "PUT", "DELETE", "POST"].find((method) => !used.includes(method)) ?? "TRACE";
};

describe.each(services.map((service) => [service]))("%s", (service) => {
  const operations = all.filter((operation) => operation.service === service);

  it("refuses a wrong method and lists the right ones (405)", async () => {
    for (const operation of operations) {
      const reply = await send(operation, { method: unusedMethod(operation) });
      expectProblem(reply, 405);
      expect(reply.headers.get("allow")).toContain(operation.method.toUpperCase());
    }
  });

  it("answers 404 for an unknown path", async () => {
    const path = operations.find(({ requiresToken }) => requiresToken)?.path.split("/")[1];
    const reply = await call(`${ready.gateway}/${path}/no/such/path`, { token: verified?.token });
    expectProblem(reply, 404);
  });
});
