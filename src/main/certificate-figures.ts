/** How long the agent's certificates still hold, under kubelet's names (cmd/kubelet/app/server.go, pkg/kubelet/certificate/kubelet.go). */
import type { Clock } from "../base/clock.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Identity } from "../host/pki-identity.ts";

type Use = "client" | "server";
/** The server renews both; this agent takes up what it finds. */
export function certificateFigures(metrics: Metrics, clock: Clock, identities: { readonly [U in Use]: Identity }): { renewed(use: Use, identity: Identity): void; failed(use: Use): void } {
  const ends = { client: identities.client.notAfter, server: identities.server.notAfter };
  for (const [use, whose] of [["client", "client"], ["server", "serving"]] as const)
    metrics.observed(`kubelet_certificate_manager_${use}_ttl_seconds`, `Seconds until the ${whose} certificate in use expires; negative: it has.`, () => Math.trunc((ends[use] - clock.now()) / 1000));
  const failures = {
    client: metrics.counter("kubelet_certificate_manager_client_expiration_renew_errors", "Renewed client certificates that could not be taken up."),
    server: metrics.counter("kubelet_server_expiration_renew_errors", "Renewed serving certificates that could not be taken up."),
  };
  return { renewed: (use, { notAfter }) => { ends[use] = notAfter; }, failed: use => failures[use].add(1) };
}
