import type { Listener, Model } from "../model/model.ts";
import { createMemory } from "../model/remember.ts";
import { clusterOf } from "./clusters.ts";
import { endpointsOf } from "./endpoints.ts";
import type { EnvoyConfig, EnvoyResource, Surroundings } from "./envoy-config.ts";
import { listenerOf } from "./listeners.ts";
import { routeConfigurationOf } from "./routes.ts";
import { secretOf } from "./tls.ts";

/**
 * The model in Envoy's words. Pure, and sorted because the model is: equal input, equal bytes. What is
 * made of a part of the model that is the same as before is the same JavaScript object.
 */
export function translate(model: Model, surroundings: Surroundings): EnvoyConfig {
  return {
    listeners: named(model.listeners, (listener) => listenerOf(listener, surroundings)),
    routes: new Map(model.listeners.flatMap(routesOn)),
    clusters: named(model.backends, (backend) =>
      clusters(backend, [surroundings.fileOf], () => clusterOf(backend, surroundings)),
    ),
    endpoints: named(model.backends, (backend) =>
      endpoints(backend, [], () => endpointsOf(backend)),
    ),
    secrets: named(model.secrets, (secret) => secrets(secret, [], () => secretOf(secret))),
  };
}

const clusters = createMemory<EnvoyResource>();
const endpoints = createMemory<EnvoyResource>();
const secrets = createMemory<EnvoyResource>();

function routesOn({ servers, unmatched }: Listener): [string, EnvoyResource][] {
  return servers.map((server) => [server.name, routeConfigurationOf(server, unmatched)]);
}

function named<Part extends { readonly name: string }>(
  parts: readonly Part[],
  resourceOf: (part: Part) => EnvoyResource,
): ReadonlyMap<string, EnvoyResource> {
  return new Map(parts.map((part) => [part.name, resourceOf(part)]));
}
