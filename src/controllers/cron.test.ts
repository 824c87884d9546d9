import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSchedule } from "./cron.ts";

const cases = [
  // line              zone              after                  next
  ["* * * * *",        undefined,        "2030-01-01T00:00:00", "2030-01-01T00:01:00"],
  ["*/15 * * * *",     undefined,        "2030-01-01T00:14:59", "2030-01-01T00:15:00"],
  ["5 4 * * *",        undefined,        "2030-01-01T04:05:00", "2030-01-02T04:05:00"],
  ["0 0 31 * *",       undefined,        "2030-01-31T00:00:00", "2030-03-31T00:00:00"],
  ["0 9 * * mon-fri",  undefined,        "2030-01-04T09:00:00", "2030-01-07T09:00:00"],
  ["0 0 13 * fri",     undefined,        "2030-01-01T00:00:00", "2030-01-04T00:00:00"],
  ["0 12 29 feb *",    undefined,        "2030-01-01T00:00:00", "2032-02-29T12:00:00"],
  ["@daily",           undefined,        "2030-01-01T10:00:00", "2030-01-02T00:00:00"],
  ["@every 90s",       undefined,        "2030-01-01T10:00:00", "2030-01-01T10:01:30"],
  ["0 9 * * *",        "Europe/Berlin",  "2030-01-01T08:30:00", "2030-01-02T08:00:00"],
  ["0 9 * * *",        "Europe/Berlin",  "2030-07-01T00:00:00", "2030-07-01T07:00:00"],
  // An hour that is skipped in spring does not come that day.
  ["30 2 * * *",       "Europe/Berlin",  "2030-03-30T12:00:00", "2030-04-01T00:30:00"],
  ["0 0 * * *",        "Asia/Kolkata",   "2030-01-01T00:00:00", "2030-01-01T18:30:00"],
] as const;
for (const [line, zone, after, next] of cases)
  test(`"${line}" ${zone ?? "UTC"} after ${after}`, () => {
    assert.equal(new Date(parseSchedule(line, zone).next(Date.parse(`${after}Z`)) ?? 0).toISOString(), `${next}.000Z`);
  });

test("a line that never comes round has no next time, and nonsense is refused", () => {
  assert.equal(parseSchedule("0 0 30 2 *", undefined).next(0), undefined);
  for (const [line, message] of [["* * *", /expected exactly 5 fields, found 3/], ["60 * * * *", /end of range \(60\) above maximum \(59\)/], ["*/0 * * * *", /positive/], ["a * * * *", /invalid syntax/], ["@often", /unrecognized descriptor/]] as const)
    assert.throws(() => parseSchedule(line, undefined), message);
  assert.throws(() => parseSchedule("* * * * *", "Nowhere/Land"), RangeError);
});
