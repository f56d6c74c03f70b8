import { expect, test } from "vitest";
import { readConfig } from "./config.ts";

const environment = {
  GATEWAY_SOURCE: "folders",
  GATEWAY_FOLDERS: "/one:/two",
  ENVOY_DIR: "/envoy",
  ENVOY_ADMIN_PORT: "8107",
  OPS_PORT: "8206",
};

test("config > reads the environment, with defaults for what is not a secret", () => {
  expect(readConfig(environment)).toEqual({
    folders: ["/one", "/two"],
    namespace: "portico",
    envoyDir: "/envoy",
    envoyAdminPort: 8107,
    host: "127.0.0.1",
    opsPort: 8206,
    logLevel: "info",
  });
});

test("config > names every mistake at once", () => {
  const wrong = { ...environment, GATEWAY_FOLDERS: "", OPS_PORT: "http", ENVOY_DIR: undefined };
  expect(() => readConfig(wrong)).toThrow(/GATEWAY_FOLDERS.*ENVOY_DIR.*OPS_PORT/s);
});
