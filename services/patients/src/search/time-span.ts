/**
 * FHIR's dates are as precise as they are written: `2026-02` is all of February. So a date is a span
 * of time; without an offset it is in UTC (https://hl7.org/fhir/R4/search.html#date leaves the choice
 * to the server). Not @medplum/core's `toPeriod`: its months all have 31 days.
 */

/** Both ends belong to it. */
export type TimeSpan = { start: Date; end: Date };

const pattern =
  /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/;

const minuteMs = 60_000;
const secondMs = 1_000;
const dayMs = 86_400_000;

/** The span of a `date`, `dateTime` or `instant`; undefined for what no calendar or clock has. */
export function toTimeSpan(text: string): TimeSpan | undefined {
  const [, year = "", month, day, hour, minute, second, fraction, offset] =
    pattern.exec(text) ?? [];
  const date = `${year}-${month ?? "01"}-${day ?? "01"}`;
  const time = `${hour ?? "00"}:${minute ?? "00"}:${second ?? "00"}.${(fraction ?? "").padEnd(3, "0").slice(0, 3)}`;
  const start = new Date(`${date}T${time}${offset ?? "Z"}`);
  if (Number.isNaN(start.getTime()) || !isInCalendar(date)) return undefined;

  const next = new Date(start);
  if (!month) next.setUTCFullYear(start.getUTCFullYear() + 1);
  else if (!day) next.setUTCMonth(start.getUTCMonth() + 1);
  else next.setTime(start.getTime() + lengthMs(hour, second, fraction));
  return { start, end: new Date(next.getTime() - 1) };
}

/** JavaScript takes 30 February for 2 March. */
const isInCalendar = (date: string): boolean =>
  new Date(`${date}T00:00:00Z`).toISOString().startsWith(date);

function lengthMs(hour?: string, second?: string, fraction?: string): number {
  if (!hour) return dayMs;
  if (!second) return minuteMs;
  return fraction ? 1 : secondMs;
}
