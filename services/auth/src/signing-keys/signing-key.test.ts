import { expect, test } from "vitest";
import { generateSigningKey, isOver, isRotationDue, readyAt, scheduleOf } from "./signing-key.ts";

const now = new Date("2030-06-01T00:00:00Z");
const before = (ms: number) => new Date(now.getTime() - ms);
const minuteMs = 60_000;
const dayMs = 86_400_000;
const schedule = scheduleOf(30);

test.each([
  ["it has signed for less than its time", 29 * dayMs, dayMs, false],
  ["its time is over", 30 * dayMs, dayMs, true],
  ["the next one is not known everywhere", 31 * dayMs, 4 * minuteMs, false],
  ["the next one is known everywhere", 31 * dayMs, 5 * minuteMs, true],
])("a key signs until it is due: %s", (_, signsForMs, publishedForMs, isDue) => {
  const active = {
    ...generateSigningKey("active", before(60 * dayMs)),
    activatedAt: before(signsForMs),
  };
  const next = generateSigningKey("next", before(publishedForMs));
  expect(isRotationDue(active, next, schedule, now)).toBe(isDue);
  expect(readyAt(next, schedule) <= now).toBe(publishedForMs >= 5 * minuteMs);
});

test.each([
  ["never while it signs", null, false],
  ["not while a session may still be ended with its ID token", 13 * dayMs, false],
  ["when nothing is left that it signed", 14 * dayMs, true],
])("a key is over: %s", (_, retiredForMs, over) => {
  const retiredAt = retiredForMs === null ? null : before(retiredForMs);
  const key = { ...generateSigningKey("active", before(60 * dayMs)), retiredAt };
  expect(isOver(key, schedule, now)).toBe(over);
});
