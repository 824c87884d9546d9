import { EventSource, ObjectReference } from "./references.ts";
import { eventsEventFields } from "../events/event.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { ageOf, nameColumn } from "../columns.ts";
import { eventRules } from "./eventrules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const EventSeries = t.object("io.k8s.api.core.v1.EventSeries", {
  count: t.int32().pb(1).doc("How often it has happened up to then."),
  lastObservedTime: t.microTime().pb(2).always("null").doc("When it last happened."),
});
export interface EventSeries extends t.Stored<typeof EventSeries> {}

export const Event = defineKind({
  group: "", version: "v1", kind: "Event", plural: "events", namespaced: true,
  shortNames: ["ev"],
  createOnUpdate: true, metadataRequired: true, ownsNothing: true,
  definition: "io.k8s.api.core.v1.Event",
  doc: "Something that happened to an object, kept for an hour.",
  fields: {
    action: t.string().pb(12).doc("What was done or failed, for programs."),
    count: t.int32().pb(8).doc("How often it has happened."),
    eventTime: t.microTime().pb(10).always("null").doc("When it first happened."),
    firstTimestamp: t.time().pb(6).always("null").doc("When it was first recorded."),
    involvedObject: ObjectReference.pb(2).required().always("{}").doc("What the event is about."),
    lastTimestamp: t.time().pb(7).always("null").doc("When it was last recorded."),
    message: t.string().pb(4).doc("What happened, for people."),
    reason: t.string().pb(3).doc("Why, as one CamelCase word."),
    related: ObjectReference.pb(13).doc("Another object that has to do with it."),
    reportingComponent: t.string().pb(14).always("zero").doc("The controller that reports it."),
    reportingInstance: t.string().pb(15).always("zero").doc("Which instance of that controller, such as its node."),
    series: EventSeries.pb(11).doc("How often it has happened since, if more than once."),
    source: EventSource.pb(5).always("{}").doc("The component that reports it, in the older form."),
    type: t.string().pb(9).doc("Normal or Warning."),
  },
  rules: eventRules,
  alsoServed: [{
    group: "events.k8s.io", version: "v1", definition: "io.k8s.api.events.v1.Event", fields: eventsEventFields,
    // The reporter may be absent there, and is written as "" only by v1.
    fromStored: (event: JsonObject) => rename(event.reportingComponent === "" || event.reportingInstance === "" ? withoutEmptyReporter(event) : event, otherNames),
    toStored: (event: JsonObject) => rename(event, ownNames),
    // Their names there (pkg/apis/events/v1/conversion.go).
    overrides: {
      selectable: {
        "regarding.kind": (event: any) => event.involvedObject.kind ?? "",
        "regarding.namespace": (event: any) => event.involvedObject.namespace ?? "",
        "regarding.name": (event: any) => event.involvedObject.name ?? "",
        "regarding.uid": (event: any) => event.involvedObject.uid ?? "",
        "regarding.apiVersion": (event: any) => event.involvedObject.apiVersion ?? "",
        "regarding.resourceVersion": (event: any) => event.involvedObject.resourceVersion ?? "",
        "regarding.fieldPath": (event: any) => event.involvedObject.fieldPath ?? "",
        reportingController: (event: any) => event.reportingComponent,
        reason: (event: any) => event.reason ?? "",
        type: (event: any) => event.type ?? "",
      },
    },
  }],
  uncached: true,
  selectable: {
    "involvedObject.kind": event => event.involvedObject.kind ?? "",
    "involvedObject.namespace": event => event.involvedObject.namespace ?? "",
    "involvedObject.name": event => event.involvedObject.name ?? "",
    "involvedObject.uid": event => event.involvedObject.uid ?? "",
    "involvedObject.apiVersion": event => event.involvedObject.apiVersion ?? "",
    "involvedObject.resourceVersion": event => event.involvedObject.resourceVersion ?? "",
    "involvedObject.fieldPath": event => event.involvedObject.fieldPath ?? "",
    reason: event => event.reason ?? "",
    reportingComponent: event => event.reportingComponent,
    source: event => event.source.component || event.reportingComponent,
    type: event => event.type ?? "",
  },
  columns: [
    { name: "Last Seen", type: "string", doc: "Time since it happened last.", cell: (event, now) => ageOf(lastSeen(event), now) },
    { name: "Type", type: "string", doc: "Normal or Warning.", cell: event => event.type ?? "" },
    { name: "Reason", type: "string", doc: "Why it was recorded, in one word.", cell: event => event.reason ?? "" },
    { name: "Object", type: "string", doc: "What it happened to.", cell: ({ involvedObject: { kind = "", name } }) => (name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase()) },
    { name: "Subobject", type: "string", priority: 1, doc: "The part of the object it is about.", cell: event => event.involvedObject.fieldPath ?? "" },
    { name: "Source", type: "string", priority: 1, doc: "Component that reports it, and from where.", cell: event => [event.source.component || event.reportingComponent, event.source.host || event.reportingInstance].filter((part, i) => i === 0 || part !== "").join(", ") },
    { name: "Message", type: "string", doc: "What happened, for people.", cell: event => (event.message ?? "").trim() },
    { name: "First Seen", type: "string", priority: 1, doc: "Time since it happened first.", cell: (event, now) => ageOf(event.firstTimestamp ?? event.eventTime, now) },
    { name: "Count", type: "string", priority: 1, doc: "How often it happened.", cell: event => event.series?.count ?? (event.series ? 0 : event.count || 1) },
    { ...nameColumn, priority: 1 },
  ],
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

function withoutEmptyReporter({ reportingComponent, reportingInstance, ...event }: JsonObject): JsonObject {
  return { ...event, ...(reportingComponent === "" ? {} : { reportingComponent: reportingComponent! }), ...(reportingInstance === "" ? {} : { reportingInstance: reportingInstance! }) };
}

type Seen = { readonly series?: EventSeries | undefined; readonly lastTimestamp?: string | undefined; readonly firstTimestamp?: string | undefined; readonly eventTime?: string | undefined };
function lastSeen(event: Seen): string | undefined {
  return event.series ? event.series.lastObservedTime : (event.lastTimestamp ?? event.firstTimestamp ?? event.eventTime);
}
