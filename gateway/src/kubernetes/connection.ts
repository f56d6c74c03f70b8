import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { connectionOfKubeconfig } from "./kubeconfig.ts";

/** How to reach an API server: its address, whose certificate it has, and who we are. */
export interface Connection {
  readonly server: URL;
  readonly tls: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly servername?: string;
    readonly rejectUnauthorized?: boolean;
  };
  /** Asked anew for every request: the kubelet replaces a pod's token every hour. */
  token(): Promise<string | undefined>;
}

export interface ConnectionSettings {
  /** A file; otherwise this is a pod, and Kubernetes says where it is. */
  readonly kubeconfig?: string;
  readonly apiServer?: { readonly host: string; readonly port: number };
}

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

export async function findConnection(settings: ConnectionSettings): Promise<Connection> {
  if (settings.kubeconfig !== undefined) {
    return connectionOfKubeconfig(settings.kubeconfig);
  }
  if (settings.apiServer === undefined) {
    throw new Error("There is no API server: this is not a pod, and KUBECONFIG names no file");
  }
  return connectionOfPod(settings.apiServer);
}

export async function connectionOfPod(
  { host, port }: { readonly host: string; readonly port: number },
  folder = SERVICE_ACCOUNT,
): Promise<Connection> {
  const server = new URL(`https://${host.includes(":") ? `[${host}]` : host}:${port}`);
  const ca = await readFile(join(folder, "ca.crt"), "utf8");
  return { server, tls: { ca }, token: tokenOfFile(join(folder, "token")) };
}

const TOKEN_AGE_MS = 60_000;

/** Read once a minute, which is often enough: a token is replaced well before it ends. */
export function tokenOfFile(path: string, now: () => number = Date.now): Connection["token"] {
  let known: { readonly token: string; readonly readAt: number } | undefined;
  return async () => {
    if (known === undefined || now() - known.readAt > TOKEN_AGE_MS) {
      known = { token: (await readFile(path, "utf8")).trim(), readAt: now() };
    }
    return known.token;
  };
}
