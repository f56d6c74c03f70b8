import { isIP } from "node:net";
import { z } from "zod";
import { PortNumber } from "./gateway-api.ts";
import { Label, Metadata } from "./metadata.ts";

/** Service and EndpointSlice, which say where a backend is, and Namespace, whose labels admit routes. */

export const Service = z.object({
  metadata: Metadata.extend({ name: Label }),
  spec: z.object({
    type: z.string().default("ClusterIP"),
    ports: z
      .array(
        z.object({
          name: z.string().nullish(),
          port: PortNumber,
          appProtocol: z.string().nullish(),
        }),
      )
      .default([]),
  }),
});

export type Service = z.infer<typeof Service>;

export const EndpointSlice = z
  .object({
    metadata: Metadata,
    addressType: z.enum(["IPv4", "IPv6", "FQDN"]),
    endpoints: z
      .array(
        z.object({
          addresses: z.array(z.string().min(1)).min(1).max(100),
          conditions: z
            .object({ ready: z.boolean().nullish(), serving: z.boolean().nullish() })
            .nullish(),
        }),
      )
      .nullish(),
    ports: z.array(z.object({ name: z.string().nullish(), port: PortNumber.nullish() })).nullish(),
  })
  .superRefine(({ addressType, endpoints }, context) => {
    for (const [index, { addresses }] of (endpoints ?? []).entries()) {
      const odd = addresses.find((address) => addressType !== "FQDN" && isIP(address) === 0);
      if (odd !== undefined) {
        const path = ["endpoints", index, "addresses"];
        context.addIssue({ code: "custom", path, message: `${odd} is not an IP address` });
      }
    }
  });

export type EndpointSlice = z.infer<typeof EndpointSlice>;

export const Namespace = z.object({ metadata: Metadata });

export type Namespace = z.infer<typeof Namespace>;
