/** The API server: one request in, one answer out. Everything the outside provides comes through the options. */
import { ApiError } from "../base/api-error.ts";
import { InvariantViolation } from "../base/assert.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf, type Log } from "../base/log.ts";
import { Metrics } from "../base/metrics.ts";
import type { Random } from "../base/random.ts";
import type { AnyKind } from "../kinds/kind.ts";
import { StoreBusy, StoreClosed, StoreFailed, StoreFull, type Store } from "../store/store.ts";
import type { AdmissionStep } from "./admission/admission.ts";
import { gatewayClassController } from "./admission/gateway-class.ts";
import { admissionSteps } from "./admission/steps.ts";
import { admit } from "./admission/pipeline.ts";
import { mutatingPolicies } from "./admission/policies/mutating.ts";
import { validatingPolicies } from "./admission/policies/policies.ts";
import { webhookConditions } from "./admission/webhooks/conditions.ts";
import { webhookSteps } from "./admission/webhooks/webhooks.ts";
import { Aggregator } from "./aggregation/aggregator.ts";
import { publishLocalServices } from "./aggregation/local.ts";
import type { FetchRemote } from "./aggregation/remote.ts";
import { auditLine, isAudited, type AuditSink, type AuditTrail } from "./audit.ts";
import { expiryWarning } from "./authn/authenticator.ts";
import { impersonate, LastWays, wantsImpersonation } from "./authn/impersonation.ts";
import type { ParseYaml } from "./body.ts";
import type { LoadCel } from "./cel.ts";
import type { Authenticator, Authorizer, Notes, Reader, RequestAttributes, TokenIssuer, User } from "./context.ts";
import type { Core } from "./core.ts";
import { Definitions } from "./crd/definitions.ts";
import type { CompilePattern } from "./crd/validate.ts";
import { Discovery } from "./discovery.ts";
import { tooManyRequests, unauthorized, unauthorizedFor } from "./errors.ts";
import type { StartSteps } from "./start-steps.ts";
import type { HealthCheck } from "./health.ts";
import { HealthFigures } from "./health-figures.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";
import { AdmissionFigures } from "./admission/figures.ts";
import { FlowControl } from "./flow-control/flow-control.ts";
import type { Flow } from "./flow-control/levels.ts";
import { observeFlowControl } from "./flow-control/figures.ts";
import { keepFlowControl } from "./flow-control/keeper.ts";
import { lateText, timeoutOf, within } from "./limits.ts";
import { Sampler, type ReadNodeStats } from "./metrics/sampler.ts";
import { negotiateOutput, one, oneForm, type Output } from "./negotiate.ts";
import { handleNonResource, pageNotFound, type Endpoints } from "./non-resource.ts";
import { Objects } from "./objects.ts";
import { OpenApi } from "./openapi.ts";
import { OpenWatches } from "./open-watches.ts";
import { sweepEvents } from "./event-ttl.ts";
import { storeReader } from "./reader.ts";
import { Pace } from "./pace.ts";
import { Registry } from "./registry.ts";
import { isLongRunning, parseRequest, type RequestInfo } from "./request-info.ts";
import { observeServices, observeStore } from "./store-figures.ts";
import { RequestMetrics } from "./request-metrics.ts";
import { handleResource, type Services } from "./resources.ts";
import { warningHeaders, warningsMax } from "./warnings.ts";
import { noSniff, sendError, sendPlain } from "./respond.ts";
import { storageHooks } from "./special/hooks.ts";
import { defaultServiceRange } from "./special/service.ts";
import { publishServiceAddresses } from "./special/service-range.ts";
import { findSubresource, subresourceTypeOf } from "./subresources/index.ts";
import { EventTexts } from "./watch-events.ts";
import type { PostJson } from "./webhook.ts";

export type ApiServerOptions = {
  readonly store: Store;
  readonly kinds: readonly AnyKind[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Made from the server's own reader, since both read what is stored. */
  readonly authenticator: (read: Reader) => Authenticator;
  readonly authorizer: (read: Reader) => Authorizer;
  /** Absent: service account tokens and the OIDC documents are not served. */
  readonly tokens?: TokenIssuer;
  readonly parseYaml: ParseYaml;
  /** For ETags, OpenAPI URLs and storage version hashes. */
  readonly sha512: (text: string) => Uint8Array;
  /** What stands in /version besides the fixed part. */
  readonly build: { readonly gitVersion: string; readonly gitCommit: string; readonly buildDate: string; readonly platform: string; readonly runtime: string };
  /** `host:port` under which clients reach the server, for /api. */
  readonly address: string;
  /** An invariant is broken or the store has failed: the process must end. */
  readonly fatal: (error: Error) => void;
  /** More admission steps, after the built-in ones that mutate. */
  readonly admission?: readonly AdmissionStep[];
  readonly healthChecks?: readonly HealthCheck[];
  /** For /flagz: what the server was told to be, under the names of upstream's flags. */
  readonly flags?: Readonly<Record<string, string>>;
  /** Told of each step of the start that the server sees itself; checks health by them. */
  readonly startSteps?: StartSteps;
  /** Where audit events go, by the policy of `audit.ts`; absent: none are made. */
  readonly audit?: AuditSink;
  /** Audits by an administrator's policy instead. */
  readonly auditor?: (server: ApiServer) => Auditor;
  readonly metrics?: Metrics;
  readonly serviceRange?: string;
  /** Port of a node agent whose Node object does not say it. */
  readonly nodePort?: number;
  /** Compiles regular expressions of custom resources' schemas, in time linear in the text. Absent: definitions with patterns are refused when an object meets one. */
  readonly compilePattern?: CompilePattern;
  /** Loads CEL when the first expression is met. Absent: resources with rules are refused, webhooks with conditions fail. */
  readonly loadCel?: LoadCel;
  /** Calls admission webhooks. Absent: none are called. */
  readonly postJson?: PostJson;
  /** Reads what other API servers say of themselves. Absent: API services with a service behind them are unavailable. */
  readonly fetchRemote?: FetchRemote;
  /** Calls back when what has arrived by now is read (`setImmediate`): seats of flow control are free again then. Absent: at once. */
  readonly defer?: (work: () => void) => void;
  /** Reads a node's stats summary, for metrics.k8s.io. Absent: the group is not available. */
  readonly readNodeStats?: ReadNodeStats;
  /** Deep-freeze objects that are handed out; for tests. */
  readonly freeze?: boolean;
};

/** What `audit/recorder.ts` is to the request path, which does not load it. */
export type Auditor = { begin(request: HttpRequest, trail: AuditTrail, receivedMs: number): { readonly request: HttpRequest; end(response: HttpResponse, info: RequestInfo | undefined): Promise<HttpResponse> } };

export class ApiServer {
  readonly core: Core;
  readonly registry: Registry;
  readonly reader: Reader;
  readonly authenticator: Authenticator;
  readonly metrics: Metrics;
  /** `/metrics/slis`. */
  readonly healthFigures = new HealthFigures();
  readonly services: Services;
  readonly #endpoints: Endpoints;
  readonly #options: ApiServerOptions;
  readonly #flow: FlowControl;
  readonly #figures: RequestMetrics;
  readonly #definitions: Definitions;
  readonly #lastWays = new LastWays();
  #stopping = false;
  /** What other servers serve. */
  readonly aggregator: Aggregator;

  constructor(options: ApiServerOptions) {
    const { store, clock, random, log } = options;
    this.#options = options;
    this.registry = new Registry(options.kinds);
    this.metrics = options.metrics ?? new Metrics();
    const objects = new Objects({ freeze: options.freeze === true, nodeOf: key => this.registry.nodeAt(key) });
    this.reader = storeReader(store, objects, this.registry);
    this.authenticator = options.authenticator(this.reader);
    const authorizer = options.authorizer(this.reader);
    const pace = new Pace(() => (options.defer === undefined ? clock.sleep(0) : new Promise(resolve => options.defer!(resolve))));
    const compilePattern: CompilePattern = options.compilePattern ?? (pattern => { throw new Error(`no regular expressions here: ${pattern}`); });
    const hooks = storageHooks({ read: this.reader, random, compilePattern, loadCel: options.loadCel, ...(options.serviceRange === undefined ? {} : { serviceRange: options.serviceRange }) });
    // Made once all steps are known; webhooks count by themselves.
    let admissionFigures: AdmissionFigures | undefined;
    const webhooks = options.postJson === undefined ? undefined : webhookSteps({ figures: () => admissionFigures, registry: () => this.registry, post: options.postJson, random, log, clock, loadCel: options.loadCel, authorizer, pace });
    const policies = { registry: () => this.registry, loadCel: options.loadCel, authorizer, pace };
    const mutates = mutatingPolicies(policies);
    const builtIn = [...admissionSteps, ...(options.admission ?? []), gatewayClassController];
    const steps: readonly (AdmissionStep | undefined)[] = [
      ...builtIn, { name: "CustomResourceRules", isOurs: true, mutate: request => this.#definitions.needRules(request.kind) }, webhookConditions(options.loadCel),
      mutates.first, webhooks?.mutating,
      // What was added since has to pass the built-in steps as well: a container that was put in wants its token and its defaults (admission/reinvocation.go).
      { name: "again", isOurs: true, mutate: request => (mutates.changed(request) || webhooks?.changed(request) === true ? admit({ admission: builtIn }, "mutate", request) : undefined) },
      mutates.again, webhooks?.again, validatingPolicies(policies), webhooks?.validating,
    ];
    const admission = steps.filter(step => step !== undefined);
    admissionFigures = new AdmissionFigures(this.metrics, clock, admission);
    this.core = { store, objects, registry: this.registry, clock, random, log, authorizer, reader: this.reader, admission, admissionFigures, hooks };
    this.#flow = new FlowControl({ clock, store, hash: options.sha512, prefixOf: (group, resource) => this.registry.resource(group, resource)?.prefix, ...(options.defer === undefined ? {} : { defer: options.defer }) });
    observeFlowControl(this.metrics, this.#flow.levels);
    this.#figures = new RequestMetrics(this.metrics, store, clock);
    const open = new OpenWatches(clock);
    this.#definitions = new Definitions(this.core, compilePattern, options.loadCel, options.postJson, prefix => open.redefined(prefix));
    this.aggregator = new Aggregator(this.core, options.fetchRemote, this.metrics.counter("aggregator_unavailable_apiservice_total", "How often APIServices were found not to be available, by reason.", ["name", "reason"]));
    observeServices(this.metrics, this.reader);
    observeStore(this.metrics, store, this.registry);
    this.services = {
      core: this.core, parseYaml: options.parseYaml, authenticator: this.authenticator,
      subresources: { find: findSubresource },
      ...(options.tokens === undefined ? {} : { tokens: options.tokens }), nodePort: options.nodePort ?? 10250,
      ...(options.readNodeStats === undefined ? {} : { metrics: new Sampler({ read: options.readNodeStats, nodes: () => this.reader.list("", "nodes", "").map(({ metadata }) => metadata.name), clock, log }) }),
      watches: { texts: new EventTexts(), open, onEvents: (call, count) => this.#figures.watchEvents(call, count) },
    };
    this.#endpoints = {
      core: this.core, flow: this.#flow, discovery: new Discovery(this.registry, subresourceTypeOf, options.sha512, this.aggregator), metrics: this.metrics, healthFigures: this.healthFigures, build: options.build, address: options.address, openapi: new OpenApi(this.registry, options.sha512, options.build.gitVersion, clock, this.aggregator),
      healthChecks: [{ name: "ping", check: () => undefined }, { name: "log", check: () => undefined }, { name: "loopback-serving-certificate", check: () => undefined, only: "live" }, { name: "etcd", check: () => void store.revision }, { name: "etcd-readiness", check: () => void store.revision, only: "ready" },
        ...(options.startSteps?.checks ?? []), ...(options.healthChecks ?? []), { name: "shutdown", check: () => { if (this.#stopping) throw new Error("process is shutting down"); }, only: "ready" }],
      flags: options.flags ?? {}, startedMs: clock.now(),
      ...(options.tokens === undefined ? {} : { tokens: options.tokens }),
    };
    options.startSteps?.done("open");
  }

  /** What the server does by itself, until `signal` aborts: old events go, addresses of services are published. */
  async run(signal: AbortSignal): Promise<void> {
    const { store, objects, clock, log } = this.core;
    const { startSteps } = this.#options;
    startSteps?.done("loops");
    signal.addEventListener("abort", () => { this.#stopping = true; }, { once: true });
    await Promise.all([sweepEvents(store, objects, clock, log, signal), publishServiceAddresses(this.core, this.#options.serviceRange ?? defaultServiceRange, signal), this.#definitions.run(signal), publishLocalServices(this.core, signal, () => startSteps?.done("published")), this.aggregator.run(signal), keepFlowControl(this.core, signal)]);
  }

  /** Answers one request. Never throws for what a client did; what we did wrong ends the process through `fatal`. `as` is who asks, for components in this process: nothing of the request is believed then. */
  async handle(request: HttpRequest, as?: User): Promise<HttpResponse> {
    const started = this.#options.clock.monotonic();
    const warnings: string[] = [];
    const auditId = one(request.headers["audit-id"]) ?? this.#options.random.uuid();
    const receivedMs = this.#options.clock.now();
    const trail: AuditTrail = { auditId };
    let info: RequestInfo | undefined;
    const recording = this.#options.auditor?.(this).begin(request, trail, receivedMs);
    let response: HttpResponse;
    this.#figures.begin(request, started);
    try {
      info = parseRequest(request.method, request.target);
      response = await this.#answer(recording?.request ?? request, as, info, trail, text => void (warnings.includes(text) || warnings.length >= warningsMax || warnings.push(text)));
    } catch (error) {
      response = this.#refusal(request, info, error, trail);
      if (error instanceof StoreBusy || (error instanceof ApiError && error.message === lateText)) trail.terminated = true;
    }
    if (info !== undefined) response = this.#figures.long(info, request, response);
    const sent = this.#figures.done(info, request, response.status, started, this.#options.clock.monotonic(), trail);
    if (recording !== undefined) response = await recording.end(response, info);
    else if (this.#options.audit !== undefined && isAudited(info, trail, response.status)) this.#options.audit(auditLine({ request, info, trail, response, receivedMs, nowMs: this.#options.clock.now() }));
    const headers: { [name: string]: string | readonly string[] } = { "audit-id": auditId, ...response.headers };
    if (trail.flow !== undefined) classifiedAs(trail.flow, headers);
    if (warnings.length > 0) headers.warning = warningHeaders(warnings);
    return { ...response, headers, sent };
  }

  async #answer(request: HttpRequest, as: User | undefined, info: RequestInfo, trail: AuditTrail, warn: (text: string) => void): Promise<HttpResponse> {
    const long = isLongRunning(info);
    const timeoutMs = long ? 0 : timeoutOf(info.query);
    const annotate = (key: string, value: string): void => { (trail.annotations ??= {})[key] ??= value; };
    const found = as ?? (await this.authenticator.authenticate(request, { warn, annotate }));
    if (found === undefined) throw unauthorized();
    trail.user = found;
    trail.known?.(info);
    const expiry = expiryWarning(request.peer, this.#options.clock.now());
    if (expiry !== undefined) warn(expiry);
    const { user, constraint } = wantsImpersonation(request.headers) ? await impersonate(found, request.headers, this.core.authorizer, attributesOf(info), this.#lastWays) : { user: found, constraint: undefined };
    if (user !== found) trail.impersonated = user;
    if (constraint !== undefined) trail.constraint = constraint;
    const run = (limit: { readonly signal: AbortSignal }): Promise<HttpResponse> => this.#dispatch(request, info, user, trail, { warn, annotate }, limit);
    if (long && info.verb !== "watch") return run(request);
    return this.#flow.run(request, info, user, trail, () => (long ? run(request) : within(this.#options.clock, timeoutMs, run, request)));
  }

  async #dispatch(request: HttpRequest, info: RequestInfo, user: User, trail: AuditTrail, notes: Notes, limit: { readonly signal: AbortSignal }): Promise<HttpResponse> {
    const attributes = attributesOf(info);
    const decision = await this.core.authorizer.authorize(user, attributes);
    trail.decision = decision;
    if (!decision.allowed && decision.error !== undefined) return sendPlain(500, failureText(request.target, decision.error));
    if (!decision.allowed) throw unauthorizedFor(user, attributes, decision.reason);
    const elsewhere = this.aggregator.answer(request, info, user, trail.auditId);
    if (elsewhere !== undefined) return elsewhere;
    if (!info.resourceRequest) return handleNonResource(this.#endpoints, request, info);
    if (this.registry.isBuiltIn(info.group) ? !this.registry.hasVersion(info.group, info.version) : this.registry.find(info.group, info.version, info.resource) === undefined) return pageNotFound(this.registry, info.group);
    return handleResource(this.services, { request, info, user, ...notes, trail, limit });
  }

  #refusal(request: HttpRequest, info: RequestInfo | undefined, error: unknown, trail: AuditTrail): HttpResponse {
    const output = outputFor(request, info);
    // Upstream's filters answer through Go's own errors in plain text (apiserver pkg/endpoints/handlers/responsewriters/errors.go, Forbidden).
    if (error instanceof ApiError) return sendError(error, output, trail.user !== undefined && trail.decision?.allowed !== true ? noSniff : {});
    if (error instanceof StoreFull) return sendError(new ApiError("InsufficientStorage", "the server's disk is full: nothing was written; reads and deletes still work"), output);
    if (error instanceof StoreBusy) return sendError(tooManyRequests("Too many requests: the store has more writes waiting than it takes", 1), output);
    if (error instanceof StoreClosed) return sendError(new ApiError("ServiceUnavailable", "apiserver is shutting down"), output);
    if (request.signal.aborted) return sendError(new ApiError("Timeout", "the client went away"), output);
    this.#options.log.error("request failed", { method: request.method, target: request.target.slice(0, 200), error: messageOf(error), stack: error instanceof Error ? (error.stack ?? "") : "" });
    if (error instanceof InvariantViolation || error instanceof StoreFailed) this.#options.fatal(error);
    return sendPlain(500, "This request caused apiserver to panic. Look in the logs for details.\n");
  }
}

/** Ids, not names: how an administrator ranks people is not told to them (apiserver pkg/server/filters/priority-and-fairness.go). */
function classifiedAs({ uid, level }: Flow, headers: { [name: string]: string | readonly string[] }): void {
  if (uid !== "") headers["x-kubernetes-pf-flowschema-uid"] = uid;
  if (level.uid !== "") headers["x-kubernetes-pf-prioritylevel-uid"] = level.uid;
}

/** apiserver pkg/endpoints/handlers/responsewriters/errors.go, InternalError. */
const failureText = (target: string, why: string): string => `Internal Server Error: ${JSON.stringify(target)}: ${why}\n`.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

export function attributesOf({ verb, group, version, resource, subresource, namespace, name, path, resourceRequest, query }: RequestInfo): RequestAttributes {
  const selects = verb === "list" || verb === "watch" || verb === "deletecollection";
  const fieldSelector = selects ? query.get("fieldSelector") : null, labelSelector = selects ? query.get("labelSelector") : null;
  return { verb, group, version, resource, subresource, namespace, name, path, resourceRequest, ...(fieldSelector === null ? {} : { fieldSelector }), ...(labelSelector === null ? {} : { labelSelector }) };
}

function outputFor(request: HttpRequest, info: RequestInfo | undefined): Output | undefined {
  try {
    return negotiateOutput(request.headers, info?.query ?? new URLSearchParams(""), oneForm);
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}
