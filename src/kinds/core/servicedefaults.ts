/** Defaults of a Service that depend on its type (kubernetes pkg/apis/core/v1/defaults.go). Addresses and node ports are allocated when it is stored. */
type Writable<T> = T extends readonly (infer I)[] ? Writable<I>[] : T extends object ? { -readonly [K in keyof T]: Writable<T[K]> } : T;

export function defaultService(given: unknown): void {
  const { spec, status } = given as { spec: Writable<import("./service.ts").ServiceSpec>; status: Writable<import("./service.ts").ServiceStatus> };
  for (const port of spec.ports ?? []) if (port.targetPort === 0 || port.targetPort === "") port.targetPort = port.port;
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  else spec.sessionAffinityConfig = { ...spec.sessionAffinityConfig, clientIP: { timeoutSeconds: 10800, ...spec.sessionAffinityConfig?.clientIP } };
  const reachable = spec.type === "NodePort" || spec.type === "LoadBalancer" || (spec.type === "ClusterIP" && (spec.externalIPs?.length ?? 0) > 0);
  if (reachable) spec.externalTrafficPolicy ??= "Cluster";
  if (spec.type !== "ExternalName") spec.internalTrafficPolicy ??= "Cluster";
  if (spec.type !== "LoadBalancer") return;
  spec.allocateLoadBalancerNodePorts ??= true;
  for (const ingress of status.loadBalancer.ingress ?? []) if (ingress.ip) ingress.ipMode ??= "VIP";
}
