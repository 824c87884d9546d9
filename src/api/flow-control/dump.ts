/** The tables at /debug/api_priority_and_fairness/ (apiserver pkg/util/flowcontrol/apf_controller_debug.go). */
import { microTimeOf } from "../../base/time.ts";
import type { RequestInfo } from "../request-info.ts";
import type { User } from "../context.ts";
import type { Flow, Level } from "./levels.ts";
import type { Ticket } from "./queues.ts";

export type About = { readonly flow: Flow; readonly distinguisher: string; readonly info: RequestInfo; readonly user: User };

/** `undefined`: there is no such table. */
export function dump(name: string, details: boolean, levels: readonly Level[], toEpochMs: (monotonicMs: number) => number): string | undefined {
  switch (name) {
    case "dump_priority_levels": return table([
      ["PriorityLevelName", "ActiveQueues", "IsIdle", "IsQuiescing", "WaitingRequests", "ExecutingRequests", "DispatchedRequests", "RejectedRequests", "TimedoutRequests", "CancelledRequests"],
      ...levels.map(({ name: level, queues, quiescing }) => [level, queues.queues.filter(({ waiting }) => waiting.size > 0).length, queues.idle, quiescing, queues.waiting, queues.executing.size, queues.dispatched, queues.rejected, queues.timedOut, queues.cancelled]),
    ]);
    case "dump_queues": return table([
      ["PriorityLevelName", "Index", "PendingRequests", "ExecutingRequests", "SeatsInUse", "NextDispatchR", "InitialSeatsSum", "MaxSeatsSum", "TotalWorkSum"],
      ...levels.flatMap(({ name: level, queues }) => queues.queues.map((queue, i) => [level, i, queue.waiting.size, queue.executing, queue.seatsInUse, seatSeconds(queue.nextR), queue.seatsWaiting, queue.seatsWaiting, seatSeconds(queue.workWaiting)])),
    ]);
    case "dump_requests": return table([
      ["PriorityLevelName", "FlowSchemaName", "QueueIndex", "RequestIndexInQueue", "FlowDistingsher", "ArriveTime", "InitialSeats", "FinalSeats", "AdditionalLatency", "StartTime", ...(details ? ["UserName", "Verb", "APIPath", "Namespace", "Name", "APIVersion", "Resource", "SubResource"] : [])],
      ...levels.flatMap(level => requestsOf(level).map(row => requestRow(level, row, details, toEpochMs))),
    ]);
    default: return undefined;
  }
}

type Placed = { readonly ticket: Ticket; readonly queue: number; readonly at: number };

function requestsOf({ queues }: Level): readonly Placed[] {
  const running = queues.executing.all();
  return [
    ...queues.queues.flatMap((queue, index) => [
      ...[...queue.waiting].map((ticket, at): Placed => ({ ticket, queue: index, at })), ...running.filter(ticket => ticket.queue === queue).map((ticket): Placed => ({ ticket, queue: index, at: -1 })),
    ]),
    ...running.filter(ticket => ticket.queue === undefined).map((ticket): Placed => ({ ticket, queue: -1, at: -1 })),
  ];
}

/** As Go writes a time: as many digits as it has. */
const goTime = (ms: number): string => microTimeOf(ms).replace(/\.?0+Z$/, "Z");

function requestRow(level: Level, { ticket, queue, at }: Placed, details: boolean, toEpochMs: (ms: number) => number): Row {
  const { flow, distinguisher, info, user } = ticket.about as About;
  const started = ticket.waits ? "0001-01-01T00:00:00Z" : goTime(toEpochMs(ticket.startedMs));
  const apiVersion = info.group === "" ? info.version : `${info.group}/${info.version}`;
  return [level.name, flow.name, queue, at, distinguisher, goTime(toEpochMs(ticket.arrivedMs)), ticket.seats, 0, "0s", started, ...(details ? [user.name, info.verb, info.path, info.namespace, info.name, apiVersion, info.resource, info.subresource] : [])];
}

/** Seat-seconds as Go prints them there. */
const seatSeconds = (seatMs: number): string => `${(seatMs / 1000).toFixed(8)}ss`;

type Row = readonly (string | number | boolean)[];
const widthMin = 8;

/** Go's tabwriter: columns end with a comma and as many spaces as the widest needs. */
function table(rows: readonly Row[]): string {
  const cells = rows.map(row => row.map(String));
  const last = cells[0]!.length - 1;
  const widths = cells[0]!.map((_, i) => cells.reduce((width, row) => Math.max(width, row[i]!.length + 2), widthMin));
  return cells.map(row => `${row.map((cell, i) => (i === last ? cell : `${cell},`.padEnd(widths[i]!))).join("")}\n`).join("");
}
