import { expect, test } from "vitest";
import { authorities, createAuthority, tlsSecret } from "./certificate.ts";
import { GATEWAY_CLASS, given, route, service } from "./given.ts";

const authority = createAuthority();
const pair = authority.issue("a.example");
const other = authority.issue("b.example");

const gateway = (listeners: string, more = "") => `
${GATEWAY_CLASS}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: portico }
spec: { gatewayClassName: portico, listeners: [${listeners}]${more} }
`;
const https = (name: string, secret: string, more = "") =>
  `{ name: ${name}, port: 8443, protocol: HTTPS, tls: { certificateRefs: [{ name: ${secret} }] }${more} }`;

interface ChainView {
  readonly filter_chain_match?: { readonly server_names?: readonly string[] };
  readonly transport_socket?: {
    readonly typed_config: { readonly common_tls_context: Readonly<Record<string, unknown>> };
  };
}
const chains = (outcome: ReturnType<typeof given>) =>
  outcome.listener().filter_chains as unknown as readonly ChainView[];
const conditionsOf = ({ verdicts }: ReturnType<typeof given>, name: string) =>
  verdicts
    .find(({ listener }) => listener === name)
    ?.conditions.slice(0, 3)
    .map(({ type, status, reason }) => `${type} ${status} ${reason}`);

test("tls > a listener has its certificate by file, TLS 1.2 or better, and HTTP/2", () => {
  const outcome = given(gateway(https("https", "a")), tlsSecret("a", pair));
  expect(outcome.refusals).toEqual([]);
  expect(outcome.listener()).toMatchObject({
    listener_filters: [{ name: "envoy.filters.listener.tls_inspector" }],
  });
  expect(chains(outcome)).toMatchObject([
    {
      name: "portico_portico_8443_https",
      filter_chain_match: { transport_protocol: "tls" },
      transport_socket: {
        typed_config: {
          "@type":
            "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
          common_tls_context: {
            tls_params: { tls_minimum_protocol_version: "TLSv1_2" },
            alpn_protocols: ["h2", "http/1.1"],
            tls_certificate_sds_secret_configs: [
              {
                name: "tls_portico_a",
                sds_config: { path_config_source: { path: "/envoy/secrets/tls_portico_a.json" } },
              },
            ],
          },
        },
      },
    },
  ]);
  expect(outcome.config.secrets.get("tls_portico_a")).toEqual({
    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
    name: "tls_portico_a",
    tls_certificate: {
      certificate_chain: { inline_string: pair.certificate },
      private_key: { inline_string: pair.key },
    },
  });
});

test("tls > a new certificate changes its own file and nothing else", () => {
  const config = (renewed: typeof pair) =>
    given(gateway(https("https", "a")), tlsSecret("a", renewed)).config;
  const { secrets: before, ...rest } = config(pair);
  const { secrets: after, ...same } = config(authority.issue("a.example"));
  expect(same).toEqual(rest);
  expect(after).not.toEqual(before);
});

const BOTH = gateway(
  `${https("any", "a")}, ${https("b", "b", ", hostname: b.example")}, { name: http, port: 8080, protocol: HTTP }`,
);
const onListener = (name: string) =>
  route(name, "rules: [{ backendRefs: [{ name: posts, port: 80 }] }]").replace(
    "name: portico }",
    `name: portico, sectionName: ${name} }`,
  );

test("tls > each TLS name has its own certificate and routes; another's host is misdirected", () => {
  const { config } = given(
    BOTH,
    tlsSecret("a", pair),
    tlsSecret("b", other),
    service("posts"),
    ...["any", "b", "http"].map(onListener),
  );
  const filterChains = config.listeners.get("portico_portico_8443")?.filter_chains;
  expect((filterChains as unknown as ChainView[]).map((one) => one.filter_chain_match)).toEqual([
    { transport_protocol: "tls" },
    { transport_protocol: "tls", server_names: ["b.example"] },
  ]);
  const hosts = (name: string) => {
    const resource = config.routes.get(name) as unknown as {
      virtual_hosts: { name: string; routes: { name: string }[] }[];
    };
    return Object.fromEntries(
      resource.virtual_hosts.map((host) => [host.name, host.routes.map((one) => one.name)]),
    );
  };
  const serving = (name: string) => [`portico/${name}/0`];
  expect(hosts("portico_portico_8443_any")).toEqual({
    "*": serving("any"),
    "b.example": ["misdirected"],
  });
  expect(hosts("portico_portico_8443_b")).toEqual({
    "*": ["misdirected"],
    "b.example": serving("b"),
  });
  expect(hosts("portico_portico_8080")).toEqual({ "*": serving("http") });
});

const malformed = { certificate: "Hello world\n", key: "Hello world\n" };

test.each([
  ["is not there", [], "Secret portico/a is not there"],
  ["is no PEM", [tlsSecret("a", malformed)], "has no PEM certificate as tls.crt"],
  [
    "has no key",
    [tlsSecret("a", { ...pair, key: "\n" })],
    "has no PEM private key without a passphrase",
  ],
  [
    "has another's key",
    [tlsSecret("a", { ...pair, key: other.key })],
    "has a key that does not belong to its certificate",
  ],
])(
  "tls > a listener whose certificate %s is not served, and says so without showing it",
  (_why, secrets, message) => {
    const outcome = given(
      gateway(`${https("https", "a")}, { name: http, port: 8080, protocol: HTTP }`),
      ...secrets,
      service("posts"),
      onListener("https"),
    );
    expect([...outcome.config.listeners.keys()]).toEqual(["portico_portico_8080"]);
    expect(outcome.config.secrets.size).toBe(0);
    expect(outcome.refusals).toEqual([expect.stringContaining(message)]);
    expect(conditionsOf(outcome, "https")).toEqual([
      "Accepted True Accepted",
      "Programmed False Invalid",
      "ResolvedRefs False InvalidCertificateRef",
    ]);
    expect(outcome.verdicts.find(({ listener }) => listener === "https")).toMatchObject({
      attachedRoutes: 1,
    });
    expect(JSON.stringify(outcome.verdicts)).not.toContain("PRIVATE KEY");
  },
);

test("tls > a Secret of another namespace is used with its ReferenceGrant only", () => {
  const yaml = [
    gateway(https("https", "a").replace("name: a }", "name: a, namespace: elsewhere }")),
    tlsSecret("a", pair, "elsewhere"),
  ];
  const grant = `
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: { name: grant, namespace: elsewhere }
spec:
  from: [{ group: gateway.networking.k8s.io, kind: Gateway, namespace: portico }]
  to: [{ group: "", kind: Secret, name: a }]
`;
  expect(given(...yaml).refusals[0]).toContain("RefNotPermitted");
  expect(given(...yaml, grant).refusals).toEqual([]);
});

const CLIENTS =
  ', tls: { frontend: { default: { validation: { caCertificateRefs: [{ group: "", kind: ConfigMap, name: ca }] } }, perPort: [{ port: 8444, tls: {} }, { port: 8445, tls: { validation: { mode: AllowInsecureFallback, caCertificateRefs: [{ group: "", kind: ConfigMap, name: ca }] } } }] } }';

test("tls > clients prove themselves, as the Gateway says for all ports and for some", () => {
  const ports = [8443, 8444, 8445].map((port) =>
    https(`on-${port}`, "a").replace("8443, protocol", `${port}, protocol`),
  );
  const outcome = given(
    gateway(ports.join(", "), CLIENTS),
    tlsSecret("a", pair),
    authorities("ca", authority),
  );
  const asked = [...outcome.config.listeners.values()].map(
    ({ filter_chains }) =>
      (filter_chains as unknown as [{ transport_socket: { typed_config: object } }])[0]
        .transport_socket.typed_config,
  );
  expect(asked).toMatchObject([
    {
      require_client_certificate: true,
      common_tls_context: {
        combined_validation_context: {
          default_validation_context: {},
          validation_context_sds_secret_config: { name: "ca_configmap_portico_ca" },
        },
      },
    },
    {},
    {
      require_client_certificate: false,
      common_tls_context: {
        combined_validation_context: {
          default_validation_context: { trust_chain_verification: "ACCEPT_UNTRUSTED" },
        },
      },
    },
  ]);
  expect(asked[1]).not.toHaveProperty("common_tls_context.combined_validation_context");
  expect(outcome.config.secrets.get("ca_configmap_portico_ca")).toMatchObject({
    validation_context: { trusted_ca: { inline_string: authority.certificate } },
  });
});

test("tls > a listener that cannot verify its clients lets none in", () => {
  const outcome = given(gateway(https("https", "a"), CLIENTS), tlsSecret("a", pair));
  expect(outcome.config.listeners.size).toBe(0);
  expect(conditionsOf(outcome, "https")).toEqual([
    "Accepted False NoValidCACertificate",
    "Programmed False Invalid",
    "ResolvedRefs False InvalidCACertificateRef",
  ]);
});

const policy = (name: string, more = "") => `
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: { name: ${name} }
spec:
  targetRefs: [{ group: "", kind: Service, name: posts }]
  validation: { hostname: posts.example, caCertificateRefs: [{ group: "", kind: ConfigMap, name: ca }]${more} }
`;
const TO_POSTS = [
  gateway("{ name: http, port: 8080, protocol: HTTP }"),
  service("posts"),
  onListener("http"),
];
const contextOf = ({ config }: ReturnType<typeof given>) =>
  config.clusters.get("portico_posts_80")?.transport_socket;

test("tls > a BackendTLSPolicy has its Service verified by name and authority", () => {
  const outcome = given(...TO_POSTS, policy("p"), authorities("ca", authority));
  expect(outcome.refusals).toEqual([]);
  expect(contextOf(outcome)).toMatchObject({
    typed_config: {
      sni: "posts.example",
      common_tls_context: {
        alpn_protocols: ["http/1.1"],
        combined_validation_context: {
          default_validation_context: {
            match_typed_subject_alt_names: [
              { san_type: "DNS", matcher: { exact: "posts.example" } },
            ],
          },
          validation_context_sds_secret_config: { name: "ca_configmap_portico_ca" },
        },
      },
    },
  });
  expect(outcome.verdicts.find(({ object }) => object.kind === "BackendTLSPolicy")).toMatchObject({
    parent: { kind: "Gateway", namespace: "portico", name: "portico" },
    conditions: [
      { type: "Accepted", status: "True" },
      { type: "ResolvedRefs", status: "True" },
    ],
  });
});

test("tls > subjectAltNames are verified instead of the hostname", () => {
  const names =
    ", subjectAltNames: [{ type: Hostname, hostname: other.example }, { type: URI, uri: spiffe://a/b }]";
  const outcome = given(...TO_POSTS, policy("p", names), authorities("ca", authority));
  expect(contextOf(outcome)).toMatchObject({
    typed_config: {
      sni: "posts.example",
      common_tls_context: {
        combined_validation_context: {
          default_validation_context: {
            match_typed_subject_alt_names: [
              { san_type: "DNS", matcher: { exact: "other.example" } },
              { san_type: "URI", matcher: { exact: "spiffe://a/b" } },
            ],
          },
        },
      },
    },
  });
});

test("tls > a Service whose policy cannot be used gets no request at all", () => {
  const outcome = given(...TO_POSTS, policy("p"));
  expect(outcome.routes()[0]).toMatchObject({ direct_response: { status: 500 } });
  expect(outcome.config.clusters.size).toBe(0);
  expect(outcome.refusals).toEqual([
    expect.stringContaining("InvalidBackendTLSPolicy"),
    expect.stringContaining("NoValidCACertificate"),
  ]);
});

test("tls > nor does one whose policy cannot even be read, unless another one can", () => {
  const misspelt = policy("a").replace("hostname:", "host:");
  const outcome = given(...TO_POSTS, misspelt, authorities("ca", authority));
  expect(outcome.routes()[0]).toMatchObject({ direct_response: { status: 500 } });
  expect(
    contextOf(given(...TO_POSTS, misspelt, policy("b"), authorities("ca", authority))),
  ).toEqual(contextOf(given(...TO_POSTS, policy("b"), authorities("ca", authority))));
});

test("tls > of two policies for one Service the older counts, and the other is told so", () => {
  const named = (name: string, hostname: string) => policy(name).replace("posts.example", hostname);
  const outcome = given(
    ...TO_POSTS,
    named("b", "b.example"),
    named("a", "a.example"),
    authorities("ca", authority),
  );
  expect(contextOf(outcome)).toMatchObject({ typed_config: { sni: "a.example" } });
  expect(outcome.refusals).toEqual([
    "BackendTLSPolicy portico/b: Conflicted: an older BackendTLSPolicy has Service portico/posts already",
  ]);
});

test("tls > the system's authorities are those that Node brings", () => {
  const system = policy("p").replace(/caCertificateRefs: .*\]/, "wellKnownCACertificates: System");
  const { config, refusals } = given(...TO_POSTS, system);
  expect(refusals).toEqual([]);
  expect(JSON.stringify(config.secrets.get("ca_system"))).toContain("BEGIN CERTIFICATE");
});

test("tls > a Gateway shows backends its own certificate, on connections of its own", () => {
  const client = gateway(
    "{ name: http, port: 8080, protocol: HTTP }",
    ", tls: { backend: { clientCertificateRef: { name: a } } }",
  );
  const rest = [...TO_POSTS.slice(1), policy("p"), authorities("ca", authority)];
  const { config, refusals } = given(client, ...rest, tlsSecret("a", pair));
  expect(refusals).toEqual([]);
  expect(config.clusters.get("portico_posts_80_tls_portico_a")?.transport_socket).toMatchObject({
    typed_config: {
      common_tls_context: { tls_certificate_sds_secret_configs: [{ name: "tls_portico_a" }] },
    },
  });
  expect(given(client, ...rest).refusals).toEqual([
    expect.stringContaining("InvalidClientCertificateRef"),
  ]);
});
