/**
 * Schemathesis (property-based, from PyPI) reads each OpenAPI document through the gateway and tries
 * what the document allows and forbids. It must find no 5xx and no answer that is not documented.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pythonPackages } from "@portico/dev-env";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { call } from "../http.ts";

const { ready } = inject("platform");

const checks = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
  "negative_data_rejection",
  "unsupported_method",
  "ignored_auth",
].join(",");

const configFile = join(import.meta.dirname, "schemathesis.toml");

/** For each operation and phase; a night's run takes thousands. */
const examples = process.env.SCHEMATHESIS_EXAMPLES ?? "5";

let packages: string;

beforeAll(async () => {
  packages = await pythonPackages(["schemathesis==4.32.5"]);
}, 300_000);

const tokenOf = async (kind: string): Promise<string> => {
  const user = ready.users.find((candidate) => candidate.kind === kind);
  const { body } = await call(`${ready.gateway}/auth/sign-in`, {
    json: { email: user?.email, password: user?.password },
  });
  return body.accessToken;
};

async function schemathesis(service: string, token: string) {
  const child = spawn(
    "python3",
    [
      ...["-m", "schemathesis.cli", "--config-file", configFile],
      ...["run", `${ready.gateway}/${service}/openapi.json`],
      ...["--phases", "examples,coverage,fuzzing,stateful", "--checks", checks],
      ...["--max-examples", examples, "--seed", "1", "--workers", "1", "--no-color"],
      ...["--header", `Authorization: Bearer ${token}`, "--request-timeout", "10"],
    ],
    // Away from the checkout: it keeps a database of examples where it runs.
    { env: { ...process.env, PYTHONPATH: packages }, cwd: tmpdir() },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const [code] = await once(child, "close");
  return { code, output };
}

describe("Schemathesis, through the gateway", () => {
  it.each([
    ["auth", "verified"],
    ["posts", "verified"],
    ["payments", "verified"],
    ["cards", "verified"],
    ["patients", "clinician"],
  ])(
    "finds no 5xx and no undocumented answer in %s",
    async (service, kind) => {
      const { code, output } = await schemathesis(service, await tokenOf(kind));
      expect(output).toContain("Test cases");
      expect(code, output).toBe(0);
    },
    120_000,
  );
});
