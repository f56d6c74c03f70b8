import type { SourceObject } from "../snapshot/object-source.ts";
import type { RawObject } from "./keep.ts";
import { type ApiResource, apiVersionOf } from "./resources.ts";

/**
 * The copies of one kind's objects. What a snapshot reads of an object stays the same JavaScript
 * object for as long as it says the same, so that later stages recognise it and do nothing again.
 */
export interface ObjectStore {
  values(): Iterable<SourceObject>;
  live(key: string): LiveObject | undefined;
  /** Keys of those whose status has an entry of this controller. */
  marked(controllerName: string): Iterable<string>;
  size(): number;
  /** Each of these says whether anything is different, and whether a snapshot shows it. */
  put(object: RawObject, version: string): Difference;
  remove(object: RawObject): Difference;
  replace(objects: readonly RawObject[], version: string): Difference;
}

/** What those who write to an object must know of it, beside what it asks for. */
export interface LiveObject {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  /** As it is on the server, ours and that of other controllers. */
  readonly status: unknown;
}

export type Difference = "value" | "live" | undefined;

interface Stored {
  readonly source: SourceObject;
  readonly live: LiveObject;
}

export function createObjectStore(kind: string, resource: ApiResource): ObjectStore {
  let objects = new Map<string, Stored>();

  /** Undefined: of no use here. */
  function store(object: RawObject, version: string): Stored | undefined {
    const kept = resource.keep(object);
    if (kept === undefined) {
      return undefined;
    }
    // A list names the kind once, not on each of its items.
    const value = { apiVersion: apiVersionOf(resource, version), kind, ...kept };
    const live = liveOf(object);
    const known = objects.get(keyOfRaw(object));
    if (known?.live.uid === live.uid && isSame(known.source.value, value)) {
      return { source: known.source, live };
    }
    return { source: { origin: `${kind} ${keyOfRaw(object)}`, value }, live };
  }

  return {
    *values() {
      for (const { source } of objects.values()) {
        yield source;
      }
    },
    live: (key) => objects.get(key)?.live,
    *marked(controllerName) {
      for (const [key, { live }] of objects) {
        if (controllersIn(live.status).includes(controllerName)) {
          yield key;
        }
      }
    },
    size: () => objects.size,

    put(object, version) {
      const key = keyOfRaw(object);
      const before = objects.get(key);
      const after = store(object, version);
      if (after === undefined) {
        return objects.delete(key) ? "value" : undefined;
      }
      objects.set(key, after);
      return before?.source === after.source ? "live" : "value";
    },

    remove(object) {
      return objects.delete(keyOfRaw(object)) ? "value" : undefined;
    },

    replace(list, version) {
      const next = new Map<string, Stored>();
      for (const object of list) {
        const stored = store(object, version);
        if (stored) {
          next.set(keyOfRaw(object), stored);
        }
      }
      const isUnchanged =
        next.size === objects.size &&
        [...next].every(([key, { source }]) => objects.get(key)?.source === source);
      objects = next;
      return isUnchanged ? "live" : "value";
    },
  };
}

/** The server writes an object's fields in one order, so the texts tell. */
function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function keyOfRaw({ metadata }: RawObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}

function liveOf({ metadata, status }: RawObject): LiveObject {
  const { uid = "", resourceVersion, generation } = metadata;
  return { uid, resourceVersion, generation, status };
}

/** Routes have an entry for each parent, policies one for each ancestor. */
function controllersIn(status: unknown): unknown[] {
  const { parents, ancestors } = (status ?? {}) as { parents?: unknown; ancestors?: unknown };
  return [parents, ancestors]
    .filter(Array.isArray)
    .flatMap((entries) => entries.map((entry) => entry?.controllerName));
}
