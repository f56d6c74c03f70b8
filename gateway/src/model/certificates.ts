import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { rootCertificates } from "node:tls";
import type { ConfigMap, Secret } from "../snapshot/certificates.ts";
import type { ObjectReference } from "../snapshot/gateway-api.ts";
import { keyOf } from "../snapshot/metadata.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { type Referrer, refuseReference } from "./grants.ts";
import type { TlsSecret } from "./model.ts";
import { compareText } from "./precedence.ts";
import { resourceName } from "./resource-name.ts";
import type { Refusal } from "./verdict.ts";

/**
 * Follows references to certificates. Nothing goes on that Envoy would refuse: it would hold back the
 * whole listener. No message says more of a Secret than its name.
 */
export interface Certificates {
  /** The name of a TLS secret, from a Secret with `tls.crt` and `tls.key`. */
  ownCertificate(ref: ObjectReference, from: Referrer): { readonly name: string } | Refusal;
  /** The name of a secret with all of these, from ConfigMaps or Secrets with `ca.crt`. */
  trust(refs: readonly ObjectReference[], from: Referrer): Trust;
  /** The name of a secret with the authorities that Node brings, whatever the image has. */
  systemTrust(): string;
  /** Every secret that was asked for, each once, in the order of their names. */
  secrets(): TlsSecret[];
}

export interface Trust {
  /** Absent: none of them can be used. */
  readonly name?: string;
  readonly refusal?: Refusal;
}

const SYSTEM = "ca_system";

export function followCertificates(snapshot: Snapshot): Certificates {
  const secrets = new Map(snapshot.secrets.map((secret) => [keyOf(secret.metadata), secret]));
  const configMaps = new Map(snapshot.configMaps.map((map) => [keyOf(map.metadata), map]));
  const used = new Map<string, TlsSecret>();

  function authority(ref: ObjectReference, from: Referrer): string | Refusal {
    if (ref.group !== "" || (ref.kind !== "ConfigMap" && ref.kind !== "Secret")) {
      const message = `${ref.kind} holds no certificates; name a ConfigMap or a Secret`;
      return { reason: "InvalidCACertificateKind", message };
    }
    const namespace = ref.namespace ?? from.namespace;
    const denied = refuseReference(snapshot, from, { ...ref, namespace });
    if (denied) {
      return denied;
    }
    const key = keyOf({ namespace, name: ref.name });
    const holder = ref.kind === "ConfigMap" ? configMaps.get(key) : secrets.get(key);
    const problem = holder ? problemOfAuthorities(entryOf(holder, "ca.crt")) : "is not there";
    if (!holder || problem !== undefined) {
      const message = `${ref.kind} ${key} ${problem}`;
      return { reason: "InvalidCACertificateRef", message };
    }
    return entryOf(holder, "ca.crt");
  }

  return {
    ownCertificate(ref, from) {
      if (ref.group !== "" || ref.kind !== "Secret") {
        const message = `${ref.kind} is no certificate; name a Secret`;
        return { reason: "InvalidCertificateRef", message };
      }
      const namespace = ref.namespace ?? from.namespace;
      const denied = refuseReference(snapshot, from, { ...ref, namespace });
      if (denied) {
        return denied;
      }
      const key = keyOf({ namespace, name: ref.name });
      const secret = secrets.get(key);
      const problem = secret ? problemOfKeyPair(secret) : "is not there, or not of a type for TLS";
      if (!secret || problem !== undefined) {
        return { reason: "InvalidCertificateRef", message: `Secret ${key} ${problem}` };
      }
      const name = resourceName("tls", namespace, ref.name);
      const certificateChain = entryOf(secret, "tls.crt");
      used.set(name, { name, certificateChain, privateKey: entryOf(secret, "tls.key") });
      return { name };
    },

    trust(refs, from) {
      const outcomes = refs.map((ref) => ({ ref, outcome: authority(ref, from) }));
      const refusal = outcomes
        .map(({ outcome }) => outcome)
        .find((outcome) => typeof outcome !== "string");
      const good = outcomes.filter(
        (one): one is { ref: ObjectReference; outcome: string } => typeof one.outcome === "string",
      );
      if (good.length === 0) {
        return { refusal };
      }
      const holders = good.flatMap(({ ref }) => [
        ref.kind.toLowerCase(),
        ref.namespace ?? from.namespace,
        ref.name,
      ]);
      const name = resourceName("ca", ...holders);
      const trustedCertificates = good.map(({ outcome }) => outcome.trim()).join("\n");
      used.set(name, { name, trustedCertificates: `${trustedCertificates}\n` });
      return { name, refusal };
    },

    systemTrust() {
      used.set(SYSTEM, { name: SYSTEM, trustedCertificates: rootCertificates.join("\n") });
      return SYSTEM;
    },

    secrets: () => [...used.values()].sort((a, b) => compareText(a.name, b.name)),
  };
}

function entryOf(holder: Secret | ConfigMap, key: string): string {
  const written = "stringData" in holder ? holder.stringData[key] : undefined;
  return written ?? holder.data[key] ?? "";
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Looked at once for each object: it takes longer than everything else here. */
const known = new WeakMap<object, string | undefined>();

function problemOfKeyPair(secret: Secret): string | undefined {
  if (!known.has(secret)) {
    known.set(secret, inspectKeyPair(entryOf(secret, "tls.crt"), entryOf(secret, "tls.key")));
  }
  return known.get(secret);
}

function inspectKeyPair(chain: string, key: string): string | undefined {
  const certificates = readCertificates(chain);
  const [leaf] = certificates ?? [];
  if (!leaf) {
    return "has no PEM certificate as tls.crt";
  }
  const privateKey = readPrivateKey(key);
  if (!privateKey) {
    return "has no PEM private key without a passphrase as tls.key";
  }
  if (!leaf.checkPrivateKey(privateKey)) {
    return "has a key that does not belong to its certificate";
  }
  return isStrong(privateKey) ? undefined : "has a key that is neither RSA of 2048 bits nor P-256";
}

function problemOfAuthorities(bundle: string): string | undefined {
  return readCertificates(bundle) ? undefined : "has no PEM certificates as ca.crt";
}

/** Undefined when there is none, or one that cannot be read. */
function readCertificates(pem: string): X509Certificate[] | undefined {
  const blocks = pem.match(CERTIFICATE) ?? [];
  const begun = pem.split("-----BEGIN ").length - 1;
  if (blocks.length === 0 || begun !== blocks.length) {
    return undefined;
  }
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return undefined;
  }
}

function readPrivateKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

/** What Envoy takes. */
function isStrong({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  if (asymmetricKeyType === "rsa") {
    return (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
  }
  const curves = ["prime256v1", "secp384r1", "secp521r1"];
  return asymmetricKeyType === "ec" && curves.includes(asymmetricKeyDetails?.namedCurve ?? "");
}
