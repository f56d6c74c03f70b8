import { createHash } from "node:crypto";
import type { EnvoyResource, Json } from "../envoy/envoy-config.ts";

/** The bytes Envoy reads. The only file that knows that they are JSON. */

export const EXTENSION = "json";

export interface Encoded {
  /** Says what the content is: equal for equal content. */
  readonly version: string;
  readonly content: string;
}

/** A DiscoveryResponse whose version is its content, so that the same resources are the same bytes. */
export function encodeResources(resources: readonly EnvoyResource[]): Encoded {
  const version = versionOf(JSON.stringify(resources));
  return { version, content: format({ version_info: version, resources }) };
}

export function encodeDocument(document: Json): Encoded {
  const content = format(document);
  return { version: versionOf(content), content };
}

function versionOf(content: string): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 16);
}

function format(document: Json): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
