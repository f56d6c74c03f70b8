import type { z } from "zod";
import { JWTPolicy } from "../snapshot/jwt-policy.ts";
import { RateLimitPolicy } from "../snapshot/rate-limit-policy.ts";
import { TrafficPolicy } from "../snapshot/traffic-policy.ts";
import { status } from "./status-schema.ts";
import { structural } from "./structural-schema.ts";

/**
 * Our CustomResourceDefinitions, made from the schemas that the controller itself checks objects with,
 * so that the API server and the controller never disagree on what an object looks like. What a
 * schema cannot say is a rule in CEL, beside the check of the same name in `snapshot/`.
 */
export interface Crd {
  readonly kind: string;
  readonly plural: string;
  readonly shortName: string;
  readonly description: string;
  readonly spec: z.ZodType;
  readonly rules: readonly CelRule[];
}

interface CelRule {
  readonly rule: string;
  readonly message: string;
}

const onGateway = "self.targetRefs.exists(t, t.kind == 'Gateway')";
const onRoute = "self.targetRefs.exists(t, t.kind == 'HTTPRoute')";
const onService = "self.targetRefs.exists(t, t.kind == 'Service')";
const wholeGateways: CelRule = {
  rule: "self.targetRefs.all(t, t.kind != 'Gateway' || !has(t.sectionName))",
  message: "targetRefs name a listener of a Gateway; only a whole Gateway can be targeted",
};

function onlyOn(where: string, fields: readonly string[], message: string): CelRule[] {
  return fields.map((field) => ({
    rule: `!has(self.${field}) || !${where}`,
    message: `${field} belongs ${message}`,
  }));
}

export const CRDS: readonly Crd[] = [
  {
    kind: "JWTPolicy",
    plural: "jwtpolicies",
    shortName: "jwtp",
    description: "Whose access tokens a Gateway accepts, and which a route asks for.",
    spec: JWTPolicy.shape.spec,
    rules: [
      wholeGateways,
      {
        rule: `!(${onGateway} && ${onRoute})`,
        message: "targetRefs target a Gateway and an HTTPRoute; write one policy for each",
      },
      ...["issuer", "audiences", "jwks"].map((field) => ({
        rule: `!${onGateway} || has(self.${field})`,
        message: `${field} is needed on a Gateway`,
      })),
      ...onlyOn(
        onRoute,
        ["issuer", "audiences", "jwks", "extractFrom", "claimsToHeaders", "providers"],
        "on the Gateway's policy",
      ),
      ...onlyOn(onGateway, ["requirement", "scopes", "claims"], "on an HTTPRoute's policy"),
      {
        rule: `!${onRoute} || has(self.requirement)`,
        message: "requirement is needed on an HTTPRoute: Required or None",
      },
      ...["scopes", "claims"].map((field) => ({
        rule: `!has(self.${field}) || !has(self.requirement) || self.requirement != 'None'`,
        message: `${field} need a token, and requirement is None`,
      })),
      {
        rule: "self.mode != 'Report' || !has(self.requirement) || self.requirement != 'None'",
        message: "mode Report has nothing to count where requirement is None",
      },
      {
        rule: "!has(self.providers) || self.providers.all(p, (!has(self.issuer) || p.issuer != self.issuer) && self.providers.exists_one(q, q.issuer == p.issuer))",
        message: "providers have the same issuer twice",
      },
    ],
  },
  {
    kind: "RateLimitPolicy",
    plural: "ratelimitpolicies",
    shortName: "rlp",
    description: "How many requests of one caller a Gateway, a route or one of its rules takes.",
    spec: RateLimitPolicy.shape.spec,
    rules: [
      wholeGateways,
      {
        rule: "self.limits.all(l, (l.by.type in ['Claim', 'Header']) == has(l.by.name))",
        message: "name is needed for a Claim or a Header, and for nothing else",
      },
    ],
  },
  {
    kind: "TrafficPolicy",
    plural: "trafficpolicies",
    shortName: "tp",
    description: "Timeouts, sizes and compression of a route; circuit breaking of a Service.",
    spec: TrafficPolicy.shape.spec,
    rules: [
      {
        rule: "self.targetRefs.all(t, t.kind == 'HTTPRoute' || !has(t.sectionName))",
        message: "sectionName names a rule of an HTTPRoute, and nothing of a Gateway or Service",
      },
      {
        rule: "self.targetRefs.all(t, (t.kind == 'Service') == (t.group == ''))",
        message: 'group is "" for a Service and gateway.networking.k8s.io for the others',
      },
      {
        rule: `!(${onService} && (${onGateway} || ${onRoute}))`,
        message: "targetRefs target a Service and a route or Gateway; write one policy for each",
      },
      ...onlyOn(
        onService,
        ["timeouts", "maxRequestBytes", "compression"],
        "on a route's or Gateway's policy",
      ),
      ...onlyOn(
        `(${onGateway} || ${onRoute})`,
        ["circuitBreaker", "retryBudget", "outlierDetection"],
        "on a Service's policy",
      ),
      {
        rule: "self.mode != 'Report' || has(self.outlierDetection)",
        message: "mode Report is for outlierDetection; the rest refuses nothing",
      },
    ],
  },
];

export function manifestOf({ kind, plural, shortName, description, spec, rules }: Crd): object {
  const group = "gateway.portico.dev";
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `${plural}.${group}`,
      labels: { "gateway.networking.k8s.io/policy": "Direct" },
    },
    spec: {
      group,
      scope: "Namespaced",
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: [shortName],
        categories: ["portico", "gateway-api"],
      },
      versions: [
        {
          name: "v1alpha1",
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            { name: "Target", type: "string", jsonPath: ".spec.targetRefs[*].name" },
            { name: "Mode", type: "string", jsonPath: ".spec.mode" },
            {
              name: "Accepted",
              type: "string",
              jsonPath: '.status.ancestors[*].conditions[?(@.type=="Accepted")].status',
            },
            { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
          ],
          schema: {
            openAPIV3Schema: {
              type: "object",
              description,
              required: ["spec"],
              properties: {
                apiVersion: { type: "string" },
                kind: { type: "string" },
                metadata: { type: "object" },
                spec: { ...structural(spec), "x-kubernetes-validations": rules },
                status,
              },
            },
          },
        },
      ],
    },
  };
}
