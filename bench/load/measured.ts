/** What one run of a load generator found. */
export interface Measured {
  perSecond: number;
  /** How long half of the requests, and all but one in a hundred of them, took at most. */
  p50Ms: number;
  p99Ms: number;
  /** Answers that were not 2xx, and connections that failed: any makes the figures worthless. */
  failures: number;
  /** Of the processors, for each request, where what is measured has processes that can be looked at. */
  processorUs?: number;
}

export function summarise(latenciesMs: readonly number[], seconds: number): Measured {
  return {
    perSecond: latenciesMs.length / seconds,
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
    failures: 0,
  };
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Of several rounds, figure by figure. */
export const medianOf = (rounds: readonly Measured[]): Measured => ({
  perSecond: median(rounds.map(({ perSecond }) => perSecond)),
  p50Ms: median(rounds.map(({ p50Ms }) => p50Ms)),
  p99Ms: median(rounds.map(({ p99Ms }) => p99Ms)),
  failures: 0,
  processorUs: medianOfKnown(rounds.map(({ processorUs }) => processorUs)),
});

function medianOfKnown(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length > 0 ? median(known) : undefined;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
