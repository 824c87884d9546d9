/** What a cluster has before anybody asks: system namespaces, default roles, the `kubernetes` service, and how others can authenticate our callers. Made or mended at every start. */
import { isApiError } from "../../base/api-error.ts";
import { sameJson } from "../../base/json.ts";
import { timeOf } from "../../base/time.ts";
import { ConfigMap } from "../../kinds/core/configmap.ts";
import { Endpoints } from "../../kinds/core/endpoints.ts";
import { Namespace } from "../../kinds/core/namespace.ts";
import { Service } from "../../kinds/core/service.ts";
import { EndpointSlice } from "../../kinds/discovery/endpointslice.ts";
import { StorageClass } from "../../kinds/storage/storageclass.ts";
import type { AnyKind } from "../../kinds/kind.ts";
import { PriorityClass } from "../../kinds/scheduling/priorityclass.ts";
import { decode } from "../../schema/decode.ts";
import { must } from "../../base/assert.ts";
import type { User } from "../context.ts";
import type { Call, Core } from "../core.ts";
import { remove } from "../delete.ts";
import { keepInStep } from "../keep-in-step.ts";
import { storeKey } from "../registry.ts";
import { setDefaults } from "../strategy.ts";
import { create, update } from "../write.ts";
import { defaultRbac, namesOtherRole, reconcileRbac, type Wanted } from "./rbac.ts";

export type SystemFacts = {
  /** Address and port at which pods reach this API server, behind the `kubernetes` service. A machine without a network has no address that endpoints may name. */
  readonly address: string | undefined;
  readonly port: number;
  /** The service's own address: the first of the service network. */
  readonly serviceAddress: string;
  /** Where the cluster's name server answers, if it has one. */
  readonly dnsAddress?: string;
  /** Folder for the volumes of the default storage class, if nodes can make them. */
  readonly volumesFolder?: string;
  /** PEM. */
  readonly clientCa: string;
  readonly frontProxyCa: string;
  readonly frontProxyNames: readonly string[];
};

/** The API server acting for itself. */
export const apiServerUser: User = { name: "system:apiserver", uid: "", groups: ["system:masters", "system:authenticated"], extra: {} };

/** Resolves when everything is there. Writes only what is missing or different. */
export async function bootstrapSystem(core: Core, facts: SystemFacts): Promise<void> {
  await Promise.all(systemNamespaces.map(wanted => ensure(core, wanted, () => undefined)));
  await Promise.all([
    ...defaultRbac().map(wanted => ensureRbac(core, wanted)),
    ...systemPriorityClasses.map(wanted => ensure(core, wanted, () => undefined)),
    ...keptObjects(core, facts).map(([wanted, mend]) => ensure(core, wanted(), mend)),
    ...(facts.volumesFolder === undefined ? [] : [ensure(core, localStorage(facts.volumesFolder), () => undefined)]),
    ...(facts.dnsAddress === undefined ? [] : [ensure(core, dnsService(facts.dnsAddress), () => undefined)]),
  ]);
}

/** What upstream's server looks after as long as it runs (pkg/controlplane/controller/{kubernetesservice,systemnamespaces,clusterauthenticationtrust,legacytokentracking}); all else is mended at the next start. */
function keptObjects(core: Core, facts: SystemFacts): readonly (readonly [wanted: () => Wanted, mend: Mend])[] {
  return [
    [() => authenticationConfig(facts), takeOver("data")],
    [() => tokenTracking(core.clock.now()), (wanted, stored) => (/^\d{4}-\d\d-\d\d$/.test(stored.data?.since ?? "") ? undefined : takeOver("data")(wanted, stored))],
    [() => kubernetesService(facts), () => undefined],
    [() => kubernetesEndpoints(facts), takeOver("subsets")],
    [() => kubernetesSlice(facts), takeOver("endpoints", "ports")],
  ];
}

/** Changes are gathered for so long, so that a fight with another writer is a slow one. */
const settleMs = 1_000;

/** Until `signal` aborts: what is deleted or spoilt comes back. */
export async function keepSystem(core: Core, facts: SystemFacts, signal: AbortSignal): Promise<void> {
  const kept = [...systemNamespaces.map(wanted => [() => wanted, () => undefined] as const), ...keptObjects(core, facts)];
  await Promise.all(kept.map(([wanted, mend]) => {
    const { served, namespace, name } = callFor(core, wanted().kind, wanted().object.metadata);
    return keepInStep(core, { prefix: storeKey(served.prefix, namespace, name), settleMs }, async () => {
      // Whoever deleted a service gives back its address right after.
      await core.clock.sleep(0, signal);
      await ensure(core, wanted(), mend);
    }, signal);
  }));
}

const systemNamespaces: readonly Wanted[] = ["default", "kube-system", "kube-public", "kube-node-lease"].map(name => ({ kind: Namespace, object: { metadata: { name } } }));

/** The two classes above all that users may make (pkg/apis/scheduling/v1/helpers.go). */
const systemPriorityClasses: readonly Wanted[] = [
  { kind: PriorityClass, object: { metadata: { name: "system-node-critical" }, value: 2_000_001_000, description: "Used for system critical pods that must not be moved from their current node." } },
  { kind: PriorityClass, object: { metadata: { name: "system-cluster-critical" }, value: 2_000_000_000, description: "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary." } },
];

function kubernetesService({ port, serviceAddress }: SystemFacts): Wanted {
  return { kind: Service, object: {
    metadata: { name: "kubernetes", namespace: "default", labels: { component: "apiserver", provider: "kubernetes" } },
    spec: { type: "ClusterIP", clusterIP: serviceAddress, ipFamilyPolicy: "SingleStack", sessionAffinity: "None", ports: [{ name: "https", protocol: "TCP", port: 443, targetPort: port }] },
  } };
}

/** The name by which tools look for the cluster's DNS. It has no selector: every node answers on this address itself. */
function dnsService(address: string): Wanted {
  return { kind: Service, object: {
    metadata: { name: "kube-dns", namespace: "kube-system", labels: { "k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS" } },
    spec: {
      type: "ClusterIP", clusterIP: address, clusterIPs: [address], ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack", sessionAffinity: "None",
      ports: [{ name: "dns", protocol: "UDP", port: 53, targetPort: 53 }, { name: "dns-tcp", protocol: "TCP", port: 53, targetPort: 53 }],
    },
  } };
}

/** Folders on the pod's node: made on demand by the provisioner in controllers/volume-binder.ts. */
function localStorage(path: string): Wanted {
  return { kind: StorageClass, object: {
    metadata: { name: "local-path", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: "timonier.io/local-path", parameters: { path }, reclaimPolicy: "Delete", volumeBindingMode: "WaitForFirstConsumer",
  } };
}

function kubernetesEndpoints({ address, port }: SystemFacts): Wanted {
  return { kind: Endpoints, object: {
    metadata: { name: "kubernetes", namespace: "default", labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
    subsets: address === undefined ? [] : [{ addresses: [{ ip: address }], ports: [{ name: "https", port, protocol: "TCP" }] }],
  } };
}

function kubernetesSlice({ address, port }: SystemFacts): Wanted {
  return { kind: EndpointSlice, object: {
    metadata: { name: "kubernetes", namespace: "default", labels: { "kubernetes.io/service-name": "kubernetes" } },
    addressType: "IPv4", endpoints: address === undefined ? [] : [{ addresses: [address], conditions: { ready: true } }], ports: [{ name: "https", port, protocol: "TCP" }],
  } };
}

/** Lets aggregated API servers tell our callers (pkg/controlplane/controller/clusterauthenticationtrust). */
function authenticationConfig({ clientCa, frontProxyCa, frontProxyNames }: SystemFacts): Wanted {
  return { kind: ConfigMap, object: {
    metadata: { name: "extension-apiserver-authentication", namespace: "kube-system" },
    data: {
      "client-ca-file": clientCa, "requestheader-client-ca-file": frontProxyCa, "requestheader-allowed-names": JSON.stringify(frontProxyNames),
      "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]', "requestheader-group-headers": '["X-Remote-Group"]',
      "requestheader-uid-headers": '["X-Remote-Uid"]', "requestheader-username-headers": '["X-Remote-User"]',
    },
  } };
}

/** Since when uses of long-lived tokens are noted (pkg/controlplane/controller/legacytokentracking). */
const tokenTracking = (now: number): Wanted => ({ kind: ConfigMap, object: { metadata: { name: "kube-apiserver-legacy-service-account-token-tracking", namespace: "kube-system" }, data: { since: timeOf(now).slice(0, 10) } } });

type Mend = (wanted: any, stored: any) => any | undefined;

/** These fields are ours alone: set them to what they should be. */
function takeOver(...fields: readonly string[]): Mend {
  return (wanted, stored) => (fields.every(field => sameJson(wanted[field], stored[field])) ? undefined : { ...stored, ...Object.fromEntries(fields.map(field => [field, wanted[field]])) });
}

async function ensureRbac(core: Core, wanted: Wanted): Promise<void> {
  const call = callFor(core, wanted.kind, wanted.object.metadata);
  const stored = core.reader.get(call.served.group, call.served.resource, call.namespace, call.name);
  if (stored !== undefined && namesOtherRole(wanted.object, stored)) await remove(core, call, { dryRun: false });
  // At nearly every start nothing is missing, and that is seen without decoding what is wanted.
  else if (stored !== undefined && reconcileRbac(wanted.object, stored) === undefined) return;
  await ensure(core, wanted, reconcileRbac);
}

/** Creates the object, or stores what `mend` makes of the stored one. */
async function ensure(core: Core, wanted: Wanted, mend: Mend): Promise<void> {
  const call = callFor(core, wanted.kind, wanted.object.metadata);
  const options = { dryRun: false, fieldManager: "kube-apiserver", fieldValidation: "Strict" } as const;
  if (core.store.get(storeKey(call.served.prefix, call.namespace, call.name)) === undefined) {
    try {
      await create(core, { ...call, name: "" }, canonical(wanted), options);
      return;
    } catch (error) {
      // Another writer was faster: judge what it made.
      if (!isApiError(error, "AlreadyExists")) throw error;
    }
  }
  const complete = canonical(wanted);
  if (mend(complete, core.reader.get(call.served.group, call.served.resource, call.namespace, call.name)) === undefined) return;
  await update(core, call, stored => structuredClone(mend(complete, stored) ?? stored), options);
}

/** The object as a client's request would have been decoded. */
function canonical({ kind, object }: Wanted): any {
  const decoded: any = decode(kind.schema.node, { ...object, apiVersion: kind.group === "" ? kind.version : `${kind.group}/${kind.version}`, kind: kind.kind }).object;
  setDefaults(kind, decoded);
  return decoded;
}

function callFor(core: Core, kind: AnyKind, { name, namespace = "" }: { readonly name: string; readonly namespace?: string }): Call {
  return { served: must(core.registry.of(kind), `${kind.plural} are served`), namespace, name, subresource: "", user: apiServerUser, userAgent: "kube-apiserver", limit: { signal: new AbortController().signal }, warn() {} };
}
