/** What is told at /metrics of flow control (apiserver pkg/util/flowcontrol/metrics). Kept as plain numbers: every request passes here. */
import { sampleText, Spread, type FigureType, type LabelValues, type Metrics } from "../../base/metrics.ts";
import type { Level, Levels } from "./levels.ts";
import type { Refusal } from "./queues.ts";

const secondBounds = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30];
const lengthBounds = [0, 10, 25, 50, 100, 250, 500, 1000];
const watchBounds = [0, 1, 10, 100, 1000, 10_000];
const seatBounds = [1, 2, 4, 8, 16, 32, 64, 100];

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

const ofFlow = ["priority_level", "flow_schema"] as const;

/** Declares what is read from the levels when somebody asks. */
export function observeFlowControl(metrics: Metrics, levels: Levels): void {
  const full = (name: string): string => `apiserver_flowcontrol_${name}`;
  const counted = (name: string, type: FigureType, help: string, read: (figures: SchemaFigures) => Iterable<readonly [more: LabelValues, value: number]>, more: readonly string[] = []): void =>
    metrics.family(full(name), help, type, function* () {
      for (const figures of levels.figures.values()) for (const [values, value] of read(figures)) yield sampleText(full(name), [...ofFlow, ...more], [figures.level, figures.schema, ...values], value);
    });
  const spread = (name: string, help: string, read: (figures: SchemaFigures) => readonly (readonly [more: LabelValues, spread: Spread])[], more: readonly string[] = []): void =>
    metrics.family(full(name), help, "histogram", function* () {
      for (const figures of levels.figures.values()) for (const [values, counts] of read(figures)) if (counts.count > 0) yield counts.text(full(name), [...ofFlow, ...more], [figures.level, figures.schema, ...values]);
    });
  const perLevel = (name: string, help: string, read: (level: Level) => number): void => metrics.observedSeries(full(name), help, ["priority_level"], () => levels.all.map(level => [[level.name], read(level)] as const));

  counted("rejected_requests_total", "counter", "Requests that were turned away, by why.", ({ rejected }) => [...rejected].map(([why, count]) => [[why], count] as const), ["reason"]);
  counted("dispatched_requests_total", "counter", "Requests that got their turn.", ({ dispatched }) => [[[], dispatched]]);
  counted("current_inqueue_requests", "gauge", "Requests that wait for their turn.", ({ waiting }) => [[[], waiting]]);
  counted("current_inqueue_seats", "gauge", "Seats that those who wait for their turn will take.", ({ seatsWaiting }) => [[[], seatsWaiting]]);
  counted("current_executing_requests", "gauge", "Requests that are being answered; watches until their first events are out.", ({ executing }) => [[[], executing]]);
  counted("current_executing_seats", "gauge", "Seats taken by requests that are being answered; by watches until their first events are out.", ({ seatsInUse }) => [[[], seatsInUse]]);
  spread("request_queue_length_after_enqueue", "How long the queue was that a request joined, itself counted.", ({ queueLength }) => [[[], queueLength]]);
  spread("request_wait_duration_seconds", "Seconds that requests waited for their turn, by whether it came.", ({ waited }) => [[["true"], waited.true], [["false"], waited.false]], ["execute"]);
  spread("request_execution_seconds", "Seconds that requests took once it was their turn; watches until their first events were out.", ({ executed }) => [[["regular"], executed.regular], [["watch"], executed.watch]], ["type"]);
  spread("watch_count_samples", "How many watches a write had to tell of.", ({ watches }) => [[[], watches]]);
  spread("work_estimated_seats", "Seats that requests were thought to need.", ({ seats }) => [[[], seats]]);
  perLevel("nominal_limit_seats", "Seats that a level has by its configuration.", ({ limits }) => limits.nominal);
  perLevel("lower_limit_seats", "The fewest seats a level may be left with when it lends.", ({ limits }) => limits.min);
  perLevel("upper_limit_seats", "The most seats a level may have when it borrows.", ({ limits }) => limits.max);
  perLevel("current_limit_seats", "Seats that a level has for now, with what it borrowed and lent.", ({ current }) => current);
  perLevel("target_seats", "Seats that a level should have by its demand.", ({ target }) => target);
  perLevel("demand_seats_high_watermark", "The most seats that were wanted at a time since seats were last shared out.", ({ queues }) => queues.demand.highest);
  perLevel("demand_seats_average", "Seats that were wanted on average since seats were last shared out.", ({ queues }) => queues.demand.average);
  perLevel("demand_seats_stdev", "How far the demand went from its average since seats were last shared out (standard deviation).", ({ queues }) => queues.demand.deviation);
  perLevel("demand_seats_smoothed", "Demand for seats, smoothed: what they are shared out by.", ({ queues }) => queues.demand.smoothed);
  metrics.observed(full("seat_fair_frac"), "The part of its demand that each level gets that may borrow.", () => levels.fraction);
}
