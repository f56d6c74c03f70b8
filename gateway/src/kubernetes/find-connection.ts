import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Connection, tokenOfFile } from "./connection.ts";
import { connectionOfKubeconfig } from "./kubeconfig.ts";

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
