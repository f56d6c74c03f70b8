/**
 * `make chart`: the chart's own lint, and what is known about good manifests, by the tools that are installed. What they
 * find and we decided otherwise is named in the templates (`portico.scoreIgnored`).
 *
 * SCHEMAS: where kubeconform finds schemas, `dir/{{.ResourceKind}}{{.KindSuffix}}.json`; else it fetches them.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { read, run, works } from "./run.ts";

const chart = join(import.meta.dirname, "..", "helm", "portico");

/** What one template or another makes differently. */
const HTTPS =
  'gateway.listeners=[{"name":"https","protocol":"HTTPS","port":443,"tls":{"certificateRefs":[{"name":"tls"}]}}]';
const VARIANTS = [
  [],
  ["--values", join(import.meta.dirname, "values-eks.yaml")],
  ["--set", "gateway.fleetNamespace=edge"],
  [
    "--set-json",
    HTTPS,
    "--set",
    "mongodb.persistence.enabled=true,gateway.aliasDomain=cluster.local",
  ],
];

async function main(): Promise<void> {
  if (!(await works("helm", ["version"]))) throw new Error("install helm (https://helm.sh).");
  await run("helm", ["lint", "--strict", chart]);
  const folder = await mkdtemp(join(tmpdir(), "portico-chart-"));
  try {
    for (const values of VARIANTS) {
      const manifests = join(folder, "manifests.yaml");
      const rendered = await read("helm", ["template", "portico", chart, ...values]);
      await writeFile(manifests, rendered);
      await checkManifests(manifests);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function checkManifests(manifests: string): Promise<void> {
  if (await works("kubeconform", ["-v"])) {
    const schemas = process.env.SCHEMAS ? ["-schema-location", process.env.SCHEMAS] : [];
    // An operator's own kind: its definitions are not everywhere.
    const skipped = ["-skip", "ExternalSecret"];
    await run("kubeconform", ["-strict", "-summary", ...skipped, ...schemas, manifests]);
  } else console.log("kubeconform is not installed: types are not checked.");

  if (await works("kube-score", ["version"])) {
    // A limit of CPU throttles a program while nobody else wants the processor.
    const flags = [
      "--ignore-container-cpu-limit",
      "--exit-one-on-warning",
      "--output-format",
      "ci",
    ];
    const found = await read("kube-score", ["score", ...flags, manifests]);
    console.log(`kube-score: nothing in ${found.split("\n").length} checks.`);
  } else console.log("kube-score is not installed: nothing is scored.");
}

main().catch((error) => {
  console.error(`The chart is not as it should be: ${error.message}`);
  process.exitCode = 1;
});
