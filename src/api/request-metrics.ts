import type { Clock } from "../base/clock.ts";
import { exponentialBuckets, sampleText, Spread, type Metrics } from "../base/metrics.ts";
import type { Store } from "../store/store.ts";
import type { AuditTrail } from "./audit.ts";
import type { Call } from "./core.ts";
import { one } from "./negotiate.ts";
import type { HttpRequest, HttpResponse, Tally } from "./http.ts";
import { isLongRunning, type RequestInfo } from "./request-info.ts";

const durationBuckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
/** The same from here on: no more is told of requests as the service level counts them. */
const sliBuckets = durationBuckets.slice(2);
const sizeBuckets = exponentialBuckets(1_000, 10, 7);
/** Seconds that a client's certificate may still hold (pkg/authentication/request/x509). */
const expiryBuckets = [0, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400, 172_800, 345_600, 604_800, 2_592_000, 7_776_000, 15_552_000, 31_104_000];
/** Distinguishable kinds of request; what comes after is one of its own, so that no client can fill memory. */
const seriesMax = 2_000;

const methods: ReadonlySet<string> = new Set(["GET", "POST", "PUT", "PATCH", "DELETE", "CONNECT"]);
const connects: ReadonlySet<string> = new Set(["log", "exec", "portforward", "attach", "proxy"]);
const labelNames = ["verb", "dry_run", "group", "version", "resource", "subresource", "scope", "component"] as const;
const component = "apiserver";

/** One kind of request: `labels` without its codes. */
type Series = { readonly labels: readonly string[]; readonly codes: Map<number, number>; readonly durations: Spread; readonly slis: Spread; /** Of reads alone. */ readonly sizes: Spread | undefined };

/** Upstream's request figures (apiserver pkg/endpoints/metrics), where dashboards, recording rules and the scalability tests look for them. */
export class RequestMetrics {
  readonly #clock: Clock;
  readonly #series = new Map<string, Series>();
  readonly #inflight = new Inflight();
  readonly #terminations;
  readonly #expiry;
  readonly #watchEvents;
  readonly #deprecated;
  readonly #long;
  readonly #adders = new WeakMap<object, (value: number) => void>();

  constructor(metrics: Metrics, store: Store, clock: Clock) {
    this.#clock = clock;
    metrics.family(totals, "Requests, by what was asked and the answer's status code.", "counter", () => this.#totals(), () => this.#series.clear());
    this.#spread(metrics, "apiserver_request_duration_seconds", "Seconds until requests were answered, by what was asked.", labelNames, ({ labels, durations }) => ({ labels, spread: durations }));
    this.#spread(metrics, "apiserver_request_sli_duration_seconds", "The same without the time spent in webhooks and waiting for a turn; dry runs are not in it.", plainNames, ({ labels, slis }) => (labels[1] === "" ? { labels: plain(labels), spread: slis } : undefined));
    this.#spread(metrics, "apiserver_response_sizes", "Bytes of answers to reads, by what was asked.", plainNames, ({ labels, sizes }) => sizes && { labels: plain(labels), spread: sizes });
    metrics.observedSeries("apiserver_current_inflight_requests", "The most requests that were being answered at a time within the last second, by kind.", ["request_kind"], () => this.#inflight.most(clock.monotonic()));
    this.#terminations = metrics.counter("apiserver_request_terminations_total", "Requests that the server ended in self-defence: too many, or too long.", [...plainNames, "code"]);
    this.#expiry = metrics.histogram("apiserver_client_certificate_expiration_seconds", "How long the certificates still hold that requests came with, in seconds.", expiryBuckets);
    this.#long = metrics.gauge("apiserver_longrunning_requests", "Requests that go on for now, by what was asked.", plainNames);
    this.#deprecated = metrics.gauge("apiserver_requested_deprecated_apis", "APIs that were asked for although they are deprecated. Always 1.", ["group", "version", "resource", "subresource", "removed_release"]);
    this.#watchEvents = metrics.counter("apiserver_watch_events_total", "Changes that were sent to watches.", ["group", "version", "resource"]);
    metrics.observed("apiserver_storage_revision", "Newest revision of the store.", () => store.revision);
    metrics.observed("apiserver_storage_oldest_revision", "Oldest revision that can still be read or watched.", () => store.oldestRevision);
  }

  /** Every request begins once and is done once. */
  begin({ method, peer }: HttpRequest, nowMs: number): void {
    this.#inflight.add(isMutating(method), 1, nowMs);
    if (peer.certificate?.ca === "client") this.#expiry.observe((peer.certificate.notAfterMs - this.#clock.now()) / 1000);
  }
  done(info: RequestInfo | undefined, request: HttpRequest, code: number, startedMs: number, nowMs: number, { elsewhereMs = 0, terminated, annotations }: AuditTrail): Tally | undefined {
    this.#inflight.add(isMutating(request.method), -1, nowMs);
    const labels = labelsOf(info, request);
    const series = this.#of(labels);
    const seconds = (nowMs - startedMs) / 1000;
    series.codes.set(code, (series.codes.get(code) ?? 0) + 1);
    series.durations.add(seconds);
    series.slis.add(Math.max(0, seconds - elsewhereMs / 1000));
    if (terminated === true) this.#terminations.add(1, ...plain(series.labels), code);
    if (annotations?.["k8s.io/deprecated"] === "true") this.#deprecated.set(1, ...series.labels.slice(2, 6), "");
    return series.sizes;
  }

  /** What takes as long as somebody listens is counted while it does. */
  long(info: RequestInfo, request: HttpRequest, response: HttpResponse): HttpResponse {
    const { content } = response;
    if (!isLongRunning(info) || (content.type !== "stream" && content.type !== "forward")) return response;
    const labels = plain(labelsOf(info, request));
    if (content.type === "stream") return { ...response, content: { ...content, run: async (out, signal) => { this.#long.add(1, ...labels); try { await content.run(out, signal); } finally { this.#long.add(-1, ...labels); } } } };
    this.#long.add(1, ...labels);
    return { ...response, content: { ...content, done: () => { this.#long.add(-1, ...labels); content.done?.(); } } };
  }

  watchEvents({ served }: Call, count: number): void {
    let add = this.#adders.get(served);
    if (add === undefined) this.#adders.set(served, (add = this.#watchEvents.adder(served.group, served.version, served.resource)));
    add(count);
  }

  #of(labels: readonly string[]): Series {
    const key = labels.join("\u0001");
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    if (this.#series.size >= seriesMax && labels !== others) return this.#of(others);
    const isRead = labels === others || labels[0] === "GET" || labels[0] === "LIST";
    const made: Series = { labels, codes: new Map(), durations: new Spread(durationBuckets), slis: new Spread(sliBuckets), sizes: isRead ? new Spread(sizeBuckets) : undefined };
    this.#series.set(key, made);
    return made;
  }

  *#totals(): Generator<string> {
    for (const { labels, codes } of this.#series.values()) for (const [code, count] of codes) yield sampleText(totals, [...labelNames, "code"], [...labels, code], count);
  }
  #spread(metrics: Metrics, name: string, help: string, names: readonly string[], of: (series: Series) => { readonly labels: readonly string[]; readonly spread: Spread } | undefined): void {
    const all = this.#series;
    metrics.family(name, help, "histogram", function* () {
      for (const series of all.values()) {
        const found = of(series);
        if (found !== undefined) yield found.spread.text(name, names, found.labels);
      }
    });
  }
}

const totals = "apiserver_request_total";
/** Most figures do not tell dry runs apart. */
const plain = (labels: readonly string[]): readonly string[] => labels.filter((_, i) => i !== 1);
const plainNames = plain(labelNames);
const others: readonly string[] = labelNames.map(name => (name === "component" ? component : name === "dry_run" ? "" : "other"));

function isMutating(method: string): boolean {
  return method !== "GET" && method !== "HEAD";
}

const health: ReadonlySet<string> = new Set(["healthz", "livez", "readyz"]);

/** CanonicalVerb, cleanVerb, CleanScope and cleanDryRun of upstream: verbs are HTTP's, with reads told apart. */
function labelsOf(info: RequestInfo | undefined, { method, target, headers }: HttpRequest): readonly string[] {
  const upper = method.toUpperCase();
  if (info === undefined) return [methods.has(upper) ? upper : upper === "HEAD" ? "GET" : "other", "", "", "", "", "", "", component];
  const { resourceRequest, verb, group, version, resource, subresource } = info;
  const scope = info.name !== "" || verb === "create" ? "resource" : info.namespace !== "" ? "namespace" : resourceRequest ? "cluster" : "";
  let reported = upper === "GET" || upper === "HEAD" ? (scope === "namespace" || scope === "cluster" ? "LIST" : "GET") : methods.has(upper) ? upper : "other";
  if (verb === "watch") reported = "WATCH";
  else if (upper === "PATCH" && (one(headers["content-type"]) ?? "").startsWith("application/apply-patch")) reported = "APPLY";
  if (subresource !== "" && connects.has(subresource)) reported = "CONNECT";
  const dryRun = target.includes("dryRun") ? dryRunOf(info.query.getAll("dryRun")) : "";
  if (resourceRequest) return [reported, dryRun, group, version, resource, subresource, scope, component];
  const first = info.path.split("/", 2)[1] ?? "";
  // Quirk: health checks are told of by their path, and by nobody (apiserver pkg/server/healthz/healthz.go).
  return health.has(first) ? [reported, dryRun, "", "", "", `/${first}`, scope, ""] : [reported, dryRun, "", "", "", first, scope, component];
}
function dryRunOf(values: readonly string[]): string {
  return values.length === 0 ? "" : values.every(value => value === "All") ? "All" : "invalid";
}

/** How many requests are being answered, and the most there were in this second and the one before. */
class Inflight {
  readonly #now = [0, 0];
  #peak = [0, 0];
  #before = [0, 0];
  #second = 0;

  add(mutating: boolean, change: 1 | -1, nowMs: number): void {
    this.#roll(nowMs);
    const kind = mutating ? 1 : 0;
    this.#now[kind]! += change;
    if (this.#now[kind]! > this.#peak[kind]!) this.#peak[kind] = this.#now[kind]!;
  }
  most(nowMs: number): readonly (readonly [readonly string[], number])[] {
    this.#roll(nowMs);
    return [[["readOnly"], Math.max(this.#before[0]!, this.#peak[0]!)], [["mutating"], Math.max(this.#before[1]!, this.#peak[1]!)]];
  }
  #roll(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    if (second === this.#second) return;
    this.#before = second === this.#second + 1 ? this.#peak : [...this.#now];
    this.#peak = [...this.#now];
    this.#second = second;
  }
}
