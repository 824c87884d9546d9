/** An APIService object for every group and version that this server serves itself (kube-aggregator pkg/controllers/autoregister). */
import { isApiError } from "../../base/api-error.ts";
import { messageOf } from "../../base/log.ts";
import { must } from "../../base/assert.ts";
import { APIService } from "../../kinds/apiregistration/apiservice.ts";
import { decode } from "../../schema/decode.ts";
import type { Call, Core } from "../core.ts";
import { remove } from "../delete.ts";
import { keepInStep } from "../keep-in-step.ts";
import { prefixOf } from "../registry.ts";
import { adopt } from "../strategy.ts";
import { create, update } from "../write.ts";
import { conditionsWith, local } from "./availability.ts";

const user = { name: "system:apiserver", uid: "", groups: ["system:masters", "system:authenticated"], extra: {} };
const options = { dryRun: false, fieldManager: "kube-apiserver", fieldValidation: "Ignore" } as const;
const managed = "kube-aggregator.kubernetes.io/automanaged";

/** Order of the built-in groups (kube-apiserver cmd/kube-apiserver/app/aggregator.go); custom resources come last. */
const priorities = new Map([
  ["", 18_000], ["apps", 17_800], ["events.k8s.io", 17_750], ["authentication.k8s.io", 17_700], ["authorization.k8s.io", 17_600], ["autoscaling", 17_500], ["batch", 17_400], ["certificates.k8s.io", 17_300],
  ["networking.k8s.io", 17_200], ["policy", 17_100], ["rbac.authorization.k8s.io", 17_000], ["storage.k8s.io", 16_800], ["apiextensions.k8s.io", 16_700], ["admissionregistration.k8s.io", 16_700],
  ["scheduling.k8s.io", 16_600], ["coordination.k8s.io", 16_500], ["node.k8s.io", 16_300], ["discovery.k8s.io", 16_200], ["flowcontrol.apiserver.k8s.io", 16_100], ["resource.k8s.io", 16_200],
]);
/** Order of a group's versions where it is not upstream's usual 15. */
const versionPriorities = new Map([["v1.", 1], ["v2.autoscaling", 30], ["v1.flowcontrol.apiserver.k8s.io", 21], ["v1.resource.k8s.io", 21]]);

/** Groups that this server answers only until somebody installs a server for them: a chart that brings the APIService (metrics-server's) finds none in its way, as on Kubernetes. */
const yielding: ReadonlySet<string> = new Set(["metrics.k8s.io"]);

/** Keeps the objects in step with what is served until `signal` aborts; `onPublished` is called each time they are. Those of other servers are `aggregator.ts`'s. */
export async function publishLocalServices(core: Core, signal: AbortSignal, onPublished: () => void): Promise<void> {
  if (core.registry.of(APIService) === undefined) return;
  await keepInStep(core, { prefix: prefixOf(APIService), onChange: note => core.registry.onChange(note) }, () => synchronize(core, signal).then(onPublished), signal);
}

async function synchronize(core: Core, signal: AbortSignal): Promise<void> {
  const wanted = new Map<string, any>();
  for (const { group, version } of core.registry.all()) {
    if (group === "apiregistration.k8s.io" || yielding.has(group)) continue;
    const builtIn = priorities.get(group);
    wanted.set(`${version}.${group}`, {
      metadata: { name: `${version}.${group}`, labels: { [managed]: builtIn === undefined ? "true" : "onstart" } },
      spec: { ...(group === "" ? {} : { group }), version, groupPriorityMinimum: builtIn ?? 1000, versionPriority: builtIn === undefined ? 100 : versionPriorities.get(`${version}.${group}`) ?? 15 },
    });
  }
  for (const found of core.reader.list("apiregistration.k8s.io", "apiservices", "")) {
    const { name, uid } = found.metadata;
    const served = wanted.delete(name);
    if (found.spec.service !== undefined) continue;
    if (served || found.metadata.labels?.[managed] === undefined) await setAvailable(core, found, signal);
    else await tolerate(core, () => remove(core, callFor(core, name, signal), { dryRun: false, uid }));
  }
  for (const [name, object] of wanted) {
    if (signal.aborted) return;
    await tolerate(core, () => create(core, { ...callFor(core, name, signal), name: "" }, read(callFor(core, name, signal), object), options));
  }
}

async function setAvailable(core: Core, found: any, signal: AbortSignal): Promise<void> {
  if (conditionsWith(found, local, core.clock.now()) === undefined) return;
  const call = callFor(core, found.metadata.name, signal);
  await tolerate(core, () => update(core, { ...call, subresource: "status" }, stored => read(call, { ...stored, status: { conditions: conditionsWith(stored, local, core.clock.now()) ?? stored.status.conditions } }), options));
}

/** Somebody else was there first, or it is gone: the next pass sees it. What a definition makes impossible concerns it alone. */
async function tolerate(core: Core, run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (isApiError(error, "Invalid")) core.log.warn("an API service could not be written", { error: messageOf(error) });
    else if (!isApiError(error, "AlreadyExists") && !isApiError(error, "Conflict") && !isApiError(error, "NotFound")) throw error;
  }
}

const read = (call: Call, object: any): any => adopt(call.served, decode(call.served.node, object).object);

function callFor(core: Core, name: string, signal: AbortSignal): Call {
  return { served: must(core.registry.of(APIService), "API services are served"), namespace: "", name, subresource: "", user, userAgent: "kube-apiserver", limit: { signal }, warn: () => undefined };
}
