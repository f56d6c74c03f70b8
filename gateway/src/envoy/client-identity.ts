import { extension, type Json } from "./envoy-config.ts";
import { dropIdentityHeaders } from "./header-hygiene.ts";

/**
 * Who the client is: the peer, as nobody in front of us is trusted to say otherwise. Behind proxies of
 * ours it is who the outermost of them saw: that many entries from the right of X-Forwarded-For, each
 * appended by one of them, and whatever a client wrote stands further left.
 */
export function clientIdentity(trustedHops: number) {
  return {
    use_remote_address: true,
    xff_num_trusted_hops: trustedHops,
    // No client counts as internal, not even one on loopback or in the cluster: Envoy would trust it
    // more. It takes an empty list for its default, so this one holds an address nobody has.
    internal_address_config: {
      cidr_ranges: [{ address_prefix: "255.255.255.255", prefix_len: 32 }],
    },
    early_header_mutation_extensions: [dropIdentityHeaders(trustedHops > 0 ? SAID_BY_PROXIES : [])],
  };
}

/** What the proxy next to us overwrites or appends to, and Envoy reads. */
const SAID_BY_PROXIES = ["x-forwarded-for", "x-forwarded-proto"];

/** What a service gets is the client's address and nothing else, however many proxies there are. */
export function clientAddressAlone(): Json {
  return extension(
    "envoy.filters.http.header_mutation",
    "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
    {
      mutations: {
        request_mutations: [
          {
            append: {
              header: {
                key: "x-forwarded-for",
                value: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
              },
              append_action: "OVERWRITE_IF_EXISTS_OR_ADD",
            },
          },
        ],
      },
    },
  );
}
