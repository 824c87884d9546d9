/** Whether another API server can be reached: what is decided without calling it, and the condition that says so (kube-aggregator pkg/controllers/status/remote). */
import { sameJson } from "../../base/json.ts";
import { timeOf } from "../../base/time.ts";

export type Verdict = { readonly status: "True" | "False"; readonly reason: string; readonly message: string };

export const passed: Verdict = { status: "True", reason: "Passed", message: "all checks passed" };
export const local: Verdict = { status: "True", reason: "Local", message: "Local APIServices are always available" };
export const failedDiscovery = (message: string): Verdict => ({ status: "False", reason: "FailedDiscoveryCheck", message });

/** Upstream's default (apis/apiregistration/v1/defaults.go). */
export const defaultPort = 443;

/** Why the service cannot be there, or `undefined` when it must be asked. `slices` are the service's. */
export function judgeService(reference: { readonly namespace?: string; readonly name?: string; readonly port?: number }, service: any | undefined, slices: readonly any[]): Verdict | undefined {
  const { namespace = "", name = "", port = defaultPort } = reference;
  const no = (reason: string, message: string): Verdict => ({ status: "False", reason, message });
  if (service === undefined) return no("ServiceNotFound", `service/${name} in ${JSON.stringify(namespace)} is not present`);
  if ((service.spec.type ?? "ClusterIP") !== "ClusterIP") return undefined;
  const found = (service.spec.ports ?? []).find((each: any) => each.port === port);
  if (found === undefined) return no("ServicePortError", `service/${name} in ${JSON.stringify(namespace)} is not listening on port ${port}`);
  if (slices.length === 0) return no("EndpointsNotFound", `cannot find endpointslices for service/${name} in ${JSON.stringify(namespace)}`);
  const portName: string = found.name ?? "";
  const reachable = slices.some(({ endpoints = [], ports = [] }) => endpoints.some((each: any) => each.conditions?.ready !== false) && ports.some((each: any) => (each.name ?? "") === portName && each.port !== undefined));
  return reachable ? undefined : no("MissingEndpoints", `endpointslices for service/${name} in ${JSON.stringify(namespace)} have no addresses with port name ${JSON.stringify(portName)}`);
}

/** The object's conditions with this verdict in them; `undefined` when they say so already. */
export function conditionsWith(object: any, verdict: Verdict, nowMs: number): readonly any[] | undefined {
  const all: readonly any[] = object.status?.conditions ?? [];
  const old = all.find(({ type }) => type === "Available");
  const lastTransitionTime = old?.status === verdict.status ? old.lastTransitionTime : timeOf(nowMs);
  const next = { type: "Available", status: verdict.status, lastTransitionTime, reason: verdict.reason, message: verdict.message };
  if (old !== undefined && sameJson(old, next)) return undefined;
  return old === undefined ? [...all, next] : all.map(each => (each === old ? next : each));
}
