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
    keepInStep(core, { prefix: prefixOf(Service), onChange: note => onAddressesGone(core, note) }, () => synchronize(core, signal), signal),
  ]);
}

/** Somebody may delete an address that a service has. */
function onAddressesGone({ store }: Core, note: () => void): () => void {
  const watch = store.watch(prefixOf(IPAddress), store.revision, ({ changes }) => {
    if (changes.some(({ type }) => type === "delete")) note();
  });
  return () => { if (!("compacted" in watch)) watch.close(); };
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

/** One pass: addresses without their object get one, also in place of one that says that they are somebody else's; objects of ours without their service go. */
async function synchronize(core: Core, signal: AbortSignal): Promise<void> {
  const wanted = new Map<string, any>();
  for (const { metadata, spec } of core.reader.list("", "services", ""))
    for (const address of spec.type === "ExternalName" ? [] : (spec.clusterIPs ?? [])) if (address !== "None") wanted.set(address, { group: "", resource: "services", namespace: metadata.namespace, name: metadata.name });
  for (const { metadata, spec } of core.reader.list("networking.k8s.io", "ipaddresses", "")) {
    const owner = wanted.get(metadata.name);
    if (owner !== undefined ? isOf(spec.parentRef, owner) : metadata.labels?.["ipaddress.kubernetes.io/managed-by"] !== managedBy["ipaddress.kubernetes.io/managed-by"]) {
      wanted.delete(metadata.name);
      continue;
    }
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

const isOf = (ref: any, { resource, namespace, name }: any): boolean => (ref?.group ?? "") === "" && ref?.resource === resource && ref?.namespace === namespace && ref?.name === name;

async function make(core: Core, call: Call, object: any): Promise<void> {
  try {
    await create(core, { ...call, name: "" }, read(call, object), options);
  } catch (error) {
    if (!isApiError(error, "AlreadyExists")) throw error;
  }
}

const read = (call: Call, object: any): any => adopt(call.served, decode(call.served.node, object).object);

function callFor(core: Core, kind: AnyKind, name: string, signal: AbortSignal): Call {
  return { served: must(core.registry.of(kind), `${kind.plural} are served`), namespace: "", name, subresource: "", user, userAgent: "kube-apiserver", limit: { signal }, warn: () => undefined };
}
