/** `make images`: builds every image that the chart names, and says what each adds to the base image. */
import { join } from "node:path";
import { type Image, images, LIMIT_MB } from "./images.ts";
import { read, run } from "./run.ts";

const root = join(import.meta.dirname, "..");
const BASE = "node:24-bookworm-slim";

export interface Naming {
  registry?: string;
  repository?: string;
  tag?: string;
}

export const nameOf = (
  { name }: Image,
  { registry, repository = "portico", tag = "dev" }: Naming = {},
): string => `${registry ? `${registry}/` : ""}${repository}/${name}:${tag}`;

/** Each after the other: they share what is the same in all of them. */
export async function buildImages(naming: Naming = {}): Promise<string[]> {
  for (const image of images) await build(image, nameOf(image, naming));
  const base = await sizeOf(BASE);
  const tooLarge: string[] = [];
  for (const image of images) {
    const megabytes = ((await sizeOf(nameOf(image, naming))) - base) / 1e6;
    console.log(
      `${nameOf(image, naming).padEnd(28)} ${megabytes.toFixed(1).padStart(6)} MB above ${BASE}`,
    );
    if (image.dockerfile === "Dockerfile" && megabytes > LIMIT_MB) tooLarge.push(image.name);
  }
  if (tooLarge.length > 0) throw new Error(`more than ${LIMIT_MB} MB: ${tooLarge.join(", ")}`);
  return images.map((image) => nameOf(image, naming));
}

async function build({ dockerfile, target, args }: Image, name: string): Promise<void> {
  const given = Object.entries(args).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]);
  await run("docker", [
    // The network of this machine: what reaches package registries here reaches them in there.
    ...["build", "--quiet", "--network", "host", "--file", join(root, dockerfile), "--tag", name],
    ...(target ? ["--target", target] : []),
    ...given,
    root,
  ]);
}

async function sizeOf(image: string): Promise<number> {
  return Number(await read("docker", ["image", "inspect", "--format", "{{.Size}}", image]));
}

if (import.meta.main) {
  const { REGISTRY, REPOSITORY, TAG } = process.env;
  await buildImages({ registry: REGISTRY, repository: REPOSITORY, tag: TAG }).catch((error) => {
    console.error(`Images could not be built: ${error.message}`);
    process.exitCode = 1;
  });
}
