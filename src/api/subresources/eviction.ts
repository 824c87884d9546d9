/** A delete that asks first: the pod's disruption budget, if it has one, must allow it (pkg/registry/core/pod/storage/eviction.go). */
import { ApiError, isApiError } from "../../base/api-error.ts";
import { must } from "../../base/assert.ts";
import { selectorOf } from "../../base/selector.ts";
import { timeOf } from "../../base/time.ts";
import { withDisruptionAllowed } from "../../kinds/policy/disruption.ts";
import { Eviction } from "../../kinds/policy/eviction.ts";
import { PodDisruptionBudget } from "../../kinds/policy/poddisruptionbudget.ts";
import type { Call, Core } from "../core.ts";
import { remove } from "../delete.ts";
import { badRequest, forbidden, notFound } from "../errors.ts";
import { deleteOptions } from "../options.ts";
import { update } from "../write.ts";
import { created, type Posted } from "./posted.ts";

/** Evictions allowed that the controller has not seen the end of; more mean that it does not keep up. */
const disruptedPodsMax = 2000;

export const eviction: Posted = {
  body: Eviction,
  async answer({ core }, call, body, options) {
    if ((body.metadata.name ?? "") !== call.name) throw badRequest("name in URL does not match name in Eviction object");
    const asked = deleteOptions(new URLSearchParams(""), body.deleteOptions ?? {});
    const dryRun = options.dryRun || asked.dryRun;
    const pod = core.reader.get("", "pods", call.namespace, call.name);
    if (pod === undefined) throw notFound({ group: "", resource: "pods" }, call.name);
    let whileUnready: string | undefined;
    if (!needsNoBudget(pod)) {
      const budgets = budgetsOf(core, pod);
      if (budgets.length > 1) throw new ApiError("", "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.", undefined, 500);
      const [budget] = budgets;
      if (budget !== undefined && mayGoUnready(pod, budget)) whileUnready = budget.metadata.name;
      else if (budget !== undefined) await takeOne(core, call, budget, dryRun);
    }
    if (!dryRun) await announce(core, call);
    const current = core.reader.get("", "pods", call.namespace, call.name);
    try {
      // An unready pod goes only as long as it is unready.
      const resourceVersion = whileUnready === undefined || asked.resourceVersion !== undefined ? {} : { resourceVersion: current?.metadata.resourceVersion ?? "" };
      await remove(core, { ...call, subresource: "" }, { ...asked, ...resourceVersion, dryRun }, false);
    } catch (error) {
      if (whileUnready !== undefined && asked.resourceVersion === undefined && isApiError(error, "Conflict")) throw stillProcessed(whileUnready);
      throw error;
    }
    return created;
  },
};

function needsNoBudget({ status, metadata }: any): boolean {
  return ["Succeeded", "Failed", "Pending"].includes(status?.phase) || metadata.deletionTimestamp !== undefined;
}

function budgetsOf(core: Core, pod: any): any[] {
  return core.reader.list("policy", "poddisruptionbudgets", pod.metadata.namespace).filter(({ spec }) => spec.selector !== undefined && selectorOf(spec.selector).matches(pod.metadata.labels ?? {}));
}

/** A pod that is not ready is not missed, if its budget is met without it or does not ask. */
function mayGoUnready(pod: any, { spec, status }: any): boolean {
  const ready = (pod.status?.conditions ?? []).some((condition: any) => condition.type === "Ready" && condition.status === "True");
  if (ready) return false;
  return spec.unhealthyPodEvictionPolicy === "AlwaysAllow" || (status.currentHealthy >= status.desiredHealthy && status.desiredHealthy > 0);
}

/** Takes one of the disruptions that the budget allows, in one write that two evictions cannot both make. */
async function takeOne(core: Core, call: Call, { metadata: { name } }: any, dryRun: boolean): Promise<void> {
  const served = must(core.registry.of(PodDisruptionBudget), "disruption budgets are served");
  const take = (budget: any): any => {
    const { metadata, status } = budget;
    const of = { group: "policy", resource: "poddisruptionbudget" };
    if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) throw stillProcessed(name);
    if (status.disruptionsAllowed < 0) throw forbidden(of, name, "pdb disruptions allowed is negative");
    if (Object.keys(status.disruptedPods ?? {}).length > disruptedPodsMax) throw forbidden(of, name, "DisruptedPods map too big - too many evictions not confirmed by PDB controller");
    if (status.disruptionsAllowed === 0) throw refusal(0, `The disruption budget ${name} needs ${status.desiredHealthy} healthy pods and has ${status.currentHealthy} currently`);
    const now = core.clock.now();
    const disruptionsAllowed = status.disruptionsAllowed - 1;
    return {
      ...structuredClone(budget), status: {
        ...structuredClone(status), disruptionsAllowed, disruptedPods: { ...status.disruptedPods, [call.name]: timeOf(now) },
        ...(disruptionsAllowed === 0 ? { conditions: structuredClone(withDisruptionAllowed(status.conditions, 0, status.observedGeneration, now)) } : {}),
      },
    };
  };
  await update(core, { ...call, served, name, subresource: "status" }, stored => {
    const next = take(stored);
    delete next.metadata.resourceVersion; // another eviction's write is no reason to refuse this one
    return next;
  }, { dryRun, fieldManager: "kube-apiserver", fieldValidation: "Ignore" });
}

/** Says on the pod why it goes. */
async function announce(core: Core, call: Call): Promise<void> {
  const condition = { type: "DisruptionTarget", status: "True", reason: "EvictionByEvictionAPI", message: "Eviction API: evicting" };
  await update(core, { ...call, subresource: "status" }, stored => {
    const next = structuredClone(stored);
    delete next.metadata.resourceVersion;
    const others = (next.status?.conditions ?? []).filter(({ type }: any) => type !== condition.type);
    return { ...next, status: { ...next.status, conditions: [...others, { ...condition, lastTransitionTime: timeOf(core.clock.now()) }] } };
  }, { dryRun: false, fieldManager: "kube-apiserver", fieldValidation: "Ignore" });
}

function stillProcessed(name: string): ApiError {
  return refusal(10, `The disruption budget ${name} is still being processed by the server.`);
}

function refusal(retryAfterSeconds: number, message: string): ApiError {
  return new ApiError("TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.", { causes: [{ reason: "DisruptionBudget", message }], ...(retryAfterSeconds === 0 ? {} : { retryAfterSeconds }) });
}
