/** Rules of events in both groups (kubernetes pkg/apis/core/validation/events.go). Those with an eventTime come from the newer library and are held to more. */
import { sameJson } from "../../base/json.ts";
import { goValue } from "../../schema/go-value.ts";
import * as grammar from "../../schema/grammar.ts";
import { invalidValue, type Problem, required } from "../../schema/problem.ts";
import { ObjectReference } from "./references.ts";

type EventLike = {
  readonly [field: string]: unknown;
  readonly metadata: { readonly namespace?: string | undefined };
  readonly involvedObject: ObjectReference;
  readonly eventTime?: string | undefined; readonly reportingComponent: string; readonly reportingInstance: string;
  readonly action?: string | undefined; readonly reason?: string | undefined; readonly message?: string | undefined; readonly type?: string | undefined;
  readonly series?: { readonly count?: number | undefined; readonly lastObservedTime?: string | null | undefined } | undefined;
  readonly firstTimestamp?: string | null | undefined; readonly lastTimestamp?: string | null | undefined; readonly count?: number | undefined;
  readonly source?: { readonly component?: string | undefined; readonly host?: string | undefined } | undefined;
};
const nameMax = 128;
const messageMax = 1024;

export function eventRules(event: EventLike, previous: EventLike | undefined, { apiVersion = "v1" }: { readonly apiVersion?: string }): readonly Problem[] {
  const isStrict = apiVersion !== "v1";
  return [...commonRules(event, isStrict ? "reportingController" : "reportingComponent"), ...(!isStrict ? [] : previous === undefined ? createRules(event) : updateRules(event, previous))];
}

/** What the newer group asks of a new event: nothing of the older form. */
function* createRules(event: EventLike): Iterable<Problem> {
  yield* seriesRules(event);
  const unset = (value: unknown): boolean => value === undefined || value === null || value === "" || value === 0;
  if (unset(event.eventTime)) yield required("eventTime");
  if (event.type !== "Normal" && event.type !== "Warning") yield invalidValue("type", "", `has invalid value: ${event.type ?? ""}`);
  for (const field of ["firstTimestamp", "lastTimestamp", "count"] as const) if (!unset(event[field])) yield invalidValue(field, "", "needs to be unset");
  if (!unset(event.source?.component) || !unset(event.source?.host)) yield invalidValue("source", "", "needs to be unset");
}

/** And of an update: only the series goes on. */
function* updateRules(event: EventLike, previous: EventLike): Iterable<Problem> {
  if (!sameJson(event.series ?? null, previous.series ?? null)) yield* seriesRules(event);
  const fields = [["involvedObject"], ["reason"], ["message"], ["source"], ["firstTimestamp"], ["lastTimestamp"], ["count"], ["reason"], ["type"], ["eventTime"], ["action"], ["related"], ["reportingComponent", "reportingController"], ["reportingInstance"]] as const;
  for (const [field, shown = field] of fields) if (!sameJson(event[field] ?? null, previous[field] ?? null)) yield invalidValue(shown, shownField(field, event), "field is immutable");
}

/** Fields of Go's struct are all there. */
function shownField(field: keyof EventLike & string, event: EventLike): unknown {
  if (field === "involvedObject" || (field === "related" && event.related)) return goValue(ObjectReference.node, event[field]);
  if (field === "source") return { Component: event.source?.component ?? "", Host: event.source?.host ?? "" };
  return event[field] ?? (field === "count" ? 0 : ["reason", "message", "type", "action", "reportingComponent", "reportingInstance"].includes(field) ? "" : null);
}

function* seriesRules({ series }: EventLike): Iterable<Problem> {
  if (series === undefined) return;
  if ((series.count ?? 0) < 2) yield invalidValue("series.count", "", "should be at least 2");
  if ((series.lastObservedTime ?? "") === "") yield required("series.lastObservedTime");
}

function commonRules(event: EventLike, reporter: "reportingController" | "reportingComponent"): readonly Problem[] {
  const problems: Problem[] = [];
  const { namespace = "" } = event.metadata;
  const object = event.involvedObject.namespace ?? "";
  const isNew = event.eventTime !== undefined && event.eventTime !== null;
  const wrong = isNew ? object === "" && namespace !== "default" && namespace !== "kube-system" : object === "" ? namespace !== "" && namespace !== "default" : namespace !== object;
  if (wrong) problems.push(invalidValue("involvedObject.namespace", object, "does not match event.namespace"));
  if (!isNew) return problems;
  if (event.reportingComponent === "") problems.push(required(reporter));
  for (const detail of grammar.qualifiedName(event.reportingComponent)) problems.push(invalidValue(reporter, event.reportingComponent, detail));
  const short = (name: string, value: string | undefined): void => {
    if (!value) problems.push(required(name));
    else if (grammar.byteLength(value) > nameMax) problems.push(invalidValue(name, "", `can have at most ${nameMax} characters`));
  };
  short("reportingInstance", event.reportingInstance);
  short("action", event.action);
  short("reason", event.reason);
  if (grammar.byteLength(event.message ?? "") > messageMax) problems.push(invalidValue("message", "", `can have at most ${messageMax} characters`));
  return problems;
}
