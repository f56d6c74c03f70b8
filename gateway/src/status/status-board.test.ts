import { expect, test } from "vitest";
import { createLogger } from "../logger.ts";
import { fails, holds, type Verdict } from "../model/verdict.ts";
import { createStatusBoard } from "./status-board.ts";

const object = { kind: "HTTPRoute", namespace: "portico", name: "posts" };
const accepted: Verdict = { object, generation: 1, conditions: [holds("Accepted")] };
const refused: Verdict = {
  object,
  generation: 2,
  conditions: [fails("Accepted", { reason: "Invalid", message: "spec.rules: is missing" })],
};

function board() {
  const lines: { level: string; event: string }[] = [];
  let minute = 0;
  const logger = createLogger("debug", (line) => lines.push(JSON.parse(line)));
  const status = createStatusBoard(logger, () => new Date(Date.UTC(2026, 0, 1, 0, minute++)));
  return { ...status, events: () => lines.map(({ level, event }) => `${level} ${event}`), lines };
}

test("status > a refused object is one warning that says why, and one more line when it is mended", () => {
  const { report, events, lines } = board();
  report([refused]);
  report([refused]);
  report([accepted]);
  expect(events()).toEqual(["warn object.rejected", "info object.accepted"]);
  expect(lines[0]).toMatchObject({
    object: "HTTPRoute portico/posts",
    reason: "Invalid",
    message: "spec.rules: is missing",
  });
});

test("status > lastTransitionTime moves when the status does, observedGeneration always", () => {
  const { report, statuses } = board();
  report([accepted]);
  report([{ ...accepted, generation: 3 }]);
  expect(statuses()[0]?.conditions).toMatchObject([
    { status: "True", observedGeneration: 3, lastTransitionTime: "2026-01-01T00:00:00.000Z" },
  ]);
  report([refused]);
  expect(statuses()[0]?.conditions).toMatchObject([
    { status: "False", observedGeneration: 2, lastTransitionTime: "2026-01-01T00:02:00.000Z" },
  ]);
});

test("status > an object that is gone is gone from the board", () => {
  const { report, statuses } = board();
  report([accepted]);
  report([]);
  expect(statuses()).toEqual([]);
});

test("status > two objects of one name do not hide one another, and each is told once", () => {
  const { report, statuses, events } = board();
  const duplicate: Verdict = { ...refused, origin: "b.yaml#1" };
  report([duplicate, accepted]);
  report([duplicate, accepted]);
  expect(statuses()).toHaveLength(2);
  expect(events()).toEqual(["warn object.rejected", "debug object.accepted"]);
});
