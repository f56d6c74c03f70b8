import { KINDS, type ObjectLists } from "./kinds.ts";
import { Kind, type ObjectRef } from "./metadata.ts";
import type { Listing, SourceObject } from "./object-source.ts";
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
  const lists = new Map<string, unknown[]>(Kind.options.map((kind) => [kind, []]));
  const rejections: Rejection[] = listing.problems.map(({ origin, message }) => ({
    object: { kind: "File", namespace: "", name: origin },
    origin,
    reason: "Unreadable",
    message,
  }));
  const readings = readAll(listing.objects, defaultNamespace, before && read.get(before));
  const origins = new Map<string, string>();
  for (const [index, { origin }] of listing.objects.entries()) {
    const reading = readings[index] as Reading;
    const first = reading.kind === undefined ? undefined : origins.get(reading.key);
    if (first !== undefined || "refusal" in reading) {
      rejections.push(rejectionOf(reading, origin, first));
    } else {
      lists.get(reading.kind)?.push(reading.parsed);
    }
    if (first === undefined) {
      origins.set(reading.key, origin);
    }
  }
  const all = [...lists].map(([kind, list]): [string, readonly unknown[]] => [
    KINDS[kind as Kind].list,
    list,
  ]);
  const kept = [...all, ["rejections", rejections] as const].map(([name, list]) => [
    name,
    asBefore(list, before?.[name as keyof Snapshot]),
  ]);
  // The table of kinds says what each list holds, and only what it says was put there.
  const snapshot = Object.freeze(Object.fromEntries(kept)) as Snapshot;
  read.set(snapshot, { objects: listing.objects, readings });
  return snapshot;
}

interface Read {
  readonly objects: readonly SourceObject[];
  readonly readings: readonly Reading[];
}

/** What a snapshot was made from, for the next one. */
const read = new WeakMap<Snapshot, Read>();

function readAll(
  objects: readonly SourceObject[],
  defaultNamespace: string,
  before: Read | undefined,
): Reading[] {
  return objects.map((object, index) =>
    before?.objects[index] === object
      ? (before.readings[index] as Reading)
      : readObject(object.value, object.origin, defaultNamespace),
  );
}

function asBefore(list: readonly unknown[], before: readonly unknown[] | undefined) {
  const isSame =
    before?.length === list.length && list.every((one, index) => one === before[index]);
  return isSame ? before : list;
}

/**
 * Of two objects of one name the first counts, also when it is not valid.
 *
 * @param first where the other one is, if there is one
 */
function rejectionOf(reading: Reading, origin: string, first: string | undefined): Rejection {
  const { object, generation } = reading;
  const about = { object, ...(generation !== undefined && { generation }), origin };
  if (first !== undefined || !("refusal" in reading)) {
    const message = `is defined in ${first} already; remove one of the two`;
    return { ...about, reason: "Duplicate", message };
  }
  const known = refused.get(reading);
  const rejection = known?.origin === origin ? known : { ...about, ...reading.refusal };
  refused.set(reading, rejection);
  return rejection;
}

/** The same rejection for the same object, as long as it is read from the same place. */
const refused = new WeakMap<Reading, Rejection>();
