/** An APIService object for every group and version that this server serves itself (kube-aggregator pkg/controllers/autoregister). */
import { isApiError } from "../../base/api-error.ts";
import { sameJson } from "../../base/json.ts";
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
import { priorityOf } from "./priorities.ts";

const user = { name: "system:apiserver", uid: "", groups: ["system:masters", "system:authenticated"], extra: {} };
const options = { dryRun: false, fieldManager: "kube-apiserver", fieldValidation: "Ignore" } as const;
const managed = "kube-aggregator.kubernetes.io/automanaged";

/** Groups that this server answers only until somebody installs a server for them: a chart that brings the APIService (metrics-server's) finds none in its way, as on Kubernetes. */
const yielding: ReadonlySet<string> = new Set(["metrics.k8s.io"]);

/** Keeps the objects in step with what is served until `signal` aborts; `onPublished` is called each time they are. Those of other servers are `aggregator.ts`'s. */
export async function publishLocalServices(core: Core, signal: AbortSignal, onPublished: () => void): Promise<void> {
  if (core.registry.of(APIService) === undefined) return;
  let isFirst = true;
  await keepInStep(core, { prefix: prefixOf(APIService), onChange: note => core.registry.onChange(note) }, async () => {
    await synchronize(core, isFirst, signal);
    isFirst = false;
    onPublished();
  }, signal);
}

/** Those of our own groups are made and taken away when the server starts, and are their owner's afterwards; custom resources' are kept as they are wanted. */
async function synchronize(core: Core, isFirst: boolean, signal: AbortSignal): Promise<void> {
  const wanted = new Map<string, any>();
  for (const { group, version } of core.registry.all()) {
    if (group === "apiregistration.k8s.io" || yielding.has(group)) continue;
    const { groupPriorityMinimum, versionPriority, builtIn } = priorityOf(group, version);
    wanted.set(`${version}.${group}`, {
      metadata: { name: `${version}.${group}`, labels: { [managed]: builtIn ? "onstart" : "true" } },
      spec: { ...(group === "" ? {} : { group }), version, groupPriorityMinimum, versionPriority },
    });
  }
  for (const found of core.reader.list("apiregistration.k8s.io", "apiservices", "")) {
    const { name, uid } = found.metadata;
    const spec = wanted.get(name)?.spec;
    wanted.delete(name);
    const label = found.metadata.labels?.[managed];
    const isKept = label === "true" || isFirst && label === "onstart";
    if (isKept && spec === undefined) await tolerate(core, () => remove(core, callFor(core, name, signal), { dryRun: false, uid }));
    else if (isKept && !sameJson(spec, found.spec)) await tolerate(core, () => update(core, callFor(core, name, signal), stored => read(callFor(core, name, signal), { ...stored, spec }), options));
    else if (found.spec.service === undefined) await setAvailable(core, found, signal);
  }
  for (const [name, object] of wanted) {
    if (signal.aborted) return;
    if (!isFirst && object.metadata.labels[managed] === "onstart") continue;
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
