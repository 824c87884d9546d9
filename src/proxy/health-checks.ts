/** What a node tells a load balancer that asks whether it has endpoints of a service with `externalTrafficPolicy: Local` (pkg/proxy/healthcheck/service_health.go). */
import type { Service } from "../kinds/core/service.ts";
import type { EndpointSlice } from "../kinds/discovery/endpointslice.ts";

export type HealthCheck = { readonly port: number; readonly namespace: string; readonly name: string; /** Ready ones on this node, each address once. */ readonly localEndpoints: number };

/** One for each such service. */
export function healthChecks(services: readonly Service[], slicesOf: (service: Service) => readonly EndpointSlice[], nodeName: string): readonly HealthCheck[] {
  return services.flatMap(service => {
    const { metadata, spec } = service;
    if (spec.type !== "LoadBalancer" || spec.externalTrafficPolicy !== "Local" || !spec.healthCheckNodePort) return [];
    const ready = slicesOf(service).flatMap(({ endpoints }) => (endpoints ?? []).filter(each => each.nodeName === nodeName && (each.conditions?.ready ?? true)).map(({ addresses }) => addresses[0]));
    return [{ port: spec.healthCheckNodePort, namespace: metadata.namespace ?? "", name: metadata.name ?? "", localEndpoints: new Set(ready).size }];
  });
}

/** The answer to any request, byte for byte upstream's. */
export function healthAnswer({ namespace, name, localEndpoints }: HealthCheck): { readonly status: number; readonly headers: { readonly [name: string]: string }; readonly body: string } {
  return {
    status: localEndpoints > 0 ? 200 : 503,
    headers: { "content-type": "application/json", "x-content-type-options": "nosniff", "x-load-balancing-endpoint-weight": String(localEndpoints) },
    body: `{\n\t"service": {\n\t\t"namespace": ${JSON.stringify(namespace)},\n\t\t"name": ${JSON.stringify(name)}\n\t},\n\t"localEndpoints": ${localEndpoints},\n\t"serviceProxyHealthy": true\n}`,
  };
}
