/**
 * `make generate`: writes what is derived from code, so that a changed contract shows in the diff:
 * one OpenAPI document per service, and the configuration table in each service's README.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type DocumentedApi, describeConfig, openApiDocument } from "@portico/service-kit";
import * as auth from "../services/auth/src/app.ts";
import { Config as AuthConfig } from "../services/auth/src/config.ts";
import * as cards from "../services/cards/src/app.ts";
import { Config as CardsConfig } from "../services/cards/src/config.ts";
import * as patients from "../services/patients/src/app.ts";
import { Config as PatientsConfig } from "../services/patients/src/config.ts";
import * as payments from "../services/payments/src/app.ts";
import { Config as PaymentsConfig } from "../services/payments/src/config.ts";
import * as posts from "../services/posts/src/app.ts";
import { Config as PostsConfig } from "../services/posts/src/config.ts";

const root = join(import.meta.dirname, "..");

/** Describing an endpoint calls nothing that it depends on. */
const nothing = {} as never;

const services = [
  { api: { ...auth.about, endpoints: auth.endpoints(nothing) }, config: AuthConfig },
  { api: { ...posts.about, endpoints: posts.endpoints(nothing) }, config: PostsConfig },
  { api: { ...payments.about, endpoints: payments.endpoints(nothing) }, config: PaymentsConfig },
  { api: { ...cards.about, endpoints: cards.endpoints(nothing) }, config: CardsConfig },
  { api: { ...patients.about, endpoints: patients.endpoints(nothing) }, config: PatientsConfig },
];

async function writeDocument(api: DocumentedApi): Promise<void> {
  const document = JSON.stringify(openApiDocument(api), null, 2);
  await writeFile(join(root, "openapi", `${api.name}.json`), `${document}\n`);
}

const marked = /(<!-- config -->\n)[\s\S]*?(<!-- \/config -->)/;

async function writeConfigTable(name: string, table: string): Promise<void> {
  const file = join(root, "services", name, "README.md");
  const readme = await readFile(file, "utf8");
  if (!marked.test(readme)) throw new Error(`${file} has no <!-- config --> section`);
  await writeFile(
    file,
    readme.replace(marked, (_, open, close) => `${open}${table}\n${close}`),
  );
}

for (const { api, config } of services) {
  await writeDocument(api);
  await writeConfigTable(api.name, describeConfig(config));
}
