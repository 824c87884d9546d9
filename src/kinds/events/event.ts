import { EventSource, ObjectReference } from "../core/references.ts";
import * as t from "../../schema/t.ts";

export const EventsEventSeries = t.object("io.k8s.api.events.v1.EventSeries", {
  count: t.int32().pb(1).required().always("zero").doc("How often it has happened up to then."),
  lastObservedTime: t.microTime().pb(2).required().always("null").doc("When it last happened."),
});
export interface EventsEventSeries extends t.Stored<typeof EventsEventSeries> {}

/** What `events.k8s.io/v1` calls the fields of the very same events; see `core/event.ts`. */
export const eventsEventFields = {
  action: t.string().pb(6).doc("What was done or failed, for programs."),
  deprecatedCount: t.int32().pb(15).doc("How often it has happened, in the older form."),
  deprecatedFirstTimestamp: t.time().pb(13).always("null").doc("When it was first recorded, in the older form."),
  deprecatedLastTimestamp: t.time().pb(14).always("null").doc("When it was last recorded, in the older form."),
  deprecatedSource: EventSource.pb(12).always("{}").doc("The component that reports it, in the older form."),
  eventTime: t.microTime().pb(2).required().always("null").doc("When it first happened."),
  note: t.string().pb(10).doc("What happened, for people."),
  reason: t.string().pb(7).doc("Why, as one CamelCase word."),
  regarding: ObjectReference.pb(8).always("{}").doc("What the event is about."),
  related: ObjectReference.pb(9).doc("Another object that has to do with it."),
  reportingController: t.string().pb(4).doc("The controller that reports it."),
  reportingInstance: t.string().pb(5).doc("Which instance of that controller, such as its node."),
  series: EventsEventSeries.pb(3).doc("How often it has happened since, if more than once."),
  type: t.string().pb(11).doc("Normal or Warning."),
};
