import { expect, test } from "vitest";
import { readConfig } from "./config.ts";

const environment = {
  GATEWAY_SOURCE: "folders",
  GATEWAY_FOLDERS: "/one:/two",
  ENVOY_DIR: "/envoy",
  ENVOY_ADMIN_PORT: "8107",
  OPS_PORT: "8206",
};

const inCluster = {
  ...environment,
  GATEWAY_SOURCE: "kubernetes",
  KUBERNETES_SERVICE_HOST: "10.96.0.1",
  KUBERNETES_SERVICE_PORT: "443",
  POD_NAMESPACE: "edge",
  GATEWAY_FLEET_SELECTOR: "app=gateway,app.kubernetes.io/instance=portico",
};

test("config > reads the environment, with defaults for what is not a secret", () => {
  expect(readConfig(environment)).toEqual({
    source: { kind: "folders", folders: ["/one", "/two"] },
    namespace: "portico",
    envoyDir: "/envoy",
    envoyAdminPort: 8107,
    host: "127.0.0.1",
    limits: { maxConnections: 50_000, maxHeapMiB: 384, headersMs: 10_000, requestMs: 60_000 },
    opsPort: 8206,
    trustedHops: 0,
    logLevel: "info",
  });
});

test("config > on a cluster, says where its API server is and which pods are the fleet", () => {
  const { source, host } = readConfig(inCluster);
  expect(source).toEqual({
    kind: "kubernetes",
    connection: { kubeconfig: undefined, apiServer: { host: "10.96.0.1", port: 443 } },
    fleet: {
      namespace: "edge",
      selector: { app: "gateway", "app.kubernetes.io/instance": "portico" },
      serviceType: "ClusterIP",
    },
  });
  expect(host).toBe("0.0.0.0");
});

test("config > takes a Redis for limits that replicas share, and nothing that is none", () => {
  const url = "rediss://gateway:secret@redis.example:6380";
  expect(readConfig({ ...environment, GATEWAY_REDIS_URL: url }).redisUrl).toBe(url);
  expect(readConfig(environment)).not.toHaveProperty("redisUrl");
  expect(() => readConfig({ ...environment, GATEWAY_REDIS_URL: "http://redis:6379" })).toThrow(
    /not a redis/,
  );
});

test("config > names every mistake at once", () => {
  const wrong = { ...environment, GATEWAY_FOLDERS: "", OPS_PORT: "http", TRUSTED_HOPS: "-1" };
  expect(() => readConfig({ ...wrong, ENVOY_DIR: undefined })).toThrow(
    /ENVOY_DIR.*OPS_PORT.*TRUSTED_HOPS.*GATEWAY_FOLDERS/s,
  );
  const selector = { ...inCluster, GATEWAY_FLEET_SELECTOR: "gateway", POD_NAMESPACE: "" };
  expect(() => readConfig(selector)).toThrow(/POD_NAMESPACE.*GATEWAY_FLEET_SELECTOR/s);
});
