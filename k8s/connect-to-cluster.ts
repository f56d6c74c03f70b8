import { homedir } from "node:os";
import { join } from "node:path";
import { type ApiClient, createApiClient } from "../gateway/src/kubernetes/api-client.ts";
import { connectionOfKubeconfig } from "../gateway/src/kubernetes/kubeconfig.ts";

/** The API server that kubectl points at. */
export async function connectToCluster(): Promise<ApiClient> {
  const file = process.env.KUBECONFIG ?? join(homedir(), ".kube", "config");
  return createApiClient(await connectionOfKubeconfig(file));
}
