/** What a Job's policies say of its pods: pure (upstream pkg/controller/job pod_failure_policy.go, success_policy.go). */
import type { Job } from "../kinds/batch/job.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { parseIndexes } from "./job-indexes.ts";

export type Verdict = { readonly action: "FailJob" | "FailIndex" | "Ignore" | "Count"; readonly message: string };

/** The first rule that matches a failed pod. */
export function failureVerdict({ spec }: Job, pod: Pod): Verdict | undefined {
  const { namespace = "", name } = pod.metadata;
  const statuses = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])];
  for (const [index, { action, onExitCodes, onPodConditions }] of (spec.podFailurePolicy?.rules ?? []).entries()) {
    if (onExitCodes !== undefined) {
      const { containerName, operator, values } = onExitCodes;
      const hit = statuses.find(({ name: container, state }) => {
        const exitCode = state?.terminated?.exitCode ?? 0;
        return (containerName === undefined || containerName === container) && exitCode !== 0 && values.includes(exitCode) === (operator === "In");
      });
      if (hit !== undefined) return { action, message: `Container ${hit.name} for pod ${namespace}/${name} failed with exit code ${hit.state?.terminated?.exitCode} matching ${action} rule at index ${index}` };
    }
    const condition = onPodConditions?.find(pattern => pod.status.conditions?.some(({ type, status }) => type === pattern.type && status === (pattern.status || "True")) === true);
    if (condition !== undefined) return { action, message: `Pod ${namespace}/${name} has condition ${condition.type} matching ${action} rule at index ${index}` };
  }
  return undefined;
}

/** The message of the first success rule that the completed indexes meet. */
export function successMessage({ spec }: Job, completed: ReadonlySet<number>): string | undefined {
  for (const [index, { succeededIndexes, succeededCount }] of (spec.successPolicy?.rules ?? []).entries()) {
    const wanted = succeededIndexes === undefined ? undefined : parseIndexes(succeededIndexes, spec.completions ?? 0);
    const met = wanted === undefined ? completed.size : [...wanted].filter(each => completed.has(each)).length;
    if (met >= (succeededCount ?? wanted?.size ?? Infinity)) return `Matched rules at index ${index}`;
  }
  return undefined;
}
