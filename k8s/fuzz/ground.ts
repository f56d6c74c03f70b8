import { createAuthority } from "../../gateway/src/features/certificate.ts";
import { type ApiClient, ApiError } from "../../gateway/src/kubernetes/api-client.ts";

/** Where it happens: a namespace for the odd objects, and one beside it whose route must stay as it is. */
export const ODD = "portico-fuzz";
export const GOOD = "portico-fuzz-good";
export const GOOD_HOST = "good.portico.example";
export const CANARY_HOST = "canary.portico.example";
const MAPPING_CRD = "mappings.getambassador.io";

export interface Ground {
  /** Of the Gateway with the good route. */
  readonly address: string;
  /** The canary's answers say this, from some moment on. */
  changeCanary(version: string): Promise<void>;
  leave(): Promise<void>;
}

const GATEWAY_API = "gateway.networking.k8s.io/v1";
const parentRefs = [{ name: "good" }];
const backendRefs = [{ name: "good", port: 80 }];

/** Takes routes of all namespaces, and is the one that Mappings go to: so odd ones get as far as its virtual hosts. */
const gateway = {
  ...{ apiVersion: GATEWAY_API, kind: "Gateway" },
  metadata: {
    ...{ name: "good", namespace: GOOD },
    annotations: { "gateway.portico.dev/default": "true" },
  },
  spec: {
    gatewayClassName: "portico",
    listeners: [
      { name: "http", protocol: "HTTP", port: 80, allowedRoutes: { namespaces: { from: "All" } } },
    ],
  },
};

const route = (name: string, hostname: string, filters: readonly object[] = []) => ({
  ...{ apiVersion: GATEWAY_API, kind: "HTTPRoute", metadata: { name, namespace: GOOD } },
  spec: {
    ...{ parentRefs, hostnames: [hostname] },
    rules: [{ matches: [{ path: { type: "Exact", value: "/good" } }], filters, backendRefs }],
  },
});

const canary = (version: string) =>
  route("canary", CANARY_HOST, [
    {
      type: "ResponseHeaderModifier",
      responseHeaderModifier: { set: [{ name: "x-version", value: version }] },
    },
  ]);

const security = {
  ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
  ...{ runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
  capabilities: { drop: ["ALL"] },
};

const backend = (image: string) => [
  {
    ...{ apiVersion: "v1", kind: "Pod" },
    metadata: { name: "good", namespace: GOOD, labels: { app: "good" } },
    spec: {
      ...{ automountServiceAccountToken: false, enableServiceLinks: false },
      containers: [
        {
          ...{ name: "good", image, imagePullPolicy: "IfNotPresent", securityContext: security },
          command: ["node", "-e", "http.createServer((_, out) => out.end('good')).listen(8080)"],
          resources: { requests: { cpu: "20m", memory: "48Mi" }, limits: { memory: "128Mi" } },
        },
      ],
    },
  },
  {
    ...{ apiVersion: "v1", kind: "Service", metadata: { name: "good", namespace: GOOD } },
    spec: { selector: { app: "good" }, ports: [{ port: 80, targetPort: 8080 }] },
  },
];

/** What odd objects may name and find: a Gateway, a Service, a certificate. */
function named() {
  const base64 = (pem: string) => Buffer.from(pem).toString("base64");
  const { certificate, key } = createAuthority().issue("fuzz.example");
  const data = { "tls.crt": base64(certificate), "tls.key": base64(key) };
  const metadata = (name: string) => ({ name, namespace: ODD });
  return [
    { ...gateway, metadata: metadata("gateway") },
    {
      ...{ apiVersion: "v1", kind: "Service", metadata: metadata("echo") },
      spec: { ports: [{ port: 80 }] },
    },
    ...[{ apiVersion: "v1", kind: "Secret", type: "kubernetes.io/tls" }].map((one) => ({
      ...one,
      ...{ metadata: metadata("tls"), data },
    })),
  ];
}

/** Emissary's own takes more than a page; of what it would refuse, much reaches the controller by this one. */
const mappingDefinition = {
  ...{ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" },
  metadata: { name: MAPPING_CRD },
  spec: {
    ...{ group: "getambassador.io", scope: "Namespaced" },
    names: { kind: "Mapping", plural: "mappings", singular: "mapping" },
    versions: [
      {
        ...{ name: "v3alpha1", served: true, storage: true, subresources: { status: {} } },
        schema: {
          openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        },
      },
    ],
  },
};

const PATHS: Readonly<Record<string, string>> = {
  Gateway: `/apis/${GATEWAY_API}/namespaces/NS/gateways`,
  HTTPRoute: `/apis/${GATEWAY_API}/namespaces/NS/httproutes`,
  CustomResourceDefinition: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
  Namespace: "/api/v1/namespaces",
  Pod: "/api/v1/namespaces/NS/pods",
  Service: "/api/v1/namespaces/NS/services",
  Secret: "/api/v1/namespaces/NS/secrets",
};

interface Made {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

const collection = ({ kind, metadata }: Made) =>
  (PATHS[kind] ?? "").replace("NS", metadata.namespace ?? "");

export const isMissing = (error: unknown) => error instanceof ApiError && error.status === 404;

export async function prepareGround(client: ApiClient, image: string): Promise<Ground> {
  const make = (object: Made) => client.call("POST", collection(object), object);
  const makesMappings = await client
    .call("GET", `${PATHS.CustomResourceDefinition}/${MAPPING_CRD}`)
    .then(
      () => false,
      (error) => {
        if (isMissing(error)) return true;
        throw error;
      },
    );
  if (makesMappings) await make(mappingDefinition);
  for (const name of [GOOD, ODD]) {
    await make({ ...{ apiVersion: "v1", kind: "Namespace" }, metadata: { name } } as Made);
  }
  for (const object of [
    ...[gateway, route("good", GOOD_HOST), canary("0")],
    ...[...backend(image), ...named()],
  ]) {
    await make(object);
  }
  return {
    address: await addressOf(client),
    async changeCanary(version) {
      const { spec } = canary(version);
      await client.call("PATCH", `${collection(canary(version))}/canary`, { spec });
    },
    async leave() {
      for (const name of [ODD, GOOD]) await client.call("DELETE", `/api/v1/namespaces/${name}`);
      if (makesMappings) {
        await client.call("DELETE", `${PATHS.CustomResourceDefinition}/${MAPPING_CRD}`);
      }
    },
  };
}

async function addressOf(client: ApiClient): Promise<string> {
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline) {
    const live = (await client.call("GET", `${collection(gateway)}/good`)) as {
      status?: { addresses?: { value: string }[] };
    };
    const address = live.status?.addresses?.[0]?.value;
    if (address) return address;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(
    "the good Gateway got no address: is a Portico installed, whose class is portico?",
  );
}
