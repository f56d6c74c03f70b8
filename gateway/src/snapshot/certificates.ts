import { z } from "zod";
import { Metadata } from "./metadata.ts";

/**
 * Secret and ConfigMap, of which only certificates and keys are ever looked at. A value that is not
 * there or not text is left for whoever refers to it to complain about, without showing it.
 */

const Values = z.record(z.string(), z.string()).nullish();

export const Secret = z.object({
  metadata: Metadata,
  data: Values.transform((data) =>
    Object.fromEntries(
      Object.entries(data ?? {}).map(([key, value]) => [
        key,
        Buffer.from(value, "base64").toString("utf8"),
      ]),
    ),
  ),
  /** Written by hand; the API server makes `data` of it. */
  stringData: Values.transform((data) => data ?? {}),
});

export type Secret = z.infer<typeof Secret>;

export const ConfigMap = z.object({
  metadata: Metadata,
  data: Values.transform((data) => data ?? {}),
});

export type ConfigMap = z.infer<typeof ConfigMap>;
