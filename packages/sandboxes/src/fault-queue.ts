/**
 * Faults that someone ordered: "the next three requests fail". Each stand-in names its own kinds
 * and takes a fault from here at the place where the real thing would break.
 */

/** A fault and how many more times it strikes; without a count, until the queue is cleared. */
export type Fault = { kind: string; count?: number | undefined };

export type FaultQueue<F extends Fault> = {
  add(fault: F): void;
  /** The oldest fault of that kind, used up once; undefined when none waits. */
  take<Kind extends F["kind"]>(
    kind: Kind,
    matches?: (fault: Extract<F, { kind: Kind }>) => boolean,
  ): Extract<F, { kind: Kind }> | undefined;
  list(): readonly F[];
  clear(): void;
};

export function createFaultQueue<F extends Fault>(initial: readonly F[] = []): FaultQueue<F> {
  let waiting: F[] = initial.map((fault) => ({ ...fault }));

  const strike = (fault: F): void => {
    if (fault.count === undefined) return;
    fault.count -= 1;
    if (fault.count <= 0) waiting = waiting.filter((other) => other !== fault);
  };

  return {
    add: (fault) => {
      waiting.push({ ...fault });
    },
    take<Kind extends F["kind"]>(
      kind: Kind,
      matches: (fault: Extract<F, { kind: Kind }>) => boolean = () => true,
    ) {
      const isOrdered = (fault: F): fault is Extract<F, { kind: Kind }> =>
        fault.kind === kind && matches(fault as Extract<F, { kind: Kind }>);
      const fault = waiting.find(isOrdered);
      if (fault) strike(fault);
      return fault;
    },
    list: () => waiting.map((fault) => ({ ...fault })),
    clear: () => {
      waiting = [];
    },
  };
}
