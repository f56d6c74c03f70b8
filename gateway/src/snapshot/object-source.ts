/**
 * Where Kubernetes objects come from. A source knows files or an API server, and nothing of what
 * the objects mean: those it cannot read are problems of their origin, the rest is handed on.
 */
export interface ObjectSource {
  /** Calls `changed` whenever a new listing may differ from the last one. Never throws. */
  watch(changed: () => void): void;

  /** All objects as they are now. Throws only when nothing can be said, so the last good state stays. */
  list(): Promise<Listing>;

  stop(): void;
}

export interface Listing {
  readonly objects: readonly SourceObject[];
  readonly problems: readonly SourceProblem[];
}

export interface SourceObject {
  /** For people: `routes.yaml#2`, or the object's address in the cluster. */
  readonly origin: string;
  readonly value: unknown;
}

export interface SourceProblem {
  readonly origin: string;
  readonly message: string;
}
