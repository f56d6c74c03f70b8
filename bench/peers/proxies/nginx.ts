/** nginx as a proxy and nothing else: connections kept on both sides, no log, all its files below its own folder. */
import { mkdir, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { findFreePorts } from "@portico/dev-env";
import { startChild } from "../../child.ts";
import type { Bench } from "../../comparison.ts";
import { proxyThreads } from "../../gateway/bare-envoy.ts";
import { debianProgram } from "./debian-program.ts";
import type { PeerProxy } from "./peer-proxy.ts";

export async function startNginx(bench: Bench, upstreamPort: number): Promise<PeerProxy> {
  const { path, env, version } = await debianProgram("nginx", bench.progress);
  const folder = join(bench.folder, "nginx");
  const [port = 0] = await findFreePorts(1);
  const file = join(folder, "nginx.conf");
  await mkdir(folder);
  await writeFile(file, configuration(folder, port, upstreamPort));
  const args = ["-p", folder, "-e", "stderr", "-c", file];
  const child = startChild(path, args, { folder: bench.folder, name: "nginx", env });
  return {
    ...child,
    name: `nginx ${version}, only proxying`,
    url: `http://127.0.0.1:${port}/`,
  };
}

/** Never closed for having had so many requests, as nginx does after a thousand; Envoy and HAProxy do not. */
const forEver = "keepalive_requests 1000000000;";

const bodies = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

const configuration = (folder: string, port: number, upstreamPort: number): string => `
${userDirective()}
daemon off;
pid ${join(folder, "nginx.pid")};
error_log stderr error;
worker_processes ${proxyThreads};
events { worker_connections 1024; }
http {
  access_log off;
  ${bodies.map((body) => `${body}_temp_path ${join(folder, body)};`).join("\n  ")}
  ${forEver}
  upstream constant {
    server 127.0.0.1:${upstreamPort};
    keepalive 256;
    ${forEver}
  }
  server {
    listen 127.0.0.1:${port} reuseport;
    location / {
      proxy_pass http://constant;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`;

/** Started by root, its workers would become somebody who may not look into this folder. */
const userDirective = (): string =>
  process.getuid?.() === 0 ? `user ${userInfo().username};` : "";
