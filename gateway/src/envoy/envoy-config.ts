/** Envoy resources in the JSON form of their protobuf messages, with the field names of its documentation. */
import type { EdgeLimits } from "./edge-limits.ts";

export type Json =
  | string
  | number
  | boolean
  | readonly Json[]
  | { readonly [field: string]: Json | undefined };

export interface EnvoyResource {
  readonly "@type": string;
  readonly [field: string]: Json | undefined;
}

/** Everything one version says, each resource under the name that others refer to it by. */
export interface EnvoyConfig {
  readonly listeners: ReadonlyMap<string, EnvoyResource>;
  readonly routes: ReadonlyMap<string, EnvoyResource>;
  readonly clusters: ReadonlyMap<string, EnvoyResource>;
  readonly secrets: ReadonlyMap<string, EnvoyResource>;
}

export type ResourceKind = keyof EnvoyConfig;

/** The kinds that have a file for each resource, so that a change of one touches no other. */
export type FiledKind = "routes" | "secrets";

/** What depends on the place and not on the objects. */
export interface Surroundings {
  /** The address Envoy's listeners bind. */
  readonly host: string;
  /** Proxies of ours in front of Envoy; none when absent. */
  readonly trustedHops?: number;
  /** Of what clients may take; the usual ones when absent. */
  readonly limits?: EdgeLimits;
  /** Where Envoy finds the resources that are not in the listener or cluster that names them. */
  fileOf(kind: FiledKind, name: string): string;
}

/**
 * A file that Envoy watches for being renamed into place. Not `watched_directory`: it would make
 * every rename in a folder reload every file of that folder.
 */
export function fileSource(path: string): Json {
  return { path_config_source: { path }, resource_api_version: "V3" };
}

export function typed(
  type: string,
  fields: { readonly [field: string]: Json | undefined },
): EnvoyResource {
  return { "@type": `type.googleapis.com/${type}`, ...fields };
}

/** Envoy's extensions are a name for people and a type that decides. */
export function extension(
  name: string,
  type: string,
  fields: { readonly [field: string]: Json | undefined } = {},
): Json {
  return { name, typed_config: typed(type, fields) };
}
