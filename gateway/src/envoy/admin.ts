import { request } from "node:http";
import type { ResourceKind } from "./envoy-config.ts";

/** What Envoy says of itself on its admin interface, which is on loopback only. */
export interface EnvoyAdmin {
  /** Of these resources: the version that Envoy has, and how many it has refused since it started. */
  receptions(resources: readonly ResourceName[]): Promise<ReadonlyMap<string, Reception>>;
  /** The same of everything that was ever refused, by the prefix of its counters. */
  everyRefusal(): Promise<ReadonlyMap<string, Reception>>;
}

export interface ResourceName {
  readonly kind: ResourceKind;
  readonly name: string;
}

export interface Reception {
  readonly version?: string;
  readonly refused: number;
}

const DEADLINE_MS = 2000;
/** A filter for each of more resources than this would be longer than the answer without. */
const LONGEST_FILTER = 50;

/** Where Envoy counts what became of the resource; its name is part of that of the counter. */
export function statPrefixOf({ kind, name }: ResourceName): string | undefined {
  switch (kind) {
    case "listeners":
      return "listener_manager.lds.";
    case "clusters":
      return "cluster_manager.cds.";
    case "routes":
      return `http.${name}.rds.${name}.`;
    default:
      return undefined;
  }
}

export function createEnvoyAdmin(port: number): EnvoyAdmin {
  const ask = (path: string) => askAdmin(port, path);

  return {
    async receptions(resources) {
      const prefixes = resources.flatMap((resource) => statPrefixOf(resource) ?? []);
      const any = prefixes.length > LONGEST_FILTER ? "" : `^(${prefixes.map(escaped).join("|")})`;
      const filter = encodeURIComponent(`${any}.*(version_text|update_rejected|update_failure)$`);
      return readReceptions(await ask(`/stats?filter=${filter}`));
    },
    async everyRefusal() {
      const filter = encodeURIComponent("(update_rejected|update_failure)$");
      const all = readReceptions(await ask(`/stats?usedonly&filter=${filter}`));
      return new Map([...all].filter(([, { refused }]) => refused > 0));
    },
  };
}

/** By prefix of the counters. */
function readReceptions(text: string): Map<string, Reception> {
  const receptions = new Map<string, Reception>();
  const line = /^(.*\.)(version_text|update_rejected|update_failure): (?:"(.*)"|(\d+))$/gm;
  for (const [, prefix = "", stat, version, count] of text.matchAll(line)) {
    const known = receptions.get(prefix) ?? { refused: 0 };
    receptions.set(
      prefix,
      stat === "version_text"
        ? { ...known, version }
        : { ...known, refused: known.refused + Number(count) },
    );
  }
  return receptions;
}

function escaped(text: string): string {
  return text.replace(/[^A-Za-z0-9_]/g, "\\$&");
}

function askAdmin(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const outgoing = request({ host: "127.0.0.1", port, path, signal }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("error", reject);
      response.on("end", () =>
        response.statusCode === 200
          ? resolve(text)
          : reject(new Error(`Envoy's admin answered ${path} with ${response.statusCode}`)),
      );
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}
