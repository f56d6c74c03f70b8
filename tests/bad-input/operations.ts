/** The operations of every service, as their OpenAPI documents list them. */
import { call } from "../http.ts";

export type JsonSchema = {
  type?: string | string[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: unknown;
  format?: string;
  $ref?: string;
};

export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  schema: JsonSchema;
}

export interface Operation {
  service: string;
  method: string;
  /** With `{names}`. */
  path: string;
  parameters: Parameter[];
  /** Media type -> schema of the body; undefined without a body. */
  body: { mediaType: string; schema: JsonSchema } | undefined;
  requiresToken: boolean;
  /** That the token must carry. */
  scopes: string[];
  /** Answers a page for people, which is lenient about what mail programs add to a link. */
  isPage: boolean;
}

export const services = ["auth", "posts", "payments", "cards", "patients"] as const;

export async function operationsOf(gateway: string, service: string): Promise<Operation[]> {
  const { status, body: document } = await call(`${gateway}/${service}/openapi.json`);
  if (status !== 200) throw new Error(`/${service}/openapi.json answered ${status}`);
  const resolve = (schema: JsonSchema): JsonSchema =>
    schema.$ref ? document.components.schemas[schema.$ref.split("/").at(-1) ?? ""] : schema;

  return Object.entries(document.paths).flatMap(([path, methods]) =>
    // biome-ignore lint/suspicious/noExplicitAny: a document as it came over the wire
    Object.entries(methods as Record<string, any>).map(([method, operation]) => {
      const [mediaType, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
      return {
        service,
        method,
        path,
        parameters: operation.parameters,
        body: mediaType
          ? { mediaType, schema: resolve((content as { schema: JsonSchema }).schema) }
          : undefined,
        requiresToken: operation.security.length > 0,
        scopes: operation.security.flatMap((one: Record<string, string[]>) =>
          Object.values(one).flat(),
        ),
        isPage: "text/html" in (operation.responses["200"]?.content ?? {}),
      };
    }),
  );
}
