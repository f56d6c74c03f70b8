import { createHash } from "node:crypto";
import type { EnvoyResource, Json, ResourceKind } from "../envoy/envoy-config.ts";
import { encodeRouteMessage } from "../envoy/route-messages.ts";

/**
 * The bytes Envoy reads: JSON, which a person can read too, but for routes. Of those there are
 * thousands, all are read again when one changes, and Envoy reads protobuf several times as fast.
 */
export function extensionOf(kind: ResourceKind): "json" | "pb" {
  return kind === "routes" ? "pb" : "json";
}

export interface Encoded {
  /** Says what the content is: equal for equal content. */
  readonly version: string;
  readonly content: string | Uint8Array;
}

/** A DiscoveryResponse whose version is its content, so that the same resources are the same bytes. */
export function encodeResources(kind: ResourceKind, resources: readonly EnvoyResource[]): Encoded {
  if (kind === "routes") {
    return encodeAsProtobuf(resources);
  }
  const version = versionOf(JSON.stringify(resources));
  return { version, content: format({ version_info: version, resources }) };
}

export function encodeDocument(document: Json): Encoded {
  const content = format(document);
  return { version: versionOf(content), content };
}

const RESPONSE = "envoy.service.discovery.v3.DiscoveryResponse";

/** The version follows the resources: of a message's fields the order is free. */
function encodeAsProtobuf(resources: readonly EnvoyResource[]): Encoded {
  const listed = encodeRouteMessage(RESPONSE, { resources });
  const version = versionOf(listed);
  const named = encodeRouteMessage(RESPONSE, { version_info: version });
  return { version, content: Buffer.concat([listed, named]) };
}

function versionOf(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 16);
}

function format(document: Json): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
