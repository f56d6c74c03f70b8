/** `make deploy`: installs Portico in the cluster that kubectl points at, or upgrades it. VALUES=file, …: values of yours. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { run, works } from "./run.ts";

export const NAMESPACE = "portico";
export const RELEASE = "portico";
const chart = join(import.meta.dirname, "..", "helm", "portico");
const GATEWAY_API =
  "https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.6.3/standard-install.yaml";

export async function deploy(valuesFiles: readonly string[]): Promise<void> {
  await installDefinitions();
  await makeNamespace();
  await run("helm", [
    ...["upgrade", RELEASE, chart, "--install", "--namespace", NAMESPACE, "--wait"],
    // The definitions were just brought up to date, which Helm does not do in an upgrade.
    ...["--timeout", "5m", "--skip-crds"],
    ...valuesFiles.flatMap((file) => ["--values", file]),
  ]);
}

/** The Gateway API's are left alone where they are: other gateways may depend on their version. */
async function installDefinitions(): Promise<void> {
  if (!(await works("kubectl", ["get", "crd", "httproutes.gateway.networking.k8s.io"]))) {
    const command = process.env.CONFORMANCE_COMMAND;
    if (command) await run(command, ["crds"]);
    else await run("kubectl", ["apply", "--server-side", "--filename", GATEWAY_API]);
  }
  const own = join(chart, "crds");
  const files = await readdir(own).catch(() => []);
  if (files.length > 0) {
    await run("kubectl", ["apply", "--server-side", "--force-conflicts", "--filename", own]);
    await run("kubectl", ["wait", "--for=condition=Established", "--filename", own]);
  }
}

/** Nothing of the chart asks for more than the restricted Pod Security Standard: so nothing else may, either. */
function makeNamespace(): Promise<void> {
  const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE, labels } };
  return run("kubectl", ["apply", "--filename", "-"], JSON.stringify(namespace));
}

if (import.meta.main) {
  await deploy(process.env.VALUES?.split(",") ?? []).catch((error) => {
    console.error(`Portico could not be deployed: ${error.message}`);
    process.exitCode = 1;
  });
}
