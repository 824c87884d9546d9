import { msOf } from "../base/time.ts";
import { Job } from "../kinds/batch/job.ts";
import type { Controller } from "./controller.ts";

/** Deletes finished jobs when their time is up. */
export const ttlAfterFinishedController: Controller = {
  name: "ttl-after-finished",
  account: "ttl-after-finished-controller",
  reconciles: Job,
  watches: [],

  async reconcile(key, context) {
    const job = context.read(Job).get(key);
    const left = job === undefined ? undefined : timeLeft(job, context.clock.now());
    if (job === undefined || left === undefined) return undefined;
    if (left > 0) return { after: left };
    // The copy may be old: the user may have just given it more time.
    const fresh = await context.live(Job, job.metadata.namespace ?? "", job.metadata.name);
    if (fresh === undefined || fresh.metadata.uid !== job.metadata.uid || (timeLeft(fresh, context.clock.now()) ?? 1) > 0) return undefined;
    await context.delete(Job, fresh, { propagationPolicy: "Foreground", preconditions: { resourceVersion: fresh.metadata.resourceVersion } });
    return undefined;
  },
};

/** Milliseconds until the job is to go; `undefined` if it is not finished, stays for good, or is going already. */
export function timeLeft({ metadata, spec, status }: Job, now: number): number | undefined {
  const end = status.conditions?.find(({ type, status }) => (type === "Complete" || type === "Failed") && status === "True");
  if (end === undefined || spec.ttlSecondsAfterFinished === undefined || metadata.deletionTimestamp !== undefined) return undefined;
  return (msOf(end.lastTransitionTime) ?? now) + spec.ttlSecondsAfterFinished * 1000 - now;
}
