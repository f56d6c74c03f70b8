/** Envoy Gateway as it is released, as a Go module, compiled once into the cache. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { cachedFolder, Failure, type Progress } from "@portico/dev-env";

const run = promisify(execFile);

export const version = "1.9.1";
const module = `github.com/envoyproxy/gateway@v${version}`;

export interface Program {
  readonly path: string;
  /** CustomResourceDefinitions of its own. */
  readonly crds: string;
}

export async function envoyGatewayProgram(progress: Progress): Promise<Program> {
  const { Dir } = JSON.parse(await go("mod", "download", "-json", module)) as { Dir: string };
  const folder = await cachedFolder(
    {
      name: `envoy-gateway-${version}`,
      what: `Envoy Gateway ${version}, and compile it: some minutes`,
      fill: async (unfinished) => {
        const output = join(unfinished, "envoy-gateway");
        await go("build", "-C", Dir, "-buildvcs=false", "-o", output, "./cmd/envoy-gateway");
      },
    },
    progress,
  );
  return {
    path: join(folder, "envoy-gateway"),
    crds: join(Dir, "charts/gateway-helm/charts/crds/crds/generated"),
  };
}

async function go(...args: string[]): Promise<string> {
  try {
    return (await run("go", args, { maxBuffer: 64 * 2 ** 20 })).stdout;
  } catch (error) {
    const { code, stderr = "" } = error as { code?: string | number; stderr?: string };
    const why = code === "ENOENT" ? "go is missing." : stderr.trim().split("\n").at(-1);
    throw new Failure(`Envoy Gateway cannot be had: ${why}`);
  }
}
