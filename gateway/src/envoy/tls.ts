import type { BackendTls, ServerTls, TlsSecret } from "../model/model.ts";
import {
  type EnvoyResource,
  fileSource,
  type Json,
  type Surroundings,
  typed,
} from "./envoy-config.ts";

/**
 * TLS on both sides (Mozilla's "intermediate" recommendation). Keys and certificates come by SDS, each
 * in a file of its own: a new certificate touches that file only, and no connection ends.
 */

const TYPES = "envoy.extensions.transport_sockets.tls.v3";

const PARAMETERS = {
  tls_minimum_protocol_version: "TLSv1_2",
  tls_maximum_protocol_version: "TLSv1_3",
  // For TLS 1.2; those of 1.3 are not ours to choose.
  cipher_suites: [
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
  ],
};

export function secretOf(secret: TlsSecret): EnvoyResource {
  const inline = (text: string) => ({ inline_string: text });
  return typed(
    `${TYPES}.Secret`,
    "privateKey" in secret
      ? {
          name: secret.name,
          tls_certificate: {
            certificate_chain: inline(secret.certificateChain),
            private_key: inline(secret.privateKey),
          },
        }
      : {
          name: secret.name,
          validation_context: { trusted_ca: inline(secret.trustedCertificates) },
        },
  );
}

export function downstreamTls(
  { certificates, clients }: ServerTls,
  surroundings: Surroundings,
): Json {
  return transportSocket("DownstreamTlsContext", {
    ...(clients && { require_client_certificate: clients.isRequired }),
    common_tls_context: {
      tls_params: PARAMETERS,
      alpn_protocols: ["h2", "http/1.1"],
      tls_certificate_sds_secret_configs: certificates.map((name) => sds(name, surroundings)),
      ...(clients && {
        combined_validation_context: {
          default_validation_context: clients.isRequired
            ? {}
            : { trust_chain_verification: "ACCEPT_UNTRUSTED" },
          validation_context_sds_secret_config: sds(clients.trust, surroundings),
        },
      }),
    },
  });
}

/** A backend is who it says it is, or it gets no request. */
export function upstreamTls(
  { hostname, trust, subjectAltNames, clientCertificate }: BackendTls,
  alpn: string,
  surroundings: Surroundings,
): Json {
  const names =
    subjectAltNames.length > 0 ? subjectAltNames : [{ type: "dns" as const, value: hostname }];
  return transportSocket("UpstreamTlsContext", {
    sni: hostname,
    common_tls_context: {
      tls_params: PARAMETERS,
      alpn_protocols: [alpn],
      ...(clientCertificate !== undefined && {
        tls_certificate_sds_secret_configs: [sds(clientCertificate, surroundings)],
      }),
      combined_validation_context: {
        default_validation_context: {
          match_typed_subject_alt_names: names.map(({ type, value }) => ({
            san_type: type === "dns" ? "DNS" : "URI",
            matcher: { exact: value },
          })),
        },
        validation_context_sds_secret_config: sds(trust, surroundings),
      },
    },
  });
}

function transportSocket(context: string, fields: { readonly [field: string]: Json }): Json {
  return {
    name: "envoy.transport_sockets.tls",
    typed_config: typed(`${TYPES}.${context}`, fields),
  };
}

function sds(name: string, surroundings: Surroundings): Json {
  return { name, sds_config: fileSource(surroundings.fileOf("secrets", name)) };
}
