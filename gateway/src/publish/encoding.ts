import { createHash } from "node:crypto";
import type { EnvoyResource, Json } from "../envoy/envoy-config.ts";

/** The bytes Envoy reads. The only file that knows that they are JSON. */

export const EXTENSION = "json";

/** A DiscoveryResponse whose version is its content, so that the same resources are the same bytes. */
export function encodeResources(resources: readonly EnvoyResource[]): string {
  const version = createHash("sha256").update(JSON.stringify(resources)).digest("hex").slice(0, 16);
  return encodeDocument({ version_info: version, resources });
}

export function encodeDocument(document: Json): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
