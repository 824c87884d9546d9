import { EventSource, ObjectReference } from "./references.ts";
import { eventsEventFields } from "../events/event.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const EventSeries = t.object("io.k8s.api.core.v1.EventSeries", {
  count: t.int32().pb(1),
  lastObservedTime: t.microTime().pb(2).always("null"),
});
export interface EventSeries extends t.Stored<typeof EventSeries> {}

export const Event = defineKind({
  group: "", version: "v1", kind: "Event", plural: "events", namespaced: true,
  shortNames: ["ev"],
  definition: "io.k8s.api.core.v1.Event",
  doc: "",
  fields: {
    action: t.string().pb(12),
    count: t.int32().pb(8),
    eventTime: t.microTime().pb(10).always("null"),
    firstTimestamp: t.time().pb(6).always("null"),
    involvedObject: ObjectReference.pb(2).required().always("{}"),
    lastTimestamp: t.time().pb(7).always("null"),
    message: t.string().pb(4),
    reason: t.string().pb(3),
    related: ObjectReference.pb(13),
    reportingComponent: t.string().pb(14).always("zero"),
    reportingInstance: t.string().pb(15).always("zero"),
    series: EventSeries.pb(11),
    source: EventSource.pb(5).always("{}"),
    type: t.string().pb(9),
  },
  alsoServed: [{
    group: "events.k8s.io", version: "v1", definition: "io.k8s.api.events.v1.Event", fields: eventsEventFields,
    fromStored: (event: JsonObject) => rename(event, otherNames),
    toStored: (event: JsonObject) => rename(event, ownNames),
  }],
});
export interface Event extends Resource<typeof Event> {}

/** Field by field, what v1 and events.k8s.io/v1 call the same thing (upstream pkg/apis/events/v1/conversion.go); `source.component` stays apart. */
const otherNames: { readonly [own: string]: string } = {
  involvedObject: "regarding", message: "note", reportingComponent: "reportingController", source: "deprecatedSource",
  firstTimestamp: "deprecatedFirstTimestamp", lastTimestamp: "deprecatedLastTimestamp", count: "deprecatedCount",
};
const ownNames: { readonly [other: string]: string } = Object.fromEntries(Object.entries(otherNames).map(([own, other]) => [other, own]));
function rename(event: JsonObject, names: { readonly [from: string]: string }): Json {
  return Object.fromEntries(Object.entries(event).map(([name, value]) => [names[name] ?? name, value]));
}
