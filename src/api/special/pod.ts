/** What pods do besides being stored (pkg/registry/core/pod/strategy.go). */
import { copyJson } from "../../base/json-codec.ts";
import type { Hooks } from "../core.ts";

export const podHooks: Hooks = {
  /** Not scheduled or already ended: nobody has to stop anything. */
  gracePeriod(pod, asked) {
    const { phase } = pod.status ?? {};
    if ((pod.spec.nodeName ?? "") === "" || phase === "Succeeded" || phase === "Failed") return 0;
    const seconds = asked ?? pod.spec.terminationGracePeriodSeconds ?? 30;
    return seconds < 0 ? 1 : seconds;
  },
  limit(subresource, next, previous) {
    if (subresource === "ephemeralcontainers") {
      const { ephemeralContainers } = next.spec ?? {};
      putBack(next, previous);
      if (ephemeralContainers !== undefined) next.spec.ephemeralContainers = ephemeralContainers;
      return true;
    }
    if (subresource === "resize") {
      const wanted = next.spec ?? {};
      putBack(next, previous);
      resize(next.spec.containers, wanted.containers);
      resize(next.spec.initContainers, wanted.initContainers);
      return true;
    }
    return false;
  },
};

function putBack(next: any, previous: any): void {
  const { resourceVersion } = next.metadata;
  next.spec = copyJson(previous.spec);
  next.status = copyJson(previous.status);
  next.metadata = { ...copyJson(previous.metadata), ...(next.metadata.managedFields === undefined ? {} : { managedFields: next.metadata.managedFields }) };
  if (resourceVersion === undefined) delete next.metadata.resourceVersion;
  else next.metadata.resourceVersion = resourceVersion;
}

/** Takes resources and resize policies of containers with the same name; nothing else may change. */
function resize(containers: any[] | undefined, wanted: readonly any[] | undefined): void {
  for (const container of containers ?? []) {
    const match = wanted?.find(({ name }) => name === container.name);
    if (match === undefined) continue;
    if (match.resources !== undefined) container.resources = match.resources;
    if (match.resizePolicy !== undefined) container.resizePolicy = match.resizePolicy;
  }
}
