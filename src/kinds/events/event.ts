import { EventSource, ObjectReference } from "../core/references.ts";
import * as t from "../../schema/t.ts";

export const EventsEventSeries = t.object("io.k8s.api.events.v1.EventSeries", {
  count: t.int32().pb(1).required().always("zero"),
  lastObservedTime: t.microTime().pb(2).required().always("null"),
});
export interface EventsEventSeries extends t.Stored<typeof EventsEventSeries> {}

/** What `events.k8s.io/v1` calls the fields of the very same events; see `core/event.ts`. */
export const eventsEventFields = {
  action: t.string().pb(6),
  deprecatedCount: t.int32().pb(15),
  deprecatedFirstTimestamp: t.time().pb(13).always("null"),
  deprecatedLastTimestamp: t.time().pb(14).always("null"),
  deprecatedSource: EventSource.pb(12).always("{}"),
  eventTime: t.microTime().pb(2).required().always("null"),
  note: t.string().pb(10),
  reason: t.string().pb(7),
  regarding: ObjectReference.pb(8).always("{}"),
  related: ObjectReference.pb(9),
  reportingController: t.string().pb(4),
  reportingInstance: t.string().pb(5),
  series: EventsEventSeries.pb(3),
  type: t.string().pb(11),
};
