/** Figures of the controllers' queues, under upstream's names (component-base metrics/prometheus/workqueue). */
import { exponentialBuckets, type Counter, type Histogram, type Metrics } from "../base/metrics.ts";

const buckets = exponentialBuckets(10e-9, 10, 10);

export class QueueFigures {
  readonly adds: Counter;
  readonly retries: Counter;
  readonly waited: Histogram;
  readonly worked: Histogram;
  readonly #depths = new Map<string, () => number>();
  constructor(metrics: Metrics) {
    this.adds = metrics.counter("workqueue_adds_total", "Keys that were to be looked at.", ["name"]);
    this.retries = metrics.counter("workqueue_retries_total", "Keys that were to be looked at again, because it failed.", ["name"]);
    this.waited = metrics.histogram("workqueue_queue_duration_seconds", "Seconds that keys waited for a worker.", buckets, ["name"]);
    this.worked = metrics.histogram("workqueue_work_duration_seconds", "Seconds that looking at a key took.", buckets, ["name"]);
    metrics.observedSeries("workqueue_depth", "Keys that wait for a worker.", ["name"], () => [...this.#depths].map(([name, depth]) => [[name], depth()] as const));
  }
  /** A controller that starts anew takes the place of what it was. */
  follow(name: string, depth: () => number): void {
    this.#depths.set(name, depth);
  }
}
