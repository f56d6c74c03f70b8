import type { Snapshot } from "../snapshot/snapshot.ts";

/**
 * Of thousands of objects one changes at a time. Objects are never written to, so what was made of one
 * is what would be made of it again, for as long as it was made from the very same things.
 */
export type Memory<Value> = (key: object, from: readonly unknown[], make: () => Value) => Value;

export function createMemory<Value>(): Memory<Value> {
  const known = new WeakMap<object, { from: readonly unknown[]; value: Value }>();
  return (key, from, make) => {
    const found = known.get(key);
    if (found && isSame(found.from, from)) {
      return found.value;
    }
    const value = make();
    known.set(key, { from, value });
    return value;
  };
}

/**
 * The same for lists of thousands. What is at the place where it was before is found without a search.
 */
export type ListMemory<One extends object, Made> = (
  list: readonly One[],
  from: readonly unknown[],
  make: (one: One) => Made,
) => readonly Made[];

export function createListMemory<One extends object, Made>(): ListMemory<One, Made> {
  const memory = createMemory<Made>();
  let last: { list: readonly One[]; from: readonly unknown[]; made: readonly Made[] } | undefined;
  return (list, from, make) => {
    const known = last && isSame(last.from, from) ? last : undefined;
    const made = list.map((one, index) =>
      known !== undefined && known.list[index] === one
        ? (known.made[index] as Made)
        : memory(one, from, () => make(one)),
    );
    last = { list, from, made };
    return made;
  };
}

export function isSame(some: readonly unknown[], others: readonly unknown[]): boolean {
  return some.length === others.length && some.every((one, index) => one === others[index]);
}

/**
 * A stage of the model that is made from a snapshot, made again only when a list has changed that it
 * looked at, even if it looked when somebody asked it something later.
 */
export function remembered<Rest extends readonly unknown[], Stage>(
  make: (snapshot: Snapshot, ...rest: Rest) => Stage,
): (snapshot: Snapshot, ...rest: Rest) => Stage {
  let known: { stage: Stage; rest: Rest; isUpToDate: (snapshot: Snapshot) => boolean } | undefined;
  return (snapshot, ...rest) => {
    if (known && isSame(known.rest, rest) && known.isUpToDate(snapshot)) {
      return known.stage;
    }
    const { watched, isUpToDate } = watch(snapshot);
    known = { stage: make(watched, ...rest), rest, isUpToDate };
    return known.stage;
  };
}

/** A snapshot that notes which of its lists are read. One that has not been read is free to change. */
function watch(first: Snapshot) {
  let current = first;
  const read = new Set<keyof Snapshot>();
  const watched = new Proxy({} as Snapshot, {
    get(_, list) {
      read.add(list as keyof Snapshot);
      return current[list as keyof Snapshot];
    },
  });
  return {
    watched,
    isUpToDate(snapshot: Snapshot) {
      const isUnchanged = [...read].every((list) => snapshot[list] === current[list]);
      current = isUnchanged ? snapshot : current;
      return isUnchanged;
    },
  };
}
