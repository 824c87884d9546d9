import type { Metrics } from "../base/metrics.ts";
import type { Store } from "../store/store.ts";
import type { Call } from "./core.ts";
import type { RequestInfo } from "./request-info.ts";

const seconds = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];

/** Upstream's request figures (apiserver pkg/endpoints/metrics), where dashboards and the scalability tests look for them. */
export class RequestMetrics {
  readonly #total;
  readonly #duration;
  readonly #watchEvents;

  constructor(metrics: Metrics, store: Store) {
    this.#total = metrics.counter("apiserver_request_total", "Counter of apiserver requests broken out for each verb, group, version, resource, scope, component, and HTTP response code.", ["verb", "group", "version", "resource", "subresource", "scope", "component", "code"]);
    this.#duration = metrics.histogram("apiserver_request_duration_seconds", "Response latency distribution in seconds for each verb, group, version, resource, subresource, scope and component.", seconds, ["verb", "group", "version", "resource", "subresource", "scope", "component"]);
    this.#watchEvents = metrics.counter("apiserver_watch_events_total", "Number of events sent in watch clients", ["group", "version", "resource"]);
    metrics.observed("apiserver_storage_revision", "Newest revision of the store.", () => store.revision);
    metrics.observed("apiserver_storage_oldest_revision", "Oldest revision that can still be read or watched.", () => store.oldestRevision);
  }

  done(info: RequestInfo | undefined, method: string, code: number, ms: number): void {
    const resource = info?.resourceRequest === true;
    const verb = resource ? info.verb.toUpperCase() : method.toUpperCase();
    const scope = !resource ? "" : info.name !== "" ? "resource" : info.namespace !== "" ? "namespace" : "cluster";
    const labels = resource ? ([verb, info.group, info.version, info.resource, info.subresource, scope, "apiserver"] as const) : ([verb, "", "", "", info?.path.split("/")[1] ?? "", scope, "apiserver"] as const);
    this.#total.add(1, ...labels, code);
    this.#duration.observe(ms / 1000, ...labels);
  }

  watchEvents({ served }: Call, count: number): void {
    this.#watchEvents.add(count, served.group, served.version, served.resource);
  }
}
