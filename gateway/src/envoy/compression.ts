import type { Route } from "../model/model.ts";
import { extension, type Json, typed } from "./envoy-config.ts";

/**
 * Answers are compressed where a policy asks for it, and nowhere else: an answer that mirrors what a
 * stranger sent beside a secret gives the secret away by its length (BREACH).
 */
const FILTER = "envoy.filters.http.compressor";
const COMPRESSORS = "envoy.extensions.compression";

const LIBRARIES: Readonly<Record<"gzip" | "brotli" | "zstd", [string, { [field: string]: Json }]>> =
  {
    gzip: [`${COMPRESSORS}.gzip.compressor.v3.Gzip`, {}],
    brotli: [`${COMPRESSORS}.brotli.compressor.v3.Brotli`, { quality: 4 }],
    zstd: [`${COMPRESSORS}.zstd.compressor.v3.Zstd`, {}],
  };

const CONTENT_TYPES = [
  "application/fhir+json",
  "application/javascript",
  "application/json",
  "application/problem+json",
  "image/svg+xml",
  "text/css",
  "text/html",
  "text/javascript",
  "text/plain",
  "text/xml",
];

const MIN_BYTES = 1024;

type Algorithm = keyof typeof LIBRARIES;
const ALGORITHMS: readonly Algorithm[] = ["gzip", "brotli", "zstd"];

/** Asleep until a route wakes one of them. */
export function compressors(): Json[] {
  return ALGORITHMS.map((algorithm) => ({
    ...(extension(nameOf(algorithm), `${TYPES}.Compressor`, compressor(algorithm)) as object),
    disabled: true,
  }));
}

const TYPES = "envoy.extensions.filters.http.compressor.v3";

function nameOf(algorithm: Algorithm): string {
  return `${FILTER}.${algorithm}`;
}

function compressor(algorithm: Algorithm): { readonly [field: string]: Json } {
  const [type, settings] = LIBRARIES[algorithm];
  return {
    compressor_library: extension(algorithm, type, settings),
    response_direction_config: {
      common_config: { min_content_length: MIN_BYTES, content_type: CONTENT_TYPES },
    },
  };
}

export function compressionOnRoute({ compression }: Route["traffic"]): {
  readonly [filter: string]: Json;
} {
  return Object.fromEntries(
    (compression?.algorithms ?? []).map((algorithm) => [
      nameOf(algorithm),
      typed("envoy.config.route.v3.FilterConfig", {
        config: typed(`${TYPES}.CompressorPerRoute`, {
          overrides: {
            response_direction_config: {},
          },
        }),
      }),
    ]),
  );
}
