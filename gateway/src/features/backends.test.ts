import { expect, test } from "vitest";
import { GATEWAY, given, policy, route, service, TOKENS } from "./given.ts";

const base = [
  GATEWAY,
  TOKENS,
  policy("open", "targetRefs: [{ kind: HTTPRoute, name: r }]\nrequirement: None"),
];
const to = (...refs: string[]) => route("r", `rules: [{ backendRefs: [${refs.join(", ")}] }]`);

test("backends > a Service becomes one cluster with its keep-alive shorter than a service's", () => {
  const { config } = given(...base, service("posts", 8102), to("{ name: posts, port: 80 }"));
  expect(config.clusters.get("portico_posts_80")).toEqual({
    "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
    name: "portico_posts_80",
    type: "STATIC",
    load_assignment: {
      cluster_name: "portico_posts_80",
      endpoints: [
        {
          lb_endpoints: [
            {
              endpoint: {
                address: { socket_address: { address: "127.0.0.1", port_value: 8102 } },
              },
            },
          ],
        },
      ],
    },
    connect_timeout: "1s",
    lb_policy: "LEAST_REQUEST",
    per_connection_buffer_limit_bytes: 32768,
    circuit_breakers: { thresholds: [{ max_retries: 100 }] },
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        common_http_protocol_options: { idle_timeout: "60s" },
        explicit_http_config: { http_protocol_options: {} },
        retry_policy: expect.objectContaining({ num_retries: 3 }),
      },
    },
  });
});

test("backends > endpoints come from the ready addresses of all slices, by the name of the port", () => {
  const { config } = given(
    ...base,
    to("{ name: posts, port: 80 }"),
    `
apiVersion: v1
kind: Service
metadata: { name: posts }
spec: { ports: [{ name: ops, port: 81 }, { name: http, port: 80 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: posts-1, labels: { kubernetes.io/service-name: posts } }
addressType: IPv4
ports: [{ name: ops, port: 8202 }, { name: http, port: 8102 }]
endpoints:
  - { addresses: [10.0.0.2], conditions: { ready: true } }
  - { addresses: [10.0.0.1] }
  - { addresses: [10.0.0.3], conditions: { ready: false } }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: posts-2, labels: { kubernetes.io/service-name: posts } }
addressType: IPv6
ports: [{ name: http, port: 8102 }]
endpoints: [{ addresses: ["2001:db8::1"] }, { addresses: ["2001:db8::1"] }]
`,
  );
  const endpoint = (address: string) => ({
    endpoint: { address: { socket_address: { address, port_value: 8102 } } },
  });
  expect(config.clusters.get("portico_posts_80")?.load_assignment).toEqual({
    cluster_name: "portico_posts_80",
    endpoints: [
      { lb_endpoints: [endpoint("10.0.0.1"), endpoint("10.0.0.2"), endpoint("2001:db8::1")] },
    ],
  });
});

test("backends > without a ready endpoint, those that end and serve still are asked", () => {
  const slice = (...endpoints: string[]) => `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: posts, labels: { kubernetes.io/service-name: posts } }
addressType: IPv4
ports: [{ name: http, port: 8102 }]
endpoints: [${endpoints.join(", ")}]
`;
  const ending = "{ addresses: [10.0.0.1], conditions: { ready: false, serving: true } }";
  const gone = "{ addresses: [10.0.0.2], conditions: { ready: false, serving: false } }";
  const ready = "{ addresses: [10.0.0.3], conditions: { ready: true, serving: true } }";
  const [theService = ""] = service("posts").split("---");
  const addresses = (...endpoints: string[]) => {
    const objects = [...base, theService, slice(...endpoints), to("{ name: posts, port: 80 }")];
    const cluster = JSON.stringify(given(...objects).config.clusters.get("portico_posts_80"));
    return [...cluster.matchAll(/"address":"([^"]+)"/g)].map(([, address]) => address);
  };
  expect(addresses(ending, gone)).toEqual(["10.0.0.1"]);
  expect(addresses(ending, gone, ready)).toEqual(["10.0.0.3"]);
  expect(addresses(gone)).toEqual([]);
});

test("backends > weights share the requests, and a broken reference's share is answered with 500", () => {
  const { routes, refusals } = given(
    ...base,
    service("posts"),
    to(
      "{ name: posts, port: 80, weight: 9 }",
      "{ name: gone, port: 80 }",
      "{ name: auth, port: 80, weight: 0 }",
    ),
  );
  expect(routes()[0]?.route).toMatchObject({
    cluster_not_found_response_code: "INTERNAL_SERVER_ERROR",
    weighted_clusters: {
      clusters: [
        { name: "portico_posts_80", weight: 9 },
        { name: "unresolved", weight: 1 },
      ],
    },
  });
  expect(refusals).toEqual([
    "HTTPRoute portico/r: BackendNotFound: there is no Service portico/gone",
  ]);
});

test.each([
  ["{ name: gone, port: 80 }", "BackendNotFound: there is no Service portico/gone"],
  [
    "{ name: auth, port: 81 }",
    "BackendNotFound: Service portico/auth has no port 81; its ports: 80",
  ],
  ["{ name: auth }", "BackendNotFound: Service portico/auth has no port (none named)"],
  ["{ kind: Bucket, group: s3.example, name: b }", "InvalidKind: Bucket is not a backend"],
])("backends > a rule that leads only to %s is answered with 500", (ref, refusal) => {
  const { routes, refusals } = given(...base, to(ref));
  expect(routes()[0]).toMatchObject({ direct_response: { status: 500 } });
  expect(refusals).toEqual([expect.stringContaining(refusal)]);
});

test("backends > a rule without backends, or with none that counts, is answered with 500", () => {
  for (const refs of [[], ["{ name: auth, port: 80, weight: 0 }"]]) {
    expect(given(...base, to(...refs)).routes()[0]).toMatchObject({
      direct_response: { status: 500 },
    });
  }
});

const FAR_SERVICE = service("far")
  .replaceAll("name: far,", "name: far, namespace: elsewhere,")
  .replace("{ name: far }", "{ name: far, namespace: elsewhere }");
const grant = (from: string, to: string) => `
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: { name: grant, namespace: elsewhere }
spec: { from: [${from}], to: [${to}] }
`;
const FROM = "{ group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: portico }";
const FAR = "{ name: far, namespace: elsewhere, port: 80 }";

test("backends > a Service of another namespace is reached with its ReferenceGrant", () => {
  for (const granted of [
    '{ group: "", kind: Service }',
    '{ group: "", kind: Service, name: far }',
  ]) {
    const { routes, refusals } = given(...base, FAR_SERVICE, grant(FROM, granted), to(FAR));
    expect(refusals).toEqual([]);
    expect(routes()[0]?.route).toMatchObject({ cluster: "elsewhere_far_80" });
  }
});

test.each([
  ["there is none", ""],
  ["it is for another Service", grant(FROM, '{ group: "", kind: Service, name: near }')],
  ["it is for another kind", grant(FROM, '{ group: "", kind: Secret }')],
  [
    "it is from another namespace",
    grant(FROM.replace("portico }", "x }"), '{ group: "", kind: Service }'),
  ],
  [
    "it is from another kind",
    grant(FROM.replace("HTTPRoute", "GRPCRoute"), '{ group: "", kind: Service }'),
  ],
])("backends > a Service of another namespace is out of reach when %s", (_why, yaml) => {
  const { config, refusals } = given(...base, FAR_SERVICE, yaml, to(FAR));
  expect(refusals).toEqual([expect.stringContaining("RefNotPermitted")]);
  expect([...config.clusters.keys()]).toEqual(["portico_auth_80"]);
});
