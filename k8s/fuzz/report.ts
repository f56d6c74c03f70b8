import type { FuzzedKind } from "./kinds.ts";
import type { Outcome, Said } from "./verdict.ts";

export interface Tried {
  readonly kind: FuzzedKind;
  readonly name: string;
  readonly object: object;
  /** Why the API server did not take it. */
  readonly refusedByServer?: string;
  readonly outcome?: Outcome;
  readonly said?: readonly Said[];
}

const OUTCOMES: readonly Outcome[] = [
  ...(["good", "explained", "statusless", "foreign", "silent", "ignored"] as const),
];

/** A row for each kind, the reasons that were given, and every object that says too little. */
export function printTable(tried: readonly Tried[], judged: readonly Tried[]): void {
  const columns = ["", "refused by the server", "taken", ...OUTCOMES];
  const rows = [...new Set(tried.map(({ kind }) => kind))].map((kind) =>
    rowOf(kind, tried, judged),
  );
  const total = columns.map((_, index) =>
    index === 0 ? "all" : rows.reduce((sum, row) => sum + Number(row[index]), 0),
  );
  for (const row of [columns, ...rows, total]) {
    console.log(
      row
        .map((cell, index) =>
          `${cell}`.padStart(index === 0 ? 18 : (columns[index]?.length ?? 0) + 2),
        )
        .join(""),
    );
  }
  const reasons = judged.flatMap(({ said = [] }) => [
    ...new Set(said.filter(({ isBad }) => isBad).map(({ reason }) => reason.slice(0, 60))),
  ]);
  const counted = [...Map.groupBy(reasons, (reason) => reason)].sort(
    ([, a], [, b]) => b.length - a.length,
  );
  console.log(
    `reasons: ${counted
      .slice(0, 25)
      .map(([reason, all]) => `${reason} ${all.length}`)
      .join(", ")}`,
  );
  if (process.env.VERBOSE === "1") {
    for (const { kind, name, refusedByServer } of tried) {
      if (refusedByServer) console.log(`refused ${kind.kind} ${name}: ${refusedByServer}`);
    }
  }
  for (const one of judged) {
    const isWrong = one.outcome === "silent" || one.outcome === "ignored";
    if (isWrong || process.env.VERBOSE === "1") {
      const { kind, outcome, said, object } = one;
      console.log(
        `${outcome} ${kind.kind} ${one.name}: ${JSON.stringify(said)} ${JSON.stringify(object).slice(0, 1500)}`,
      );
    }
  }
}

function rowOf(kind: FuzzedKind, tried: readonly Tried[], judged: readonly Tried[]) {
  const ofKind = judged.filter((one) => one.kind === kind);
  const refused = tried.filter((one) => one.kind === kind && one.refusedByServer !== undefined);
  const counts = OUTCOMES.map((outcome) => ofKind.filter((one) => one.outcome === outcome).length);
  return [kind.kind, refused.length, ofKind.length, ...counts];
}
