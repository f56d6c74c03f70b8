import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { addressOf } from "../packages/dev-env/src/compose/gateway-objects.ts";
import { serviceNames } from "../packages/dev-env/src/configuration/services.ts";
import { nameOf } from "./build-images.ts";
import { images } from "./images.ts";

type Build = { dockerfile?: string; target?: string; args: Record<string, string> };
type Container = {
  image: string;
  build: Build;
  depends_on?: Record<string, unknown> | string[];
  init?: boolean;
  network_mode?: string;
  networks?: { default: { ipv4_address: string } };
  ports?: string[];
  read_only?: boolean;
  restart?: string;
  volumes?: string[];
};

const text = await readFile(join(import.meta.dirname, "..", "docker-compose.yml"), "utf8");
const compose = parse(text, { merge: true });
const containers: [string, Container][] = Object.entries(compose.services);

test("compose > builds each image as make images does, under the same name", () => {
  for (const [, { image, build }] of containers) {
    const known = images.find((one) => nameOf(one) === image);
    const { dockerfile = "Dockerfile", target, args } = build;
    expect({ dockerfile, target, args }).toEqual({
      dockerfile: known?.dockerfile,
      target: known?.target,
      args: known?.args,
    });
  }
  const used = new Set(containers.map(([, { image }]) => image));
  expect([...used].sort()).toEqual(images.map((one) => nameOf(one)).sort());
});

test("compose > has each service where the gateway looks for it", () => {
  const [{ subnet }] = compose.networks.default.ipam.config;
  for (const name of serviceNames) {
    const address = compose.services[name].networks.default.ipv4_address;
    expect(address).toBe(addressOf(name));
    expect(address.startsWith(subnet.replace(/\.0\/24$/, "."))).toBe(true);
  }
});

test("compose > starts nothing before what it needs, and shares only what is declared", () => {
  for (const [name, { depends_on = [], network_mode, volumes = [] }] of containers) {
    const needed = Array.isArray(depends_on) ? depends_on : Object.keys(depends_on);
    for (const other of needed) expect(compose.services).toHaveProperty(other);
    const neighbour = network_mode?.replace("service:", "");
    if (neighbour) expect(needed).toContain(neighbour);
    for (const volume of volumes) {
      const [from = ""] = volume.split(":");
      if (!from.startsWith(".")) expect(compose.volumes).toHaveProperty(from);
    }
    // Only who writes secrets may write where they are kept.
    const setup = volumes.find((volume) => volume.startsWith("setup:"));
    if (name !== "setup" && setup) expect(setup).toBe("setup:/setup:ro");
  }
});

test("compose > what runs on hears SIGTERM from its first moment: it is not process 1", () => {
  const lasting = containers.filter(([, { restart }]) => restart);
  expect(lasting.map(([name]) => name)).toEqual(expect.arrayContaining([...serviceNames]));
  for (const [name, { init }] of lasting) expect({ name, init }).toEqual({ name, init: true });
});

test("compose > can be reached from this machine only, and holds no secret", () => {
  for (const [, { ports = [] }] of containers) {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  }
  expect(text).not.toMatch(/password\s*[:=]\s*\S|secret\s*[:=]\s*\S/i);
});
