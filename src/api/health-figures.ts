/** How health checks have gone, for /metrics/slis (component-base metrics/prometheus/slis). */
import { Metrics, type Counter, type Gauge } from "../base/metrics.ts";

export class HealthFigures {
  readonly metrics = new Metrics();
  readonly #last: Gauge;
  readonly #total: Counter;
  constructor() {
    this.#last = this.metrics.gauge("kubernetes_healthcheck", "How a health check went last: 1 is well.", ["name", "type"]);
    this.#total = this.metrics.counter("kubernetes_healthchecks_total", "How health checks have gone.", ["name", "type", "status"]);
  }
  checked(name: string, endpoint: string, well: boolean): void {
    this.#last.set(well ? 1 : 0, name, endpoint);
    this.#total.add(1, name, endpoint, well ? "success" : "error");
  }
}
