/** Figures of the controllers' queues, under upstream's names (component-base metrics/prometheus/workqueue). */
import { exponentialBuckets, type Counter, type Histogram, type Metrics } from "../base/metrics.ts";

const buckets = exponentialBuckets(10e-9, 10, 10);

/** What is asked of a queue when somebody looks: how many keys wait, and the seconds since each was begun that is being looked at. */
type Followed = { readonly depth: () => number; readonly underway: () => readonly number[] };

export class QueueFigures {
  readonly adds: Counter;
  readonly retries: Counter;
  readonly waited: Histogram;
  readonly worked: Histogram;
  readonly #queues = new Map<string, Followed>();
  constructor(metrics: Metrics) {
    this.adds = metrics.counter("workqueue_adds_total", "Keys that were to be looked at.", ["name"]);
    this.retries = metrics.counter("workqueue_retries_total", "Keys that were to be looked at again, because it failed.", ["name"]);
    this.waited = metrics.histogram("workqueue_queue_duration_seconds", "Seconds that keys waited for a worker.", buckets, ["name"]);
    this.worked = metrics.histogram("workqueue_work_duration_seconds", "Seconds that looking at a key took.", buckets, ["name"]);
    const perQueue = (name: string, help: string, read: (queue: Followed) => number): void => metrics.observedSeries(name, help, ["name"], () => [...this.#queues].map(([queue, followed]) => [[queue], read(followed)] as const));
    perQueue("workqueue_depth", "Keys that wait for a worker.", ({ depth }) => depth());
    perQueue("workqueue_unfinished_work_seconds", "Seconds that the keys being looked at have taken so far, together.", ({ underway }) => underway().reduce((all, seconds) => all + seconds, 0));
    perQueue("workqueue_longest_running_processor_seconds", "Seconds that the key being looked at for longest has taken so far.", ({ underway }) => underway().reduce((most, seconds) => Math.max(most, seconds), 0));
  }
  /** A controller that starts anew takes the place of what it was. */
  follow(name: string, followed: Followed): void {
    this.#queues.set(name, followed);
  }
}
