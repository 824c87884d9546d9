/** The default ServiceCIDR and one IPAddress for each service's address (networking.k8s.io/v1), so that clients see what is given out. */
import { isApiError } from "../../base/api-error.ts";
import { must } from "../../base/assert.ts";
import { timeOf } from "../../base/time.ts";
import { Service } from "../../kinds/core/service.ts";
import type { AnyKind } from "../../kinds/kind.ts";
import { IPAddress } from "../../kinds/networking/ipaddress.ts";
import { ServiceCIDR } from "../../kinds/networking/servicecidr.ts";
import { decode } from "../../schema/decode.ts";
import { defaultServiceCIDR, managedBy } from "./service-addresses.ts";
import type { Call, Core } from "../core.ts";
import { remove } from "../delete.ts";
import { keepInStep } from "../keep-in-step.ts";
import { prefixOf } from "../registry.ts";
import { adopt } from "../strategy.ts";
import { create, update } from "../write.ts";

const user = { name: "system:apiserver", uid: "", groups: ["system:masters", "system:authenticated"], extra: {} };
const options = { dryRun: false, fieldManager: "kube-apiserver", fieldValidation: "Ignore" } as const;

/** Keeps both up to date until `signal` aborts. The allocator itself does not read them: services are its memory. */
export async function publishServiceAddresses(core: Core, range: string, signal: AbortSignal): Promise<void> {
  if (core.registry.of(ServiceCIDR) === undefined || core.registry.of(IPAddress) === undefined || core.registry.of(Service) === undefined) return;
  await Promise.all([
    // Whoever deletes the default one, and has nothing left in it, gets it back.
    keepInStep(core, { prefix: prefixOf(ServiceCIDR) }, () => ensureRange(core, range, signal), signal),
    keepInStep(core, { prefix: prefixOf(Service) }, () => synchronize(core, signal), signal),
  ]);
}

async function ensureRange(core: Core, range: string, signal: AbortSignal): Promise<void> {
  const call = callFor(core, ServiceCIDR, defaultServiceCIDR, signal);
  const stored = core.reader.get("networking.k8s.io", "servicecidrs", "", defaultServiceCIDR);
  // On its way out, or not ready, it is the controller's and the administrator's to say.
  if (stored?.metadata.deletionTimestamp !== undefined || stored?.status?.conditions?.some(({ type }: any) => type === "Ready")) return;
  if (stored === undefined) await make(core, call, { metadata: { name: defaultServiceCIDR }, spec: { cidrs: range.split(",") } });
  const ready = { type: "Ready", status: "True", reason: "", message: "Kubernetes Service CIDR is ready", lastTransitionTime: timeOf(core.clock.now()) };
  try {
    await update(core, { ...call, subresource: "status" }, object => read(call, { ...object, status: { conditions: [ready] } }), options);
  } catch (error) {
    // Deleted meanwhile: its deletion is on its way to us.
    if (!isApiError(error, "NotFound")) throw error;
  }
}

/** One pass: addresses without their object get one, objects of ours without their service go. */
async function synchronize(core: Core, signal: AbortSignal): Promise<void> {
  const wanted = new Map<string, any>();
  for (const { metadata, spec } of core.reader.list("", "services", ""))
    for (const address of spec.type === "ExternalName" ? [] : (spec.clusterIPs ?? [])) if (address !== "None") wanted.set(address, { group: "", resource: "services", namespace: metadata.namespace, name: metadata.name });
  for (const { metadata } of core.reader.list("networking.k8s.io", "ipaddresses", "")) {
    if (wanted.delete(metadata.name) || metadata.labels?.["ipaddress.kubernetes.io/managed-by"] !== managedBy["ipaddress.kubernetes.io/managed-by"]) continue;
    try {
      await remove(core, callFor(core, IPAddress, metadata.name, signal), { dryRun: false, uid: metadata.uid });
    } catch (error) {
      if (!isApiError(error, "NotFound") && !isApiError(error, "Conflict")) throw error;
    }
  }
  for (const [name, parentRef] of wanted) {
    if (signal.aborted) return;
    await make(core, callFor(core, IPAddress, name, signal), { metadata: { name, labels: { "ipaddress.kubernetes.io/ip-family": name.includes(":") ? "IPv6" : "IPv4", ...managedBy } }, spec: { parentRef } });
  }
}

async function make(core: Core, call: Call, object: any): Promise<void> {
  try {
    await create(core, { ...call, name: "" }, read(call, object), options);
  } catch (error) {
    if (!isApiError(error, "AlreadyExists")) throw error;
  }
}

const read = (call: Call, object: any): any => adopt(call.served, decode(call.served.node, object).object);

function callFor(core: Core, kind: AnyKind, name: string, signal: AbortSignal): Call {
  return { served: must(core.registry.of(kind), `${kind.plural} are served`), namespace: "", name, subresource: "", user, userAgent: "kube-apiserver", signal, warn: () => undefined };
}
