import type { Platform, Progress } from "@portico/dev-env";
import type { Effort } from "./load/in-turn.ts";
import type { Measured } from "./load/measured.ts";

/** What every comparison has at hand. */
export interface Bench {
  platform: Platform;
  /** For logs and data of this run; removed at its end. */
  folder: string;
  effort: Effort;
  progress: Progress;
}

export interface Comparison {
  /** What `ROWS=` names it. */
  name: string;
  /** Prepares, measures, and ends what it started. A `Failure` leaves it out of the table. */
  run(bench: Bench): Promise<Section>;
}

export interface Section {
  title: string;
  lines: Line[];
  verdicts: Verdict[];
}

export interface Line {
  name: string;
  measured?: Measured;
  note?: string;
}

/** A figure and what it has to be. */
export interface Verdict {
  what: string;
  figure: string;
  /** Without one, the figure is there to be known. */
  bar?: string;
  met?: boolean;
}

export const line = (name: string, measured: Measured | undefined): Line => ({ name, measured });

export const times = (factor: number): string => `${factor.toFixed(factor < 10 ? 2 : 1)} ×`;

export const atLeast = (what: string, factor: number, bar: number): Verdict => ({
  what,
  figure: times(factor),
  bar: `≥ ${bar} ×`,
  met: factor >= bar,
});

export const atMost = (what: string, factor: number, bar: number): Verdict => ({
  what,
  figure: times(factor),
  bar: `≤ ${bar} ×`,
  met: factor <= bar,
});

/** How many times as many of the one as of the other there are each second. */
export const ratio = (one: Measured | undefined, other: Measured | undefined): number =>
  (one?.perSecond ?? Number.NaN) / (other?.perSecond ?? Number.NaN);
