import { NAMESPACE } from "../deploy.ts";
import type { Words } from "./arbitrary.ts";
import { GOOD, GOOD_HOST, ODD } from "./ground.ts";

/** What leads somewhere among odd values: what is in both namespaces, earlier objects, and what trips programs up. */
export const words: Words = {
  name: [
    ...["gateway", "gateway", "good", "echo", "echo", "tls", "portico", "http", "missing"],
    ...["x-fuzz", "Host", ":authority", "Connection", "fuzz-1", "fuzz-2", "fuzz-20", "sub"],
  ],
  parentRefs: [
    { name: "gateway" },
    { name: "gateway", sectionName: "http" },
    { name: "good", namespace: GOOD },
    { name: "fuzz-2" },
    { kind: "ListenerSet", group: "gateway.networking.k8s.io", name: "fuzz-3" },
  ],
  parentRef: [{ name: "gateway" }],
  targetRefs: [
    { group: "gateway.networking.k8s.io", kind: "Gateway", name: "gateway" },
    { group: "gateway.networking.k8s.io", kind: "HTTPRoute", name: "fuzz-0" },
    { group: "gateway.networking.k8s.io", kind: "HTTPRoute", name: "missing", sectionName: "a" },
    { group: "", kind: "Service", name: "echo" },
  ],
  backendRefs: [
    { name: "echo", port: 80 },
    { name: "missing", port: 80 },
    { name: "good", namespace: GOOD, port: 80 },
  ],
  jwks: [{ backendRef: { name: "echo", port: 80 }, path: "/auth/jwks" }],
  namespace: [ODD, GOOD, GOOD, NAMESPACE],
  group: ["", "gateway.networking.k8s.io"],
  kind: ["Service", "Gateway", "HTTPRoute", "Secret", "ConfigMap"],
  sectionName: ["http", "https", "missing"],
  port: [80, 80, 443, 8080],
  gatewayClassName: ["portico", "portico", "portico", "other", "fuzz-4"],
  controllerName: ["gateway.portico.dev/controller", "other.example/controller"],
  hostname: ["fuzz.example", "*.fuzz.example", GOOD_HOST, "*.portico.example", "*"],
  hostnames: ["fuzz.example", "*.fuzz.example", GOOD_HOST, "*.portico.example"],
  value: ["/", "/fuzz", "/fuzz/", "/goo", "/a%2fb", "/fuzz//x", "^/x.*$", "([", "a{1,99999}", "x"],
  prefix: ["/", "/fuzz", "/goo", "/a%2fb", "(["],
  service: [
    "echo",
    "echo.portico-fuzz:80",
    "http://echo",
    "https://echo",
    "good.portico-fuzz-good",
  ],
  issuer: ["https://fuzz.example/auth"],
  path: ["/auth/jwks", "/", "jwks"],
  // Good base64 of what is no certificate, and what is no base64.
  "tls.crt": ["b2Rk", "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==", ""],
  "tls.key": ["b2Rk", "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCg==", ""],
  "ca.crt": ["b2Rk"],
  caCertificateRefs: [
    { group: "", kind: "ConfigMap", name: "fuzz-13" },
    { group: "", kind: "ConfigMap", name: "missing" },
  ],
  audiences: ["https://fuzz.example"],
  scopes: ["things:write", "a b", '"'],
  addresses: ["10.1.2.3", "10.0.0.256", "fd00::1", "echo.example"],
  "gateway.portico.dev/route": ["/", "/fuzz", "fuzz.example/a", "no path", ""],
  "gateway.portico.dev/gateway": [`${GOOD}/good`, "gateway", "missing"],
  "gateway.portico.dev/service-type": ["ClusterIP", "NodePort", "Odd"],
};
