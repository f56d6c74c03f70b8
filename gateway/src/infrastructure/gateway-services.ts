import { type ApiClient, ApiError } from "../kubernetes/api-client.ts";
import type { RawObject } from "../kubernetes/keep.ts";
import { createReflector, type Waits } from "../kubernetes/reflector.ts";
import { type ApiResource, pathOf, RESOURCES } from "../kubernetes/resources.ts";
import { type Logger, messageOf } from "../logger.ts";
import type { Address } from "../model/verdict.ts";
import {
  addressesOf,
  aliasOf,
  CONTROLLER,
  changeOf,
  changeOfAlias,
  type Fleet,
  type GatewayAlias,
  type GatewayService,
  gatewayOf,
  type LiveService,
  MANAGED_BY,
  type ServedGateway,
  serviceOf,
} from "./gateway-service.ts";

/**
 * Makes each Gateway's Service what it should be, and takes away those of Gateways that are gone.
 * Every replica does all of it: what is right already is left alone, and a write on an older state
 * is refused, so two of them end at the same.
 */
export interface GatewayServices {
  start(): void;
  /** The Gateways that there are. What is not among them loses its Service. */
  provide(gateways: readonly ServedGateway[]): void;
  /** By `namespace/name` of the Gateway. */
  addressesOf(gateway: string): readonly Address[];
  stop(): Promise<void>;
}

export interface GatewayServicesParts {
  readonly client: ApiClient;
  readonly logger: Logger;
  readonly fleet: Fleet;
  /** A Service, and so perhaps an address, is another one than before. */
  changed(): void;
  readonly waits?: Waits & { readonly unwantedMs?: number };
}

const RETRY_MS = 2000;
/** A Gateway that is there, and is none of ours for this long, is not just news that has yet to come. */
const UNWANTED_MS = 10_000;

export function createGatewayServices(parts: GatewayServicesParts): GatewayServices {
  const { client, logger, fleet, changed, waits } = parts;
  const resource: ApiResource = {
    ...{ group: "", versions: ["v1"], plural: "services", isNamespaced: true, isNeeded: true },
    ...(fleet.aliasDomain === undefined && { namespace: fleet.namespace }),
    labelSelector: `${MANAGED_BY}=${CONTROLLER}`,
    keep: ({ metadata, spec, status }: RawObject) => {
      const { name, namespace, uid, resourceVersion, labels, annotations } = metadata;
      return {
        metadata: { name, namespace, uid, resourceVersion, labels, annotations },
        spec,
        status,
      };
    },
  };
  const stopping = new AbortController();
  const unwantedSince = new Map<string, number>();
  let wanted: ReadonlyMap<string, GatewayService | GatewayAlias> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  const reflector = createReflector({
    ...{ client, waits, kind: "Service", resource },
    changed() {
      changed();
      soon(0);
    },
    told(problem) {
      if (problem !== undefined) {
        logger.warn("services.interrupted", { message: problem });
      }
    },
  });

  function live(): LiveService[] {
    return [...reflector.values()].map(({ value }) => value as LiveService);
  }

  function soon(milliseconds: number) {
    if (!stopping.signal.aborted) {
      timer ??= setTimeout(() => {
        timer = undefined;
        running = running.then(reconcile);
      }, milliseconds);
    }
  }

  async function reconcile() {
    // Not before both sides are known in full: a Service must not go because nobody asked for it yet.
    if (wanted === undefined || !reflector.isSynced()) {
      return;
    }
    const there = new Map(live().map((service) => [keyOf(service), service]));
    const unwanted = [...there.values()].filter((service) => !wanted?.has(keyOf(service)));
    const ids = new Set(unwanted.map(idOf));
    for (const id of unwantedSince.keys()) {
      if (!ids.has(id)) {
        unwantedSince.delete(id);
      }
    }
    const tasks = [
      ...[...wanted].map(
        ([key, service]) =>
          () =>
            provideOne(service, there.get(key)),
      ),
      ...unwanted.map((service) => () => removeUnwanted(service)),
    ];
    const outcomes = await Promise.all(tasks.map(attempt));
    if (outcomes.includes(false)) {
      soon(RETRY_MS);
    }
  }

  async function attempt(task: () => Promise<unknown>): Promise<boolean> {
    try {
      return (await task()) !== "later";
    } catch (error) {
      // 404, 409: another replica was there before; the watch tells what is so now.
      const isOvertaken = error instanceof ApiError && [404, 409].includes(error.status);
      if (!isOvertaken) {
        logger.error("service.failed", { message: messageOf(error) });
      }
      return isOvertaken;
    }
  }

  async function provideOne(
    service: GatewayService | GatewayAlias,
    there: LiveService | undefined,
  ) {
    const { name, namespace } = service.metadata;
    if (there === undefined) {
      const body = { apiVersion: "v1", kind: "Service", ...service };
      await client.call("POST", pathOf(resource, "v1", { namespace }), body);
      logger.info("service.created", { name, gateway: gatewayOf(service.metadata.labels) });
      return;
    }
    const change = isAlias(service) ? changeOfAlias(service, there) : changeOf(service, there);
    if (change) {
      await client.call("PATCH", pathOf(resource, "v1", { namespace, name }), change);
      logger.info("service.changed", { name, gateway: gatewayOf(service.metadata.labels) });
    }
  }

  /**
   * Another replica may have heard of a Gateway before we did, and made its Service: to remove that would
   * give the Gateway another address. So only the API server's own word, or time, is enough.
   */
  async function removeUnwanted(service: LiveService): Promise<"later" | undefined> {
    const since = unwantedSince.get(idOf(service)) ?? performance.now();
    unwantedSince.set(idOf(service), since);
    const isOld = performance.now() - since >= (waits?.unwantedMs ?? UNWANTED_MS);
    if (!isOld && (await isThere(gatewayOf(service.metadata.labels ?? {})))) {
      return "later";
    }
    // In the meantime it may have become wanted.
    if (!wanted?.has(keyOf(service))) {
      await removeOne(service);
    }
    return undefined;
  }

  async function isThere(gateway: string): Promise<boolean> {
    const [namespace, name] = gateway.split("/");
    try {
      await client.call("GET", pathOf(RESOURCES.Gateway, "v1", { namespace, name }));
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) {
        return false;
      }
      throw error;
    }
  }

  async function removeOne({ metadata: { name, namespace, uid, labels } }: LiveService) {
    const preconditions = { preconditions: { uid } };
    await client.call("DELETE", pathOf(resource, "v1", { namespace, name }), preconditions);
    logger.info("service.removed", { name, gateway: gatewayOf(labels ?? {}) });
  }

  return {
    start: () => void reflector.run(stopping.signal),
    provide(gateways) {
      const services = gateways
        .filter(({ ports }) => ports.length > 0)
        .flatMap((gateway) => {
          const service = serviceOf(gateway, fleet);
          const { aliasDomain } = fleet;
          return aliasDomain === undefined
            ? [service]
            : [service, aliasOf(gateway, service, aliasDomain)];
        });
      wanted = new Map(services.map((service) => [keyOf(service), service]));
      soon(0);
    },
    addressesOf: (gateway) =>
      live()
        .filter(({ metadata }) => gatewayOf(metadata.labels ?? {}) === gateway)
        .flatMap(addressesOf),
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      await running;
    },
  };
}

function keyOf({ metadata }: LiveService | GatewayService | GatewayAlias): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function idOf(service: LiveService): string {
  return service.metadata.uid ?? keyOf(service);
}

function isAlias(service: GatewayService | GatewayAlias): service is GatewayAlias {
  return service.spec.type === "ExternalName";
}
