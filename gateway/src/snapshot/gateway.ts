import { z } from "zod";
import {
  GATEWAY_GROUP,
  Hostname,
  haveDistinctNames,
  ObjectReference,
  PortNumber,
} from "./gateway-api.ts";
import { Label, Metadata } from "./metadata.ts";

/** GatewayClass, Gateway, and ListenerSet, which brings more listeners to a Gateway. */

export const GatewayClass = z.object({
  metadata: Metadata,
  spec: z.object({ controllerName: z.string().min(1), parametersRef: z.unknown().optional() }),
});

export type GatewayClass = z.infer<typeof GatewayClass>;

/** A Kubernetes label selector; every requirement must hold, and an empty one selects everything. */
const LabelSelector = z.strictObject({
  matchLabels: z.record(z.string(), z.string()).default({}),
  matchExpressions: z
    .array(
      z.strictObject({
        key: z.string(),
        operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]),
        values: z.array(z.string()).default([]),
      }),
    )
    .default([]),
});

export type LabelSelector = z.infer<typeof LabelSelector>;

const namespacesFrom = (byDefault: "Same" | "None") =>
  z
    .strictObject({
      from: z.enum(["All", "Same", "Selector", "None"]).default(byDefault),
      selector: LabelSelector.optional(),
    })
    .prefault({});

export type NamespaceRule = z.infer<ReturnType<typeof namespacesFrom>>;

const RouteKind = z.strictObject({ group: z.string().default(GATEWAY_GROUP), kind: z.string() });

const Listener = z.strictObject({
  name: z.string().min(1).max(253),
  hostname: Hostname.or(z.literal("")).optional(),
  port: PortNumber,
  protocol: z.string().min(1),
  tls: z
    .strictObject({
      mode: z.enum(["Terminate", "Passthrough"]).default("Terminate"),
      certificateRefs: z.array(ObjectReference).max(64).default([]),
      options: z.record(z.string(), z.string()).default({}),
    })
    .optional(),
  allowedRoutes: z
    .strictObject({ namespaces: namespacesFrom("Same"), kinds: z.array(RouteKind).optional() })
    .prefault({}),
});

export type GatewayListener = z.infer<typeof Listener>;

const Listeners = z
  .array(Listener)
  .min(1)
  .max(64)
  .refine(haveDistinctNames, "have the same name twice");

const FrontendTls = z.strictObject({
  validation: z
    .strictObject({
      caCertificateRefs: z
        .array(ObjectReference.extend({ group: z.string(), kind: z.string() }))
        .min(1)
        .max(16),
      mode: z.enum(["AllowValidOnly", "AllowInsecureFallback"]).default("AllowValidOnly"),
    })
    .optional(),
});

export type FrontendTls = z.infer<typeof FrontendTls>;

const GatewayTls = z.strictObject({
  backend: z.strictObject({ clientCertificateRef: ObjectReference.optional() }).optional(),
  frontend: z
    .strictObject({
      default: FrontendTls,
      perPort: z
        .array(z.strictObject({ port: PortNumber, tls: FrontendTls }))
        .max(64)
        .default([]),
    })
    .optional(),
});

const MetadataValues = z.record(z.string(), z.string()).default({});

export const Gateway = z.object({
  metadata: Metadata.extend({ name: Label }),
  spec: z.strictObject({
    gatewayClassName: z.string().min(1),
    listeners: Listeners,
    addresses: z
      .array(
        z.strictObject({ type: z.string().default("IPAddress"), value: z.string().optional() }),
      )
      .max(16)
      .default([]),
    infrastructure: z
      .strictObject({
        labels: MetadataValues,
        annotations: MetadataValues,
        parametersRef: z
          .strictObject({ group: z.string(), kind: z.string(), name: z.string() })
          .optional(),
      })
      .optional(),
    allowedListeners: z.strictObject({ namespaces: namespacesFrom("None") }).prefault({}),
    tls: GatewayTls.optional(),
  }),
});

export type Gateway = z.infer<typeof Gateway>;

export const ListenerSet = z.object({
  metadata: Metadata,
  spec: z.strictObject({
    parentRef: z.strictObject({
      group: z.string().default(GATEWAY_GROUP),
      kind: z.string().default("Gateway"),
      namespace: z.string().optional(),
      name: z.string().min(1),
    }),
    listeners: Listeners,
  }),
});

export type ListenerSet = z.infer<typeof ListenerSet>;
