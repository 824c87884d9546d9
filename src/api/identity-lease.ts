/** The Lease by which an API server says that it runs, and the end of those that no longer do (kubernetes pkg/controlplane/apiserver/server.go). */
import { must } from "../base/assert.ts";
import { messageOf } from "../base/log.ts";
import { microTimeOf, msOf } from "../base/time.ts";
import { Lease } from "../kinds/coordination/lease.ts";
import { apiServerUser } from "./bootstrap/system.ts";
import type { Call, Core } from "./core.ts";
import { remove } from "./delete.ts";
import { create, update } from "./write.ts";

/** `name`: of the Lease; `address`: where other API servers would reach this one. */
export type ServerIdentity = { readonly name: string; readonly hostname: string; readonly address: string };

const namespace = "kube-system";
const identityLabel = "apiserver.kubernetes.io/identity";
const component = "kube-apiserver";
const renewMs = 10_000;
const durationSeconds = 3_600;

/** Until `signal` aborts; then the Lease goes, since nobody is there any more. */
export async function keepIdentity(core: Core, { name, hostname, address }: ServerIdentity, signal: AbortSignal): Promise<void> {
  const { clock, random, log } = core;
  const holderIdentity = `${name}_${random.uuid()}`;
  const callOf = (target: string): Call => ({ served: must(core.registry.of(Lease), "leases are served"), namespace, name: target, subresource: "", user: apiServerUser, userAgent: component, limit: { signal: new AbortController().signal }, warn() {} });
  const options = { dryRun: false, fieldManager: component, fieldValidation: "Strict" } as const;
  const renewed = (stored: any): any => ({
    ...stored,
    metadata: { ...stored.metadata, labels: { ...stored.metadata.labels, [identityLabel]: component, "kubernetes.io/hostname": hostname }, annotations: { ...stored.metadata.annotations, "kubernetes.io/peer-advertise-address": address } },
    spec: { ...stored.spec, holderIdentity, leaseDurationSeconds: durationSeconds, renewTime: microTimeOf(clock.now()) },
  });
  const isOver = ({ metadata, spec }: Lease): boolean => metadata.labels?.[identityLabel] === component && ((msOf(spec.renewTime) ?? 0) + (spec.leaseDurationSeconds ?? 0) * 1000) < clock.now();
  const leaseOf = (): Lease | undefined => core.reader.get("coordination.k8s.io", "leases", namespace, name);
  let sweptMs = -Infinity;
  const end = async (): Promise<void> => { if (leaseOf() !== undefined) await remove(core, callOf(name), { dryRun: false }); };
  // One that ended without a word left its Lease.
  await end();
  while (!signal.aborted) {
    try {
      if (leaseOf() === undefined) await create(core, { ...callOf(name), name: "" }, renewed({ apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name, namespace }, spec: {} }), options);
      else await update(core, callOf(name), stored => renewed(structuredClone(stored)), options);
      if (clock.monotonic() - sweptMs >= durationSeconds * 1000) {
        sweptMs = clock.monotonic();
        for (const { metadata } of (core.reader.list("coordination.k8s.io", "leases", namespace) as readonly Lease[]).filter(isOver)) await remove(core, callOf(metadata.name), { dryRun: false, uid: metadata.uid });
      }
    } catch (error) {
      // When the disk is full: the next renewal is soon.
      log.warn("the API server's own lease could not be renewed", { error: messageOf(error) });
    }
    await clock.sleep(renewMs, signal);
  }
  await end().catch((error: unknown) => log.debug("the API server's own lease could not be deleted", { error: messageOf(error) }));
}
