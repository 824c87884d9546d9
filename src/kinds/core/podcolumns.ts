/** What `kubectl get pods` shows (kubernetes pkg/printers/internalversion printPod). */
import type { Column, ObjectOf, Shape } from "../kind.ts";
import { ageColumn, ageOf, nameColumn } from "../columns.ts";
import type { PodSpec } from "./podspec.ts";
import type { ContainerStatus, PodStatus } from "./podstatus.ts";

type PodLike = ObjectOf<Shape> & { readonly spec: PodSpec; readonly status: PodStatus };
type Summary = { readonly ready: number; readonly total: number; readonly status: string; readonly restarts: number; readonly lastRestart: string | undefined };

/** READY, STATUS and RESTARTS of a pod: derived from its containers, not from its phase alone. */
export function summarizePod(pod: PodLike): Summary {
  const { spec, status } = pod;
  let reason = status.reason ?? status.phase ?? "";
  if (status.conditions?.some(condition => condition.type === "PodScheduled" && condition.reason === "SchedulingGated")) reason = "SchedulingGated";
  const sidecars = new Set((spec.initContainers ?? []).filter(container => container.restartPolicy === "Always").map(({ name }) => name));

  const init = summarizeInit(spec, status, sidecars);
  let { ready } = init;
  let tally = init.all;
  if (init.reason !== undefined) reason = init.reason;
  if (init.reason === undefined || conditionTrue(status, "Initialized")) {
    tally = init.sidecars;
    let running = false;
    for (const container of (status.containerStatuses ?? []).toReversed()) {
      tally = add(tally, container);
      const { waiting, terminated } = container.state ?? {};
      if (waiting?.reason) reason = waiting.reason;
      else if (terminated) reason = terminated.reason || (terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`);
      else if (container.ready && container.state?.running) {
        running = true;
        ready++;
      }
    }
    if (reason === "Completed" && running) reason = conditionTrue(status, "Ready") ? "Running" : "NotReady";
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (status.reason === "NodeLost") reason = "Unknown";
    else if (status.phase !== "Succeeded" && status.phase !== "Failed") reason = "Terminating";
  }
  return { ready, total: spec.containers.length + sidecars.size, status: reason, restarts: tally.count, lastRestart: tally.last };
}

type Tally = { readonly count: number; readonly last: string | undefined };
const none: Tally = { count: 0, last: undefined };
function add(tally: Tally, container: ContainerStatus): Tally {
  const ended = container.lastState?.terminated?.finishedAt ?? undefined;
  return { count: tally.count + container.restartCount, last: ended !== undefined && (tally.last === undefined || ended > tally.last) ? ended : tally.last };
}

/** The first init container that is not done decides, and nothing after it counts. */
function summarizeInit(spec: PodSpec, status: PodStatus, sidecarNames: ReadonlySet<string>): { readonly ready: number; readonly reason: string | undefined; readonly all: Tally; readonly sidecars: Tally } {
  let [all, sidecars, ready] = [none, none, 0];
  for (const [i, container] of (status.initContainerStatuses ?? []).entries()) {
    all = add(all, container);
    const sidecar = sidecarNames.has(container.name);
    if (sidecar) sidecars = add(sidecars, container);
    const { waiting, terminated } = container.state ?? {};
    if (terminated && terminated.exitCode === 0) continue;
    if (sidecar && container.started === true) {
      if (container.ready) ready++;
      continue;
    }
    const reason = terminated ? terminated.reason || (terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`)
      : waiting?.reason && waiting.reason !== "PodInitializing" ? waiting.reason : `${i}/${spec.initContainers?.length ?? 0}`;
    return { ready, reason: `Init:${reason}`, all, sidecars };
  }
  return { ready, reason: undefined, all, sidecars };
}
const conditionTrue = (status: PodStatus, type: string): boolean => status.conditions?.some(condition => condition.type === type && condition.status === "True") ?? false;

function restartsText({ restarts, lastRestart }: Summary, now: number): string {
  return restarts !== 0 && lastRestart !== undefined ? `${restarts} (${ageOf(lastRestart, now)} ago)` : `${restarts}`;
}
function gatesText({ spec, status }: PodLike): string {
  const gates = spec.readinessGates ?? [];
  return gates.length === 0 ? "<none>" : `${gates.filter(({ conditionType }) => conditionTrue(status, conditionType)).length}/${gates.length}`;
}

export const podColumns: readonly Column<PodLike>[] = [
  nameColumn,
  { name: "Ready", type: "string", doc: "Containers that are ready, of all that keep running.", cell: pod => { const { ready, total } = summarizePod(pod); return `${ready}/${total}`; } },
  { name: "Status", type: "string", doc: "What the pod is doing, or why it does not run.", cell: pod => summarizePod(pod).status },
  { name: "Restarts", type: "string", doc: "How often containers were started again, and when last.", cell: (pod, now) => restartsText(summarizePod(pod), now) },
  ageColumn,
  { name: "IP", type: "string", priority: 1, doc: "First address of the pod.", cell: ({ status }) => status.podIPs?.[0]?.ip || status.podIP || "<none>" },
  { name: "Node", type: "string", priority: 1, doc: "Node that the pod was bound to.", cell: ({ spec }) => spec.nodeName ?? "<none>" },
  { name: "Nominated Node", type: "string", priority: 1, doc: "Node on which room is being made for the pod.", cell: ({ status }) => status.nominatedNodeName ?? "<none>" },
  { name: "Readiness Gates", type: "string", priority: 1, doc: "Readiness gates that are met, of all that the pod has.", cell: gatesText },
];

/** Conditions of a pod's row, by which kubectl tells finished pods. */
export function podRowConditions({ status }: PodLike): readonly { readonly type: string; readonly status: string; readonly reason: string; readonly message: string }[] {
  if (status.phase === "Succeeded") return [{ type: "Completed", status: "True", reason: "Succeeded", message: "The pod has completed successfully." }];
  if (status.phase === "Failed") return [{ type: "Completed", status: "True", reason: "Failed", message: "The pod failed." }];
  return [];
}
