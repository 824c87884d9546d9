import { ApiError } from "../base/api-error.ts";
import { sameJson, type Json } from "../base/json.ts";
import { messageOf } from "../base/log.ts";
import { nothing, parseLabelSelector, SelectorError, type Selector } from "../base/selector.ts";
import { timeOf } from "../base/time.ts";
import { byNamespace, keyOf } from "../client/informer.ts";
import { HorizontalPodAutoscaler, type HorizontalPodAutoscalerStatus, type MetricStatus } from "../kinds/autoscaling/horizontalpodautoscaler.ts";
import { Pod } from "../kinds/core/pod.ts";
import { qualifiedResource, type AnyKind } from "../kinds/kind.ts";
import { limitReplicas, nothingYet, remember, type Recently } from "./autoscaler-limits.ts";
import { measure, tolerancesOf, UnusableMetric } from "./autoscaler-status.ts";
import type { Context, Controller } from "./controller.ts";

/** How often an autoscaler is looked at (--horizontal-pod-autoscaler-sync-period). Unlike upstream a new or changed one is looked at at once. */
const periodMs = 15_000;
const updateTriesMax = 5;

type Scale = { readonly metadata: { readonly name: string }; readonly spec?: { readonly replicas?: number }; readonly status?: { readonly replicas?: number; readonly selector?: string } };
type Condition = NonNullable<HorizontalPodAutoscalerStatus["conditions"]>[number];

/** Keeps the number of pods in step with their load. */
export function horizontalPodAutoscaler(): Controller {
  /** By key: what was lately recommended and done, and which pods each autoscaler selects. Forgotten at a restart, as upstream. */
  const memory = new Map<string, { readonly uid: string; readonly recently: Recently; readonly selector: Selector }>();
  return {
    name: "horizontal-pod-autoscaler",
    account: "horizontal-pod-autoscaler",
    component: "horizontal-pod-autoscaler",
    watches: [{ kind: HorizontalPodAutoscaler, keysOf: (next: HorizontalPodAutoscaler, _context, { type, previous }) => (type === "updated" && previous !== undefined && sameJson(previous.spec, next.spec) ? [] : [keyOf(next)]) }],
    reads: [Pod],
    async reconcile(key, context) {
      const autoscaler = context.read(HorizontalPodAutoscaler).get(key);
      if (autoscaler === undefined) {
        memory.delete(key);
        return undefined;
      }
      const known = memory.get(key);
      const before = known !== undefined && known.uid === autoscaler.metadata.uid ? known : { uid: autoscaler.metadata.uid, recently: nothingYet, selector: nothing };
      memory.set(key, before);
      const run = new Run(autoscaler, context, before.recently, selector => {
        memory.set(key, { ...before, selector });
        return [...memory].filter(([other]) => other.slice(0, other.indexOf("/")) === autoscaler.metadata.namespace).map(([other, { selector: its }]) => ({ name: other.slice(other.indexOf("/") + 1), selector: its }));
      });
      const recently = await run.go();
      const now = memory.get(key);
      if (now !== undefined) memory.set(key, { ...now, recently });
      return { after: periodMs };
    },
  };
}

/** One look at one autoscaler. */
class Run {
  readonly #autoscaler: HorizontalPodAutoscaler;
  readonly #context: Context;
  readonly #share: (selector: Selector) => readonly { readonly name: string; readonly selector: Selector }[];
  #recently: Recently;
  #conditions: readonly Condition[];
  constructor(autoscaler: HorizontalPodAutoscaler, context: Context, recently: Recently, share: (selector: Selector) => readonly { readonly name: string; readonly selector: Selector }[]) {
    this.#autoscaler = autoscaler;
    this.#context = context;
    this.#recently = recently;
    this.#share = share;
    this.#conditions = autoscaler.status.conditions ?? [];
  }

  /** What is to be remembered for the next look. */
  async go(): Promise<Recently> {
    const { spec, metadata } = this.#autoscaler;
    const found = await this.#scale();
    if (found === undefined) {
      await this.#write({});
      return this.#recently;
    }
    const { path, scale } = found;
    const current = scale.spec?.replicas ?? 0;
    const now = this.#context.clock.now();
    this.#set("AbleToScale", "True", "SucceededGetScale", "the HPA controller was able to get the target's current scale");
    if (this.#recently.recommendations.length === 0) this.#recently = { ...this.#recently, recommendations: [{ replicas: current, atMs: now }] };
    const least = spec.minReplicas ?? 1;
    const fixed = current === 0 ? "zero" : current > spec.maxReplicas ? "above" : current < least ? "below" : undefined;
    let desired = fixed === "above" ? spec.maxReplicas : fixed === "below" ? least : current;
    let reason = fixed === "above" ? "Current number of replicas above Spec.MaxReplicas" : fixed === "below" ? "Current number of replicas below Spec.MinReplicas" : "";
    let currentMetrics: readonly MetricStatus[] = [];
    if (fixed === "zero") this.#set("ScalingActive", "False", "ScalingDisabled", "scaling is disabled since the replica count of the target is zero");
    if (fixed === undefined) {
      const measured = await this.#measure(scale);
      currentMetrics = measured.statuses;
      if (measured.replicas === undefined) {
        await this.#write({ currentReplicas: current, currentMetrics });
        this.#event("FailedComputeMetricsReplicas", measured.problem);
        return this.#recently;
      }
      if (measured.replicas > current) reason = `${measured.name} above target`;
      else if (measured.replicas < current) reason = "All metrics below target";
      const limits = limitReplicas(spec, least, current, measured.replicas, this.#recently, now);
      for (const { type, status, reason: why, message } of limits.conditions) this.#set(type, status, why, message);
      this.#recently = limits.recently;
      desired = limits.desired;
    }
    if (desired === current) {
      await this.#write({ currentReplicas: current, desiredReplicas: current, currentMetrics });
      return this.#recently;
    }
    const failure = await this.#resize(path, scale, desired);
    if (failure !== undefined) {
      this.#event("FailedRescale", `New size: ${desired}; reason: ${reason}; error: ${failure}`);
      this.#set("AbleToScale", "False", "FailedUpdateScale", `the HPA controller was unable to update the target scale: ${failure}`);
      await this.#write({ currentReplicas: current, currentMetrics });
      return this.#recently;
    }
    this.#set("AbleToScale", "True", "SucceededRescale", `the HPA controller was able to update the target scale to ${desired}`);
    this.#context.events.event(this.#autoscaler, "Normal", "SuccessfulRescale", `New size: ${desired}; reason: ${reason}`);
    this.#context.log.info("rescaled", { autoscaler: `${metadata.namespace}/${metadata.name}`, from: current, to: desired, reason });
    if (spec.behavior !== undefined) this.#recently = remember(this.#recently, current, desired, now);
    await this.#write({ currentReplicas: current, desiredReplicas: desired, currentMetrics, lastScaleTime: timeOf(now) });
    return this.#recently;
  }

  /** The target's Scale, whatever serves it; undefined once it was said that there is none. */
  async #scale(): Promise<{ readonly path: string; readonly scale: Scale } | undefined> {
    const { scaleTargetRef } = this.#autoscaler.spec;
    const { namespace = "" } = this.#autoscaler.metadata;
    const kind = this.#kindOf(scaleTargetRef.apiVersion ?? "", scaleTargetRef.kind);
    let problem: string;
    if (kind === undefined) {
      const group = groupOf(scaleTargetRef.apiVersion ?? "");
      problem = `no matches for kind "${scaleTargetRef.kind}" in group "${group}"`;
    } else {
      const path = `${kind.group === "" ? "/api" : `/apis/${kind.group}`}/${kind.version}/namespaces/${encodeURIComponent(namespace)}/${kind.plural}/${encodeURIComponent(scaleTargetRef.name)}/scale`;
      try {
        return { path, scale: (await this.#context.request("GET", path)) as unknown as Scale };
      } catch (error) {
        problem = error instanceof ApiError && error.reason === "" && error.code === 404 ? "the server could not find the requested resource" : messageOf(error);
      }
    }
    this.#event("FailedGetScale", problem);
    this.#set("AbleToScale", "False", "FailedGetScale", `the HPA controller was unable to get the target's current scale: ${problem}`);
    return undefined;
  }
  #kindOf(apiVersion: string, name: string): AnyKind | undefined {
    const group = groupOf(apiVersion);
    return this.#context.kinds().find(kind => kind.group === group && kind.kind === name);
  }

  async #measure(scale: Scale): Promise<{ readonly replicas?: number; readonly name: string; readonly statuses: readonly MetricStatus[]; readonly problem: string }> {
    const { spec, metadata } = this.#autoscaler;
    const selected = this.#select(scale.status?.selector ?? "");
    if (typeof selected === "string") return { name: "", statuses: [], problem: selected };
    const metrics = spec.metrics ?? [];
    const target = {
      namespace: metadata.namespace ?? "", selector: selected.selector, pods: selected.pods, specReplicas: scale.spec?.replicas ?? 0, statusReplicas: scale.status?.replicas ?? 0, tolerances: tolerancesOf(spec),
      now: this.#context.clock.now(), read: (path: string) => this.#context.request("GET", path),
      resourceOf: (apiVersion: string, name: string) => { const kind = this.#kindOf(apiVersion, name); return kind && qualifiedResource(kind); },
    };
    const statuses: MetricStatus[] = [];
    const unusable: UnusableMetric[] = [];
    let [replicas, name] = [0, ""];
    for (const metric of metrics)
      try {
        const proposal = await measure(metric, target);
        statuses.push(proposal.status);
        if (replicas === 0 || proposal.replicas > replicas) [replicas, name] = [proposal.replicas, proposal.name];
      } catch (error) {
        if (!(error instanceof UnusableMetric)) throw error;
        // Quirk: upstream's list keeps an empty place for it.
        statuses.push({ type: "" });
        this.#event(error.reason, error.detail);
        unusable.push(error);
      }
    const [first] = unusable;
    const problem = first === undefined ? "" : `invalid metrics (${unusable.length} invalid out of ${metrics.length}), first error is: ${first.message}`;
    // With something unknown there may be more to do than is seen: never fewer pods then.
    if (first !== undefined && (unusable.length >= metrics.length || replicas < target.specReplicas)) {
      this.#set("ScalingActive", "False", first.reason, `the HPA was unable to compute the replica count: ${first.detail}`);
      return { name, statuses, problem };
    }
    this.#set("ScalingActive", "True", "ValidMetricFound", `the HPA was able to successfully calculate a replica count from ${name}`);
    return { replicas, name, statuses, problem };
  }

  /** The pods under the target's selector, or why they cannot be told. */
  #select(text: string): { readonly selector: Selector; readonly pods: readonly Pod[] } | string {
    const refuse = (event: string, reason: string, message: string, condition = message): string => {
      this.#event(event, message);
      this.#set("ScalingActive", "False", reason, condition);
      return message;
    };
    if (text === "") return refuse("SelectorRequired", "InvalidSelector", "selector is required", "the HPA target's scale is missing a selector");
    let selector: Selector;
    try {
      selector = parseLabelSelector(text);
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      return refuse("InvalidSelector", "InvalidSelector", `couldn't convert selector into a corresponding internal selector object: ${error.message}`);
    }
    const { namespace = "" } = this.#autoscaler.metadata;
    const pods = this.#context.read(Pod).by(byNamespace, namespace).filter(({ metadata }) => selector.matches(metadata.labels));
    const rivals = this.#share(selector).filter(({ selector: its }) => pods.some(({ metadata }) => its.matches(metadata.labels)));
    if (rivals.length > 1) return refuse("AmbiguousSelector", "AmbiguousSelector", `pods by selector ${text} are controlled by multiple HPAs: [${rivals.map(({ name }) => `{${name} ${namespace}}`).join(" ")}]`);
    return { selector, pods };
  }

  /** Why the scale could not be set, if so. A conflict means that somebody else wrote: set it on the newest. */
  async #resize(path: string, first: Scale, replicas: number): Promise<string | undefined> {
    let scale = first;
    for (let tries = 1; ; tries++)
      try {
        await this.#context.request("PUT", path, { ...scale, spec: { ...scale.spec, replicas } } as unknown as Json);
        return undefined;
      } catch (error) {
        if (!(error instanceof ApiError && error.reason === "Conflict") || tries === updateTriesMax) return messageOf(error);
        scale = (await this.#context.request("GET", path)) as unknown as Scale;
      }
  }

  #event(reason: string, message: string): void {
    this.#context.events.event(this.#autoscaler, "Warning", reason, message);
  }
  #set(type: string, status: "True" | "False", reason: string, message: string): void {
    const had = this.#conditions.find(condition => condition.type === type);
    const next: Condition = { type, status, reason, message, lastTransitionTime: had?.status === status ? had.lastTransitionTime : timeOf(this.#context.clock.now()) };
    this.#conditions = had === undefined ? [...this.#conditions, next] : this.#conditions.map(condition => (condition === had ? next : condition));
  }
  async #write(status: Partial<HorizontalPodAutoscalerStatus>): Promise<void> {
    const { observedGeneration: _, ...before } = this.#autoscaler.status;
    const next = { ...before, ...status, conditions: this.#conditions };
    if (sameJson(next, before)) return;
    try {
      await this.#context.updateStatus(HorizontalPodAutoscaler, { ...this.#autoscaler, status: next });
    } catch (error) {
      this.#event("FailedUpdateStatus", messageOf(error));
      throw error;
    }
  }
}

const groupOf = (apiVersion: string): string => (apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "");
