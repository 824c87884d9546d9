/** What is told at /metrics of flow control (apiserver pkg/util/flowcontrol/metrics). Kept as plain numbers: every request passes here. */
import type { Level } from "./levels.ts";
import type { Refusal } from "./queues.ts";

const secondBounds = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30];
const lengthBounds = [0, 10, 25, 50, 100, 250, 500, 1000];
const watchBounds = [0, 1, 10, 100, 1000, 10_000];
const seatBounds = [1, 2, 4, 8, 16, 32, 64, 100];

/** A histogram. */
export class Spread {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;
  count = 0;
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = bounds.map(() => 0);
  }
  add(value: number): void {
    let i = 0;
    while (i < this.bounds.length && value > this.bounds[i]!) i++;
    if (i < this.counts.length) this.counts[i]!++;
    this.sum += value;
    this.count++;
  }
}

/** Of one flow schema at one level. */
export class SchemaFigures {
  readonly level: string;
  readonly schema: string;
  readonly rejected = new Map<Refusal, number>();
  dispatched = 0;
  waiting = 0;
  seatsWaiting = 0;
  executing = 0;
  seatsInUse = 0;
  readonly queueLength = new Spread(lengthBounds);
  readonly waited = { true: new Spread(secondBounds), false: new Spread(secondBounds) };
  readonly executed = { regular: new Spread(secondBounds), watch: new Spread(secondBounds) };
  readonly watches = new Spread(watchBounds);
  readonly seats = new Spread(seatBounds);

  constructor(level: string, schema: string) {
    this.level = level;
    this.schema = schema;
  }
  refused(why: Refusal): void {
    this.rejected.set(why, (this.rejected.get(why) ?? 0) + 1);
  }
}

const prefix = "apiserver_flowcontrol_";
const both = ({ level, schema }: SchemaFigures): string => `priority_level="${level}",flow_schema="${schema}"`;

/** The lines for Prometheus. */
export function renderFigures(levels: readonly Level[], schemas: Iterable<SchemaFigures>, fraction: number): readonly string[] {
  const flows = [...schemas];
  const head = (name: string, type: string, help: string): string[] => [`# HELP ${prefix}${name} ${help}`, `# TYPE ${prefix}${name} ${type}`];
  const each = (name: string, type: string, help: string, read: (figures: SchemaFigures) => number): string[] => [...head(name, type, help), ...flows.map(flow => `${prefix}${name}{${both(flow)}} ${read(flow)}`)];
  const perLevel = (name: string, help: string, read: (level: Level) => number): string[] => [...head(name, "gauge", help), ...levels.map(level => `${prefix}${name}{priority_level="${level.name}"} ${read(level)}`)];
  const spread = (name: string, help: string, read: (figures: SchemaFigures) => readonly (readonly [string, Spread])[]): string[] => [...head(name, "histogram", help), ...flows.flatMap(flow => read(flow).filter(([, { count }]) => count > 0).flatMap(([more, values]) => bucketLines(name, `${both(flow)}${more}`, values)))];
  return [
    ...head("rejected_requests_total", "counter", "Number of requests rejected by API Priority and Fairness subsystem"),
    ...flows.flatMap(flow => [...flow.rejected].map(([why, count]) => `${prefix}rejected_requests_total{${both(flow)},reason="${why}"} ${count}`)),
    ...each("dispatched_requests_total", "counter", "Number of requests executed by API Priority and Fairness subsystem", flow => flow.dispatched),
    ...each("current_inqueue_requests", "gauge", "Number of requests currently pending in queues of the API Priority and Fairness subsystem", flow => flow.waiting),
    ...each("current_inqueue_seats", "gauge", "Number of seats currently pending in queues of the API Priority and Fairness subsystem", flow => flow.seatsWaiting),
    ...each("current_executing_requests", "gauge", "Number of requests in initial (for a WATCH) or any (for a non-WATCH) execution stage in the API Priority and Fairness subsystem", flow => flow.executing),
    ...each("current_executing_seats", "gauge", "Concurrency (number of seats) occupied by the currently executing (initial stage for a WATCH, any stage otherwise) requests in the API Priority and Fairness subsystem", flow => flow.seatsInUse),
    ...spread("request_queue_length_after_enqueue", "Length of queue in the API Priority and Fairness subsystem, as seen by each request after it is enqueued", ({ queueLength }) => [["", queueLength]]),
    ...spread("request_wait_duration_seconds", "Length of time a request spent waiting in its queue", ({ waited }) => [[',execute="true"', waited.true], [',execute="false"', waited.false]]),
    ...spread("request_execution_seconds", "Duration of initial stage (for a WATCH) or any (for a non-WATCH) stage of request execution in the API Priority and Fairness subsystem", ({ executed }) => [[',type="regular"', executed.regular], [',type="watch"', executed.watch]]),
    ...spread("watch_count_samples", "count of watchers for mutating requests in API Priority and Fairness", ({ watches }) => [["", watches]]),
    ...spread("work_estimated_seats", "Number of estimated seats (maximum of initial and final seats) associated with requests in API Priority and Fairness", ({ seats }) => [["", seats]]),
    ...perLevel("nominal_limit_seats", "Nominal number of execution seats configured for each priority level", ({ limits }) => limits.nominal),
    ...perLevel("lower_limit_seats", "Configured lower bound on number of execution seats available to each priority level", ({ limits }) => limits.min),
    ...perLevel("upper_limit_seats", "Configured upper bound on number of execution seats available to each priority level", ({ limits }) => limits.max),
    ...perLevel("current_limit_seats", "current derived number of execution seats available to each priority level", ({ current }) => current),
    ...perLevel("target_seats", "Seat allocation targets", ({ target }) => target),
    ...perLevel("demand_seats_high_watermark", "High watermark, over last adjustment period, of demand_seats", ({ queues }) => queues.demand.highest),
    ...perLevel("demand_seats_average", "Time-weighted average, over last adjustment period, of demand_seats", ({ queues }) => queues.demand.average),
    ...perLevel("demand_seats_stdev", "Time-weighted standard deviation, over last adjustment period, of demand_seats", ({ queues }) => queues.demand.deviation),
    ...perLevel("demand_seats_smoothed", "Smoothed seat demands", ({ queues }) => queues.demand.smoothed),
    ...head("seat_fair_frac", "gauge", "Fair fraction of server's concurrency to allocate to each priority level that can use it"), `${prefix}seat_fair_frac ${fraction}`,
  ];
}

function bucketLines(name: string, labels: string, { bounds, counts, sum, count }: Spread): readonly string[] {
  let total = 0;
  return [
    ...bounds.map((bound, i) => `${prefix}${name}_bucket{${labels},le="${bound}"} ${(total += counts[i]!)}`),
    `${prefix}${name}_bucket{${labels},le="+Inf"} ${count}`, `${prefix}${name}_sum{${labels}} ${sum}`, `${prefix}${name}_count{${labels}} ${count}`,
  ];
}
