import assert from "node:assert/strict";
import { test } from "node:test";
import { problemBody } from "../../schema/problem.ts";
import { eventRules } from "./eventrules.ts";

const newer = { metadata: { namespace: "x" }, involvedObject: { namespace: "x" }, eventTime: "2026-01-01T00:00:00.000000Z", reportingComponent: "a.b/c", reportingInstance: "i", action: "Did", reason: "Because", type: "Normal" } as const;
const said = (apiVersion: string, more: object, previous?: object): string =>
  [...eventRules({ ...newer, ...more } as never, previous === undefined ? undefined : ({ ...newer, ...previous } as never), { apiVersion })].map(problem => `${problem.field}: ${problemBody(problem)}`).join("; ");

const table: readonly (readonly [string, string, object, object | undefined, string])[] = [
  ["as the newer library makes it", "events.k8s.io/v1", {}, undefined, ""],
  ["of the older form, in the older group", "v1", { eventTime: undefined, count: 3, type: "Odd", source: { component: "c" } }, undefined, ""],
  ["of the older form, in the newer group", "events.k8s.io/v1", { eventTime: undefined, count: 3, type: "Odd", source: { component: "c" }, firstTimestamp: "2026-01-01T00:00:00Z" }, undefined,
    'eventTime: Required value; type: Invalid value: "": has invalid value: Odd; firstTimestamp: Invalid value: "": needs to be unset; count: Invalid value: "": needs to be unset; source: Invalid value: "": needs to be unset'],
  ["a series of one", "events.k8s.io/v1", { series: { count: 1 } }, undefined, 'series.count: Invalid value: "": should be at least 2; series.lastObservedTime: Required value'],
  ["a series of one, in the older group", "v1", { series: { count: 1 } }, undefined, ""],
  ["the reporter's name in each group", "events.k8s.io/v1", { reportingComponent: "" }, undefined, "reportingController: Required value; reportingController: Invalid value: \"\": name part must be non-empty; reportingController: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"],
  ["a series that goes on", "events.k8s.io/v1", { series: { count: 3, lastObservedTime: "2026-01-01T00:00:00.000000Z" } }, {}, ""],
  ["anything else that changes", "events.k8s.io/v1", { message: "other", type: "Warning" }, {}, 'message: Invalid value: "other": field is immutable; type: Invalid value: "Warning": field is immutable'],
  ["anything that changes in the older group", "v1", { message: "other" }, {}, ""],
];
for (const [name, apiVersion, event, previous, expected] of table) test(`an event ${name}`, () => assert.equal(said(apiVersion, event, previous), expected));
