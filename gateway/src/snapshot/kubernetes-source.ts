import { setTimeout as sleep } from "node:timers/promises";
import type { ApiClient } from "../kubernetes/api-client.ts";
import type { LiveObject } from "../kubernetes/object-store.ts";
import { createReflector, type Waits } from "../kubernetes/reflector.ts";
import { type ApiResource, RESOURCES } from "../kubernetes/resources.ts";
import type { Logger } from "../logger.ts";
import { Kind, keyOf, type ObjectRef } from "./metadata.ts";
import type { ObjectSource } from "./object-source.ts";

/**
 * Kubernetes objects from an API server. There is no listing before every kind was listed once, so a
 * part is never taken for the whole; from then on the last known state stays while the server is away.
 */
export interface KubernetesSource extends ObjectSource {
  /** What those who write to an object must know of it. Undefined: it is not there. */
  live(ref: ObjectRef): LiveObject | undefined;
  /** Those whose status has an entry of this controller. */
  marked(controllerName: string): Iterable<ObjectRef>;
  /** Where to write to it. */
  pathOf(ref: ObjectRef): ObjectPath;
  /** Calls `changed` when somebody wrote a status, which no snapshot shows. */
  watchLive(changed: () => void): void;
}

const PATIENCE_MS = 5000;

export interface ObjectPath {
  readonly resource: ApiResource;
  readonly version: string;
}

export function createKubernetesSource(
  client: ApiClient,
  logger: Logger,
  options: {
    readonly waits?: Waits;
    readonly kinds?: readonly Kind[];
    readonly patienceMs?: number;
  } = {},
): KubernetesSource {
  const { kinds = Kind.options, waits, patienceMs = PATIENCE_MS } = options;
  const stopping = new AbortController();
  const listeners = { value: [] as (() => void)[], live: [] as (() => void)[] };
  const reflectors = new Map(kinds.map((kind) => [kind as string, reflectorOf(kind)]));

  function reflectorOf(kind: Kind) {
    return createReflector({
      ...{ client, kind, waits, resource: RESOURCES[kind] },
      changed(what) {
        if (unsynced().length === 0) {
          for (const listener of listeners[what]) {
            listener();
          }
        }
      },
      told(problem) {
        if (problem === undefined) {
          logger.info("watch.resumed", { kind });
        } else {
          logger.warn("watch.interrupted", { kind, message: problem });
        }
      },
    });
  }

  function unsynced(): string[] {
    return [...reflectors]
      .filter(([, reflector]) => !reflector.isSynced())
      .map(([kind, reflector]) => `${kind} (${reflector.problem() ?? "listing"})`);
  }

  /** At the start all kinds arrive within a moment, which need not be told as a failure. */
  async function untilSynced() {
    const deadline = performance.now() + patienceMs;
    while (unsynced().length > 0 && performance.now() < deadline && !stopping.signal.aborted) {
      await sleep(10);
    }
  }

  return {
    watch(changed) {
      listeners.value.push(changed);
      for (const reflector of reflectors.values()) {
        void reflector.run(stopping.signal);
      }
    },
    watchLive: (changed) => void listeners.live.push(changed),

    async list() {
      await untilSynced();
      const missing = unsynced();
      if (missing.length > 0) {
        throw new Error(`Not every kind was listed yet: ${missing.join(", ")}`);
      }
      const objects = [...reflectors.values()].flatMap((reflector) => [...reflector.values()]);
      return { objects, problems: [] };
    },

    live: (ref) => reflectors.get(ref.kind)?.live(keyOf(ref)),
    *marked(controllerName) {
      for (const [kind, reflector] of reflectors) {
        for (const key of reflector.marked(controllerName)) {
          const [namespace = "", name = ""] = key.split("/");
          yield { kind, namespace, name };
        }
      }
    },
    pathOf(ref) {
      const version = reflectors.get(ref.kind)?.version();
      if (version === undefined) {
        throw new Error(`${ref.kind} was never listed`);
      }
      return { version, resource: RESOURCES[ref.kind as Kind] };
    },

    stop: () => stopping.abort(),
  };
}
