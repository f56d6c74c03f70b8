/**
 * `make cluster`: a Kubernetes cluster on this machine with Portico in it, and the journey walked through it. With kind
 * where it is installed, else with the program that CLUSTER_COMMAND names (`up`, `env`, `load IMAGE…`).
 */
import { join } from "node:path";
import { buildImages } from "./build-images.ts";
import { deploy, NAMESPACE, RELEASE } from "./deploy.ts";
import { read, run, works } from "./run.ts";

interface Cluster {
  up(): Promise<void>;
  load(images: readonly string[]): Promise<void>;
}

const KIND = "portico";

const kind: Cluster = {
  async up() {
    const names = (await read("kind", ["get", "clusters"])).split("\n");
    const config = join(import.meta.dirname, "kind.yaml");
    if (!names.includes(KIND)) {
      await run("kind", ["create", "cluster", "--name", KIND, "--config", config]);
    }
    await run("kubectl", ["config", "use-context", `kind-${KIND}`]);
  },
  load: (images) => run("kind", ["load", "docker-image", "--name", KIND, ...images]),
};

const commanded = (command: string): Cluster => ({
  async up() {
    await run(command, ["up"]);
    takeVariables(await read(command, ["env"]));
  },
  load: (images) => run(command, ["load", ...images]),
});

/** `export A=1 PATH=/somewhere:$PATH`: docker, kubectl and helm find the cluster by it. */
function takeVariables(exports: string): void {
  for (const [, name = "", value = ""] of exports.matchAll(/(\w+)=(\S+)/g)) {
    process.env[name] = value.replaceAll("$PATH", process.env.PATH ?? "");
  }
}

async function findCluster(): Promise<Cluster> {
  if (await works("kind", ["version"])) return kind;
  const command = process.env.CLUSTER_COMMAND;
  if (command) return commanded(command);
  throw new Error("install kind (https://kind.sigs.k8s.io), or name a program in CLUSTER_COMMAND.");
}

async function main(): Promise<void> {
  const cluster = await findCluster();
  await cluster.up();
  await cluster.load(await buildImages());
  const startedAt = performance.now();
  await deploy([]);
  console.log(`Installed in ${Math.round((performance.now() - startedAt) / 1000)} s.`);
  await run("helm", ["test", RELEASE, "--namespace", NAMESPACE, "--logs"]);
  console.log(
    `From nothing to the end of the journey: ${Math.round((performance.now() - startedAt) / 1000)} s.`,
  );
}

main().catch((error) => {
  console.error(`The cluster is not as it should be: ${error.message}`);
  process.exitCode = 1;
});
