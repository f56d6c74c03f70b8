import type { Listener, Model } from "../model/model.ts";
import { createMemory, isSame } from "../model/remember.ts";
import { clusterOf } from "./clusters.ts";
import type { EnvoyConfig, EnvoyResource, Surroundings } from "./envoy-config.ts";
import { listenerOf } from "./listeners.ts";
import { routeConfigurationOf } from "./routes.ts";
import { secretOf } from "./tls.ts";

/**
 * The model in Envoy's words. Pure, and sorted because the model is: equal input, equal bytes. What is
 * made of a part of the model that is the same as before is the same JavaScript object.
 */
export function translate(model: Model, surroundings: Surroundings): EnvoyConfig {
  return createTranslator(surroundings)(model);
}

export function createTranslator(surroundings: Surroundings): (model: Model) => EnvoyConfig {
  const keepListener = createListenerKeeper(surroundings);
  const clusters = createMemory<EnvoyResource>();
  const secrets = createMemory<EnvoyResource>();
  return (model) => ({
    listeners: named(model.listeners, keepListener),
    routes: new Map(model.listeners.flatMap(routesOn)),
    clusters: named(model.backends, (backend) =>
      clusters(backend, [], () => clusterOf(backend, surroundings)),
    ),
    secrets: named(model.secrets, (secret) => secrets(secret, [], () => secretOf(secret))),
  });
}

/** Routes come and go without their listener being another one. */
function createListenerKeeper(surroundings: Surroundings) {
  const kept = new Map<string, { from: readonly unknown[]; resource: EnvoyResource }>();
  return (listener: Listener): EnvoyResource => {
    const { name, socketPort, tokenIssuer, unmatched, servers } = listener;
    const ofServers = servers.flatMap((server) => [server.name, server.tls]);
    const from = [socketPort, tokenIssuer, unmatched, ...ofServers];
    const known = kept.get(name);
    if (known && isSame(known.from, from)) {
      return known.resource;
    }
    const resource = listenerOf(listener, surroundings);
    kept.set(name, { from, resource });
    return resource;
  };
}

function routesOn({ servers, unmatched }: Listener): [string, EnvoyResource][] {
  return servers.map((server) => [server.name, routeConfigurationOf(server, unmatched)]);
}

function named<Part extends { readonly name: string }>(
  parts: readonly Part[],
  resourceOf: (part: Part) => EnvoyResource,
): ReadonlyMap<string, EnvoyResource> {
  return new Map(parts.map((part) => [part.name, resourceOf(part)]));
}
