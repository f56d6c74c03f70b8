import type { Model } from "../model/model.ts";
import { clusterOf } from "./clusters.ts";
import { endpointsOf } from "./endpoints.ts";
import type { EnvoyConfig, EnvoyResource, Surroundings } from "./envoy-config.ts";
import { listenerOf } from "./listeners.ts";
import { routeConfigurationOf } from "./routes.ts";
import { secretOf } from "./tls.ts";

/** The model in Envoy's words. Pure, and sorted because the model is: equal input, equal bytes. */
export function translate(model: Model, surroundings: Surroundings): EnvoyConfig {
  const servers = model.listeners.flatMap((listener) => listener.servers);
  return {
    listeners: named(model.listeners, (listener) => listenerOf(listener, surroundings)),
    routes: named(servers, routeConfigurationOf),
    clusters: named(model.backends, (backend) => clusterOf(backend, surroundings)),
    endpoints: named(model.backends, endpointsOf),
    secrets: named(model.secrets, secretOf),
  };
}

function named<Part extends { readonly name: string }>(
  parts: readonly Part[],
  resourceOf: (part: Part) => EnvoyResource,
): ReadonlyMap<string, EnvoyResource> {
  return new Map(parts.map((part) => [part.name, resourceOf(part)]));
}
