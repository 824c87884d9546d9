/** How far the server's start is, under the names of the post-start hooks with which upstream's server brings about the same (kube-apiserver's /readyz?verbose). */
import type { HealthCheck } from "./health.ts";

/**
 * `open`: the store is read, requests are answered. `loops`: definitions are accepted, flows classified, other servers looked after.
 * `published`: every served version has its APIService. `system`: namespaces, roles, priority classes, services and addresses of the system are there.
 */
export type StartStep = "open" | "loops" | "published" | "system";

/** In upstream's order. */
const hooks: readonly (readonly [name: string, step: StartStep])[] = [
  ["poststarthook/start-apiserver-admission-initializer", "open"], ["poststarthook/generic-apiserver-start-informers", "open"], ["poststarthook/priority-and-fairness-config-consumer", "loops"], ["poststarthook/priority-and-fairness-filter", "open"],
  ["poststarthook/storage-object-count-tracker-hook", "open"], ["poststarthook/start-apiextensions-informers", "open"], ["poststarthook/start-apiextensions-controllers", "loops"], ["poststarthook/crd-informer-synced", "loops"],
  ["poststarthook/start-system-namespaces-controller", "system"], ["poststarthook/peer-endpoint-reconciler-controller", "open"], ["poststarthook/start-cluster-authentication-info-controller", "system"], ["poststarthook/start-kube-apiserver-identity-lease-controller", "system"],
  ["poststarthook/start-kube-apiserver-identity-lease-garbage-collector", "system"], ["poststarthook/storage-readiness", "open"], ["poststarthook/start-legacy-token-tracking-controller", "system"], ["poststarthook/start-service-ip-repair-controllers", "system"], ["poststarthook/rbac/bootstrap-roles", "system"],
  ["poststarthook/scheduling/bootstrap-system-priority-classes", "system"], ["poststarthook/priority-and-fairness-config-producer", "loops"], ["poststarthook/bootstrap-controller", "system"], ["poststarthook/start-kubernetes-service-cidr-controller", "system"], ["poststarthook/aggregator-reload-proxy-client-cert", "open"],
  ["poststarthook/start-kube-aggregator-informers", "open"], ["poststarthook/apiservice-status-local-available-controller", "published"], ["poststarthook/apiservice-status-remote-available-controller", "loops"], ["poststarthook/apiservice-registration-controller", "published"],
  ["poststarthook/apiservice-discovery-controller", "loops"], ["poststarthook/kube-apiserver-autoregistration", "published"], ["autoregister-completion", "published"], ["poststarthook/apiservice-openapi-controller", "open"], ["poststarthook/apiservice-openapiv3-controller", "open"],
];

export class StartSteps {
  readonly #done = new Set<StartStep>();
  readonly checks: readonly HealthCheck[];

  constructor() {
    const check = (step: StartStep) => (): void => { if (!this.#done.has(step)) throw new Error("not finished"); };
    this.checks = [{ name: "informer-sync", only: "ready", check: check("open") }, ...hooks.map(([name, step]) => ({ name, check: check(step) }))];
  }
  done(step: StartStep): void {
    this.#done.add(step);
  }
}
