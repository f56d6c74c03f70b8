import { KINDS, type ObjectLists } from "./kinds.ts";
import { Kind, type ObjectRef } from "./metadata.ts";
import type { Listing } from "./object-source.ts";
import { type ObjectRefusal, type Reading, readObject } from "./read-object.ts";

/**
 * Everything the controller knows at one moment, checked object by object. Owns what an object may
 * look like; whether it makes sense beside the others is for the model.
 */
export interface Snapshot extends ObjectLists {
  readonly rejections: readonly Rejection[];
}

/** An object, or a whole file, that is left out, and what a person should change. */
export interface Rejection extends Omit<ObjectRefusal, "reason"> {
  readonly object: ObjectRef;
  readonly generation?: number;
  readonly origin: string;
  readonly reason: ObjectRefusal["reason"] | "Duplicate" | "Unreadable";
}

/** Lists that are as they were in the snapshot before are the same JavaScript objects. */
export function takeSnapshot(
  listing: Listing,
  defaultNamespace: string,
  before?: Snapshot,
): Snapshot {
  const lists = new Map<string, unknown[]>(Kind.options.map((kind) => [KINDS[kind].list, []]));
  const rejections: Rejection[] = listing.problems.map(({ origin, message }) => ({
    object: { kind: "File", namespace: "", name: origin },
    origin,
    reason: "Unreadable",
    message,
  }));
  const origins = new Map<string, string>();
  for (const { origin, value } of listing.objects) {
    const reading = readObject(value, origin, defaultNamespace);
    const rejection = rejectionOf(reading, origin, origins);
    if (rejection) {
      rejections.push(rejection);
    } else if ("parsed" in reading) {
      lists.get(KINDS[reading.kind].list)?.push(reading.parsed);
    }
  }
  const all = Object.entries({ ...Object.fromEntries(lists), rejections });
  const kept = all.map(([name, list]) => [name, asBefore(list, before?.[name as keyof Snapshot])]);
  // The table of kinds says what each list holds, and only what it says was put there.
  return Object.freeze(Object.fromEntries(kept)) as Snapshot;
}

function asBefore(list: readonly unknown[], before: readonly unknown[] | undefined) {
  const isSame =
    before?.length === list.length && list.every((one, index) => one === before[index]);
  return isSame ? before : list;
}

/** Of two objects of one name the first counts, also when it is not valid. */
function rejectionOf(
  reading: Reading,
  origin: string,
  origins: Map<string, string>,
): Rejection | undefined {
  const { object, generation } = reading;
  const about = { object, ...(generation !== undefined && { generation }), origin };
  if (reading.kind !== undefined) {
    const key = `${object.kind} ${object.namespace}/${object.name}`;
    const first = origins.get(key);
    if (first !== undefined) {
      const message = `is defined in ${first} already; remove one of the two`;
      return { ...about, reason: "Duplicate", message };
    }
    origins.set(key, origin);
  }
  if (!("refusal" in reading)) {
    return undefined;
  }
  const known = refused.get(reading);
  const rejection = known?.origin === origin ? known : { ...about, ...reading.refusal };
  refused.set(reading, rejection);
  return rejection;
}

/** The same rejection for the same object, as long as it is read from the same place. */
const refused = new WeakMap<Reading, Rejection>();
