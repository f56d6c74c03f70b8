/**
 * Endpoints -> one OpenAPI 3.1 document. zod itself writes the JSON Schemas (draft 2020-12, which is
 * what 3.1 uses); schemas that carry a `meta({ id })` become named components.
 */
import { STATUS_CODES } from "node:http";
import type { z } from "zod";
import type { Endpoint } from "./endpoint.ts";
import { type Components, createComponents } from "./openapi-components.ts";
import {
  forbidden,
  headersTooLarge,
  internal,
  invalidRequest,
  type ProblemFormat,
  type ProblemType,
  payloadTooLarge,
  problemJson,
  unauthenticated,
  unavailable,
  unsupportedMediaType,
  upstreamTimeout,
  upstreamUnavailable,
} from "./problem.ts";

type JsonObject = { [key: string]: unknown };

export type DocumentedApi = {
  name: string;
  title: string;
  description: string;
  endpoints: readonly Endpoint[];
  problemFormat?: ProblemFormat;
};

export function openApiDocument(api: DocumentedApi): JsonObject {
  const components = createComponents();
  const format = api.problemFormat ?? problemJson;
  const paths: Record<string, JsonObject> = {};
  for (const endpoint of api.endpoints) {
    const path = endpoint.path.replace(/:(\w+)/g, "{$1}");
    paths[path] = {
      ...paths[path],
      [endpoint.method]: operation(endpoint, api, format, components),
    };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: api.title,
      description: api.description,
      version: "1.0.0",
      license: { name: "MIT" },
    },
    servers: [{ url: "/", description: "The gateway that served this document" }],
    tags: [{ name: api.name, description: api.description }],
    paths,
    components: {
      securitySchemes: {
        accessToken: {
          type: "openIdConnect",
          openIdConnectUrl: "/auth/.well-known/openid-configuration",
        },
      },
      schemas: components.schemas(),
    },
  };
}

function operation(
  endpoint: Endpoint,
  api: DocumentedApi,
  format: ProblemFormat,
  components: Components,
): JsonObject {
  const { guard } = endpoint;
  const needs = [
    guard.scopes.length > 0 && `Scope: \`${guard.scopes.join(" ")}\`.`,
    guard.roles.length > 0 && `Role: ${guard.roles.join(" or ")}.`,
  ].filter(Boolean);
  return {
    operationId: operationId(endpoint),
    tags: [api.name],
    summary: endpoint.summary,
    description: [endpoint.description, ...needs].filter(Boolean).join("\n\n") || undefined,
    security: guard.requiresToken ? [{ accessToken: guard.scopes }] : [],
    parameters: [
      ...parameters(endpoint.params, "path", components),
      ...parameters(endpoint.query, "query", components),
      ...Object.entries(endpoint.headers).map(([name, description]) => ({
        name,
        in: "header",
        required: false,
        description,
        schema: { type: "string" },
      })),
    ],
    ...(endpoint.body && { requestBody: requestBody(endpoint, endpoint.body, components) }),
    responses: { ...replies(endpoint, components), ...refusals(endpoint, format, components) },
  };
}

/** `POST /posts/:postId/publish` -> `postPostsByPostIdPublish`: stable as long as the path is. */
const operationId = ({ method, path }: Endpoint): string =>
  path
    .split("/")
    .filter(Boolean)
    .map((part) => part.replace(/^:(\w)/, (_, first: string) => `By${first.toUpperCase()}`))
    .map((part) => part.replace(/[^\w]+(\w)?/g, (_, next?: string) => next?.toUpperCase() ?? ""))
    .reduce((name, part) => name + part.charAt(0).toUpperCase() + part.slice(1), method as string);

function parameters(
  schema: z.ZodObject | undefined,
  where: string,
  components: Components,
): unknown[] {
  return Object.entries(schema?.shape ?? {}).map(([name, field]) => {
    const type = field as z.ZodType;
    const { description, ...rest } = components.use(type, "input") as JsonObject;
    return {
      name,
      in: where,
      required: where === "path" || !type.safeParse(undefined).success,
      description,
      schema: rest,
    };
  });
}

const requestBody = (endpoint: Endpoint, body: z.ZodType, components: Components): JsonObject => {
  const schema = components.use(body, "input");
  return {
    required: true,
    content: Object.fromEntries(endpoint.consumes.map((type) => [type, { schema }])),
  };
};

function replies({ reply }: Endpoint, components: Components): JsonObject {
  const schema = reply.body && components.use(reply.body, "output");
  const one = (description: string) => ({
    description,
    ...(reply.headers && {
      headers: Object.fromEntries(
        Object.entries(reply.headers).map(([name, text]) => [
          name,
          { description: text, schema: { type: "string" } },
        ]),
      ),
    }),
    ...(schema ? { content: { [reply.mediaType]: { schema } } } : {}),
  });
  return {
    [reply.status]: one(STATUS_CODES[reply.status] ?? "Success"),
    ...Object.fromEntries(
      Object.entries(reply.otherwise ?? {}).map(([status, when]) => [status, one(when)]),
    ),
  };
}

/** What the gateway may answer before a service is asked, or in its place. */
const gatewayProblems: readonly ProblemType[] = [
  invalidRequest,
  unauthenticated,
  headersTooLarge,
  upstreamUnavailable,
  unavailable,
  upstreamTimeout,
];

/** What the endpoint declares, and what the kit and the gateway answer on its behalf. */
function refusals(endpoint: Endpoint, format: ProblemFormat, components: Components): JsonObject {
  const { guard } = endpoint;
  const own: ProblemType[] = [
    invalidRequest,
    // A public endpoint refuses a bad token too.
    unauthenticated,
    ...(guard.requiresToken ? [forbidden] : []),
    ...(endpoint.body ? [payloadTooLarge, unsupportedMediaType] : []),
    ...endpoint.problems,
    internal,
    unavailable,
  ];
  const gateways = [...gatewayProblems, ...(endpoint.body ? [payloadTooLarge] : [])];
  const formats = (types: readonly ProblemType[], used: ProblemFormat) =>
    types.map((type) => ({ type, used }));
  const all = [...formats(own, format), ...formats(gateways, problemJson)];
  const byStatus = Map.groupBy(all, ({ type }) => type.status);
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => [
      status,
      {
        description: [...new Set(same.map(({ type }) => `\`${type.code}\`: ${type.summary}`))].join(
          "\n\n",
        ),
        content: Object.fromEntries(
          same.map(({ used }) => [
            used.mediaType,
            { schema: components.use(used.schema, "output") },
          ]),
        ),
      },
    ]),
  );
}
