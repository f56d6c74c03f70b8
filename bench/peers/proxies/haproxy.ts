/** HAProxy as a proxy and nothing else: connections kept on both sides and shared, no log. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findFreePorts } from "@portico/dev-env";
import { startChild } from "../../child.ts";
import type { Bench } from "../../comparison.ts";
import { proxyThreads } from "../../gateway/bare-envoy.ts";
import { debianProgram } from "./debian-program.ts";
import type { PeerProxy } from "./peer-proxy.ts";

export async function startHaproxy(bench: Bench, upstreamPort: number): Promise<PeerProxy> {
  const { path, env, version } = await debianProgram("haproxy", bench.progress);
  const [port = 0] = await findFreePorts(1);
  const file = join(bench.folder, "haproxy.cfg");
  await writeFile(file, configuration(port, upstreamPort));
  const child = startChild(path, ["-db", "-f", file], {
    folder: bench.folder,
    name: "haproxy",
    env,
  });
  return {
    ...child,
    name: `HAProxy ${version}, only proxying`,
    url: `http://127.0.0.1:${port}/`,
  };
}

const configuration = (port: number, upstreamPort: number): string => `
global
  nbthread ${proxyThreads}
  maxconn 1024
defaults
  mode http
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend edge
  bind 127.0.0.1:${port}
  default_backend constant
backend constant
  server constant 127.0.0.1:${upstreamPort}
`;
