/** Every row that `make bench` can print, in the order it prints them. */
import type { Comparison } from "../comparison.ts";
import { gateway } from "../gateway/layers.ts";
import { limits } from "../gateway/limits.ts";
import { routeChange } from "../gateway/route-change.ts";
import { betterAuth } from "./better-auth.ts";
import { clientCredentials } from "./client-credentials.ts";
import { edge } from "./edge.ts";
import { envoyGateway } from "./envoy-gateway.ts";
import { keycloak } from "./keycloak.ts";
import { refresh } from "./refresh.ts";
import { scale } from "./scale.ts";
import { signIn } from "./sign-in.ts";
import { sourceStack } from "./source-stack.ts";

export const comparisons: readonly Comparison[] = [
  gateway,
  routeChange,
  envoyGateway,
  limits,
  edge,
  betterAuth,
  sourceStack,
  keycloak,
  clientCredentials,
  refresh,
  signIn,
  scale,
];
