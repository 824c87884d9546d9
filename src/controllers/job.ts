import { sameJson } from "../base/json.ts";
import { messageOf } from "../base/log.ts";
import { selectorOf } from "../base/selector.ts";
import { byNamespace, joinKey, keyOf } from "../client/informer.ts";
import { Job } from "../kinds/batch/job.ts";
import { Pod } from "../kinds/core/pod.ts";
import type { New } from "../kinds/kind.ts";
import { controllerKeys, ownedOrSelected, type Context, type Controller } from "./controller.ts";
import { indexKey, isJobFinished, isTracked, planJob, trackingFinalizer, type JobPlan } from "./job-plan.ts";
import { candidatesOf, claim, controllerRef, planClaim } from "./ownership.ts";
import { podFromTemplate } from "./pods.ts";
import { isNamespaceEnding } from "./serviceaccount.ts";

/** Pods made or removed in one run (upstream MaxPodCreateDeletePerSync). */
const burstMax = 500;
const managedByUs = "kubernetes.io/job-controller";

/** Runs pods until enough of them have succeeded, or too many have failed. */
export const jobController: Controller = {
  name: "job",
  account: "job-controller",
  reconciles: Job,
  watches: [ownedOrSelected(Pod, Job, ({ spec }) => selectorOf(spec.selector)), { kind: Pod, keysOf: (pod: Pod, _context, { type }) => (type !== "deleted" && isTracked(pod) ? [`${strayPrefix}${keyOf(pod)}`] : []) }],

  async reconcile(key, context) {
    if (key.startsWith(strayPrefix)) return releaseStray(key.slice(strayPrefix.length), context);
    const job = context.read(Job).get(key);
    if (job === undefined || (job.spec.managedBy ?? managedByUs) !== managedByUs) {
      if (job === undefined) await releaseOrphans(key, context);
      return undefined;
    }
    const pods = await claim(context, Job, job, Pod, planClaim(job, selectorOf(job.spec.selector), candidatesOf(context, Pod, job)));
    if (job.metadata.deletionTimestamp !== undefined) {
      for (const pod of pods.filter(isTracked)) await untrack(pod, context);
      return undefined;
    }
    const plan = planJob(job, pods, context.clock.now());
    const failure = await carryOut(job, plan, context);
    if (!sameJson(job.status, plan.status)) {
      const written = await context.updateStatus(Job, { ...job, status: plan.status });
      tell(job, written, context);
    }
    // Finalizers go only once the server has the status that counts their pods; those planned now were counted before.
    for (const pod of plan.untrack) if (!plan.remove.includes(pod)) await untrack(pod, context);
    if (failure !== undefined) throw failure;
    return plan.afterMs === undefined ? undefined : { after: plan.afterMs };
  },
};

/** Keys of pods that may have lost their job; a job's own key has one slash. */
const strayPrefix = "stray/";

/** A pod that no job manages (any more) must not keep a finalizer that nobody else would take off. */
async function releaseStray(key: string, context: Context): Promise<undefined> {
  const pod = context.read(Pod).get(key);
  if (pod === undefined || !isTracked(pod)) return undefined;
  const ref = pod.metadata.ownerReferences?.find(ref => ref.controller === true);
  if (ref !== undefined && ref.kind !== Job.kind) return undefined;
  const namespace = pod.metadata.namespace ?? "";
  const job = ref === undefined ? undefined : context.read(Job).get(joinKey(namespace, ref.name)) ?? await context.live(Job, namespace, ref.name);
  // One that it could be adopted by will do what is right.
  const adopting = ref === undefined && pod.metadata.deletionTimestamp === undefined && context.read(Job).by(byNamespace, namespace).some(job => selectorOf(job.spec.selector).matches(pod.metadata.labels));
  if (job?.metadata.uid !== ref?.uid || (job === undefined && !adopting)) await untrack(pod, context);
  return undefined;
}

/** The job is gone: nobody else would ever take our finalizer off its pods. */
async function releaseOrphans(key: string, context: Context): Promise<void> {
  const namespace = key.slice(0, key.indexOf("/"));
  for (const pod of context.read(Pod).by(byNamespace, namespace)) if (isTracked(pod) && controllerKeys(pod, Job).includes(key)) await untrack(pod, context);
}
async function untrack(pod: Pod, context: Context): Promise<void> {
  const { uid, resourceVersion, finalizers = [] } = pod.metadata;
  const kept = finalizers.filter(finalizer => finalizer !== trackingFinalizer);
  await context.ifThere(context.patch(Pod, pod, { type: "merge", body: { metadata: { uid, resourceVersion, finalizers: kept.length === 0 ? null : kept } } }));
}

async function carryOut(job: Job, { create, remove, untrack: released }: JobPlan, context: Context): Promise<unknown> {
  let failure: unknown;
  for (const pod of remove.slice(0, burstMax)) {
    // A pod that the job itself gives up is no failure: it is no longer counted.
    if (released.includes(pod) && isTracked(pod)) await untrack(pod, context);
    try {
      await context.delete(Pod, pod);
      context.events.event(job, "Normal", "SuccessfulDelete", `Deleted pod: ${pod.metadata.name}`);
    } catch (error) {
      context.events.event(job, "Warning", "FailedDelete", `Error deleting: ${messageOf(error)}`);
      failure ??= error;
    }
  }
  const wanted = create.slice(0, burstMax);
  for (let done = 0, batch = 1; done < wanted.length && failure === undefined; done += batch, batch *= 2)
    for (const creation of await Promise.allSettled(wanted.slice(done, done + batch).map(each => context.create(Pod, podFor(job, each)))))
      if (creation.status === "fulfilled") context.events.event(job, "Normal", "SuccessfulCreate", `Created pod: ${creation.value.metadata.name}`);
      else if (!isNamespaceEnding(creation.reason)) {
        context.events.event(job, "Warning", "FailedCreate", `Error creating: ${messageOf(creation.reason)}`);
        failure ??= creation.reason;
      }
  return failure;
}

function tell(before: Job, after: Job, context: Context): void {
  const changed = (type: string, status: string): string | undefined => {
    const now = after.status.conditions?.find(condition => condition.type === type);
    return now?.status === status && before.status.conditions?.find(condition => condition.type === type)?.status !== status ? now.reason ?? "" : undefined;
  };
  if (changed("Suspended", "True") !== undefined) context.events.event(after, "Normal", "Suspended", "Job suspended");
  if (changed("Suspended", "False") !== undefined) context.events.event(after, "Normal", "Resumed", "Job resumed");
  if (!isJobFinished(after) || isJobFinished(before)) return;
  if (changed("Complete", "True") !== undefined) context.events.event(after, "Normal", "Completed", "Job completed");
  const failed = after.status.conditions?.find(({ type, status }) => type === "Failed" && status === "True");
  if (failed !== undefined) context.events.event(after, "Warning", failed.reason ?? "", failed.message ?? "");
}

function podFor(job: Job, { index, failures }: JobPlan["create"][number]): New<typeof Pod> {
  const { name, namespace } = job.metadata;
  const numbered = index === undefined ? {} : { [indexKey]: String(index) };
  const counted = index === undefined || job.spec.backoffLimitPerIndex === undefined ? {} : { "batch.kubernetes.io/job-index-failure-count": String(failures ?? 0) };
  const pod = podFromTemplate(job.spec.template, {
    generateName: index === undefined ? `${name}-` : `${name}-${index}-`, namespace, ownerReferences: [controllerRef(Job, job)],
    ...(index === undefined ? {} : { labels: numbered, annotations: { ...numbered, ...counted } }),
  }) as unknown as { readonly metadata: { readonly finalizers?: readonly string[] }; readonly spec: Pod["spec"] };
  const metadata = { ...pod.metadata, finalizers: [...(pod.metadata.finalizers ?? []), trackingFinalizer] };
  if (index === undefined) return { ...pod, metadata } as unknown as New<typeof Pod>;
  const variable = { name: "JOB_COMPLETION_INDEX", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: `metadata.labels['${indexKey}']` } } };
  const numberedContainers = (containers: Pod["spec"]["containers"]): Pod["spec"]["containers"] =>
    containers.map(container => (container.env?.some(env => env.name === variable.name) === true ? container : { ...container, env: [...(container.env ?? []), variable] }));
  const { initContainers, containers, hostname } = pod.spec;
  return {
    ...pod, metadata,
    spec: { ...pod.spec, hostname: hostname ?? `${name}-${index}`, containers: numberedContainers(containers), ...(initContainers === undefined ? {} : { initContainers: numberedContainers(initContainers) }) },
  } as unknown as New<typeof Pod>;
}
