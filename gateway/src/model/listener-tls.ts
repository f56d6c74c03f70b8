import type { Gateway, GatewayListener } from "../snapshot/gateway.ts";
import { GATEWAY_GROUP } from "../snapshot/gateway-api.ts";
import type { ObjectRef } from "../snapshot/metadata.ts";
import type { Certificates } from "./certificates.ts";
import { ANY_HOST } from "./hostnames.ts";
import type { ClientValidation, ServerTls } from "./model.ts";
import type { Refusal } from "./verdict.ts";

/** What an HTTPS listener proves itself with, and asks of its clients. */
export interface ListenerTls {
  /** Absent: it cannot be served. */
  readonly server?: ServerTls;
  /** Some reference leads nowhere. */
  readonly unresolved?: Refusal;
  /** It must not be served: clients could not be verified as was asked. */
  readonly refusal?: Refusal;
}

export function resolveListenerTls(
  listener: GatewayListener,
  owner: ObjectRef,
  gateway: Gateway,
  certificates: Certificates,
): ListenerTls {
  if (listener.protocol !== "HTTPS") {
    return {};
  }
  const from = { group: GATEWAY_GROUP, kind: owner.kind, namespace: owner.namespace };
  const outcomes = (listener.tls?.certificateRefs ?? []).map((ref) =>
    certificates.ownCertificate(ref, from),
  );
  const names = outcomes.flatMap((outcome) => ("name" in outcome ? [outcome.name] : []));
  const broken =
    outcomes.find((outcome) => "reason" in outcome) ??
    (outcomes.length === 0 ? NO_CERTIFICATE : undefined);
  const clients = resolveClients(listener.port, gateway, certificates);
  const unresolved = broken ?? clients.unresolved;
  if (names.length === 0 || clients.refusal) {
    return { unresolved, refusal: clients.refusal };
  }
  return {
    unresolved,
    server: {
      hostname: listener.hostname || ANY_HOST,
      certificates: [...new Set(names)],
      ...(clients.validation && { clients: clients.validation }),
    },
  };
}

const NO_CERTIFICATE: Refusal = {
  reason: "InvalidCertificateRef",
  message: "HTTPS needs a certificate: name its Secret in tls.certificateRefs",
};

interface Clients {
  readonly validation?: ClientValidation;
  readonly unresolved?: Refusal;
  readonly refusal?: Refusal;
}

/** A port's own rule replaces the Gateway's, also when it asks for nothing. */
function resolveClients(port: number, gateway: Gateway, certificates: Certificates): Clients {
  const frontend = gateway.spec.tls?.frontend;
  const own = frontend?.perPort.find((one) => one.port === port);
  const validation = (own?.tls ?? frontend?.default)?.validation;
  if (!validation) {
    return {};
  }
  const { name, refusal } = certificates.trust(validation.caCertificateRefs, {
    group: GATEWAY_GROUP,
    kind: "Gateway",
    namespace: gateway.metadata.namespace,
  });
  if (name === undefined) {
    const message = "no certificate to verify clients by can be read";
    return { unresolved: refusal, refusal: { reason: "NoValidCACertificate", message } };
  }
  const isRequired = validation.mode === "AllowValidOnly";
  return { validation: { trust: name, isRequired }, ...(refusal && { unresolved: refusal }) };
}
