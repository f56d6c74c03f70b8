/** The table that a person reads. */
import { availableParallelism, cpus } from "node:os";
import type { Line, Section, Verdict } from "./comparison.ts";
import type { Effort } from "./load/in-turn.ts";
import { generator } from "./load/requests.ts";

const nameWidth = 58;

export function printHead({ connections, rounds, seconds }: Effort): void {
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  console.log(
    `\n${availableParallelism()} cores that everything shares, the load generator too: ${model}\n` +
      `${generator}, ${connections} connections, the median of ${rounds} rounds of ${seconds} s`,
  );
}

export function printSection({ title, lines, verdicts }: Section): void {
  console.log(`\n${title.padEnd(nameWidth)}${columns("per s", "p50 ms", "p99 ms")}`);
  for (const line of lines) printLine(line);
  printVerdicts(verdicts);
}

export function printVerdicts(verdicts: readonly Verdict[]): void {
  for (const { what, figure, bar, met } of verdicts) {
    const verdict = bar ? `${bar.padEnd(12)}${met ? "met" : "MISSED"}` : "";
    console.log(`  ${what.padEnd(nameWidth - 2)}${figure.padStart(10)}   ${verdict}`.trimEnd());
  }
}

function printLine({ name, measured, note = "" }: Line): void {
  const figures = measured
    ? columns(rate(measured.perSecond), latency(measured.p50Ms), latency(measured.p99Ms))
    : "";
  console.log(`  ${name.padEnd(nameWidth - 2)}${figures}${note.padStart(14)}`.trimEnd());
}

const columns = (...texts: string[]): string => texts.map((text) => text.padStart(10)).join("");

const rate = (perSecond: number): string =>
  perSecond < 100 ? perSecond.toFixed(1) : Math.round(perSecond).toLocaleString("en");

const latency = (ms: number): string => ms.toFixed(ms < 10 ? 2 : 1);
