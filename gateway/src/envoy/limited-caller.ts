import type { RateLimit } from "../model/model.ts";
import type { Json } from "./envoy-config.ts";
import { CLAIMS, FILTER as JWT_FILTER } from "./jwt-authn.ts";

/** Whose requests a limit counts: what of a request goes into a descriptor, and what a bucket says of it. */

/** Without a value: whatever a request has there gets a bucket of its own. */
export function callerEntry({ by }: RateLimit): Json[] {
  return by.type === "Everyone" ? [] : [{ key: KEYS[by.type] }];
}

const KEYS = { ClientAddress: "masked_remote_address", Claim: "claim", Header: "header" } as const;

/** A request that has no such claim or header gets no descriptor, and so is not counted. */
export function callerAction({ by }: RateLimit): Json[] {
  switch (by.type) {
    case "Everyone":
      return [];
    case "ClientAddress":
      // One household or server has a /64 of IPv6, and would else have 2^64 buckets.
      return [{ masked_remote_address: { v4_prefix_mask_len: 32, v6_prefix_mask_len: 64 } }];
    case "Header":
      return [
        {
          request_headers: { header_name: (by.name ?? "").toLowerCase(), descriptor_key: "header" },
        },
      ];
    case "Claim": {
      const path = [CLAIMS, ...(by.name ?? "").split(".")].map((key) => ({ key }));
      return [
        {
          metadata: {
            descriptor_key: "claim",
            metadata_key: { key: JWT_FILTER, path },
            source: "DYNAMIC",
            skip_if_absent: true,
          },
        },
      ];
    }
  }
}
