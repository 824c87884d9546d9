/**
 * What a node may write: its own Node, Lease and CSINode, the status of its own pods, tokens for them. Of an object it may change, a list of fields that
 * it needs; everything else is refused, so that a field added later is closed until somebody opens it (rule I; CVE-2025-5187, CVE-2025-4563).
 * Texts as upstream's (plugin/pkg/admission/noderestriction/admission.go).
 */
import { sameJson } from "../../base/json.ts";
import { Lease } from "../../kinds/coordination/lease.ts";
import { Node } from "../../kinds/core/node.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { podClaims, podConfigMaps, podSecrets } from "../../kinds/core/podreferences.ts";
import { ServiceAccount } from "../../kinds/core/serviceaccount.ts";
import { CertificateSigningRequest } from "../../kinds/certificates/certificatesigningrequest.ts";
import { ResourceSlice } from "../../kinds/resource/resourceslice.ts";
import { messageOf } from "../../base/log.ts";
import { aggregate } from "../authz/rbac.ts";
import { nodeOf } from "../authz/node.ts";
import type { Authorizer, Reader } from "../context.ts";
import { notFound } from "../errors.ts";
import type { AdmissionRequest, AdmissionStep } from "./admission.ts";
import { refuse } from "./namespace-lifecycle.ts";

const mirror = "kubernetes.io/config.mirror";
const leaseNamespace = "kube-node-lease";
/** kubernetes.io and k8s.io labels that a node may set on itself (k8s.io/kubelet pkg/apis/well_known_labels.go). */
const nodeLabels: ReadonlySet<string> = new Set([
  "kubernetes.io/hostname", "kubernetes.io/os", "kubernetes.io/arch", "beta.kubernetes.io/os", "beta.kubernetes.io/arch", "beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type",
  "topology.kubernetes.io/zone", "topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region",
]);
const nodeLabelNamespaces = ["kubelet.kubernetes.io", "node.kubernetes.io"] as const;
/** What every update changes of itself. */
const bookkeeping = ["resourceVersion", "managedFields", "generation"] as const;

/** `commonNameOf`: of a certificate request, in base64; throws when it is none. */
export function nodeRestriction(authorizer: Authorizer, commonNameOf: (request: string) => string): AdmissionStep {
  return {
    name: "NodeRestriction",
    // Before anybody else judges what is asked for, as upstream's.
    mutate(request) {
      const node = nodeOf(request.user);
      if (node === undefined || request.operation === "CONNECT") return undefined;
      if (node === "") throw refuse(request, `could not determine node from user ${JSON.stringify(request.user.name)}`);
      const { kind } = request;
      if (kind === ServiceAccount) return judgeToken(node, request, authorizer);
      if (kind === Pod) judgePod(node, request);
      else if (kind === Node) judgeNode(node, request);
      else if (kind === Lease) judgeLease(node, request);
      else if (kind === ResourceSlice) judgeSlice(node, request);
      else if (kind === CertificateSigningRequest) judgeCertificate(node, request, commonNameOf);
      else if (kind.group === "storage.k8s.io" && kind.plural === "csinodes") judgeOwn(node, request, "CSINode");
      else if (kind.group === "" && kind.plural === "persistentvolumeclaims") judgeClaim(node, request);
      return undefined;
    },
  };
}

/** What a node's authorizer cannot see: whose a new slice is, and each of those that go together. */
function judgeSlice(node: string, request: AdmissionRequest): void {
  const { operation, object, previous } = request;
  const verb = operation === "CREATE" ? "create" : "delete";
  if (operation !== "UPDATE" && (operation === "CREATE" ? object : previous).spec.nodeName !== node) throw refuse(request, `can only ${verb} ResourceSlice with the same NodeName as the requesting node`);
}

const nodeSigners: ReadonlySet<string> = new Set(["kubernetes.io/kubelet-serving", "kubernetes.io/kube-apiserver-client-kubelet"]);

function judgeCertificate(node: string, request: AdmissionRequest, commonNameOf: (request: string) => string): void {
  const { operation, object } = request;
  if (operation !== "CREATE" || !nodeSigners.has(object.spec.signerName)) return;
  let commonName: string;
  try {
    commonName = commonNameOf(object.spec.request ?? "");
  } catch (error) {
    throw refuse(request, `unable to parse csr: ${messageOf(error)}`);
  }
  if (commonName !== `system:node:${node}`) throw refuse(request, `can only create a node CSR with CN=system:node:${node}`);
}

function judgePod(node: string, request: AdmissionRequest): void {
  const { operation, subresource, previous, read, namespace, name } = request;
  if (subresource === "status") return judgePodStatus(node, request);
  if (subresource === "eviction") {
    if (operation !== "CREATE") throw refuse(request, `unexpected operation ${operation}`);
    const pod = read.get("", "pods", namespace, name);
    if (pod === undefined) throw notFound({ group: "", resource: "pods" }, name);
    if (pod.spec.nodeName !== node) throw refuse(request, `node ${node} can only evict pods with spec.nodeName set to itself`);
    return;
  }
  if (subresource !== "") throw refuse(request, `unexpected pod subresource ${JSON.stringify(subresource)}, only 'status' and 'eviction' are allowed`);
  if (operation === "CREATE") return judgeMirrorPod(node, request);
  if (operation !== "DELETE") throw refuse(request, `unexpected operation ${JSON.stringify(operation)}, node ${JSON.stringify(node)} can only create and delete mirror pods`);
  if (previous.spec.nodeName !== node) throw refuse(request, `node ${JSON.stringify(node)} can only delete pods with spec.nodeName set to itself`);
}

function judgeMirrorPod(node: string, request: AdmissionRequest): void {
  const { object, read } = request;
  const { metadata, spec } = object;
  const me = `node ${JSON.stringify(node)}`;
  if (metadata.annotations?.[mirror] === undefined) throw refuse(request, `pod does not have ${JSON.stringify(mirror)} annotation, ${me} can only create mirror pods`);
  if (spec.nodeName !== node) throw refuse(request, `${me} can only create pods with spec.nodeName set to itself`);
  const owners: readonly any[] = metadata.ownerReferences ?? [];
  if (owners.length > 1) throw refuse(request, `${me} can only create pods with a single owner reference set to itself`);
  const owner = owners[0];
  if (owner === undefined || owner.apiVersion !== "v1" || owner.kind !== "Node" || owner.name !== node) throw refuse(request, `${me} can only create pods with an owner reference set to itself`);
  if (owner.controller !== true) throw refuse(request, `${me} can only create pods with a controller owner reference set to itself`);
  if (owner.blockOwnerDeletion === true) throw refuse(request, `${me} must not set blockOwnerDeletion on an owner reference`);
  const own = read.get("", "nodes", "", node);
  if (own === undefined) throw notFound({ group: "", resource: "nodes" }, node);
  if (owner.uid !== own.metadata.uid) throw refuse(request, `node ${node} UID mismatch: expected ${owner.uid} got ${own.metadata.uid}`);
  if ((spec.serviceAccountName ?? "") !== "") throw refuse(request, `${me} can not create pods that reference a service account`);
  for (const _ of podSecrets(spec)) throw refuse(request, `${me} can not create pods that reference secrets`);
  for (const _ of podConfigMaps(spec)) throw refuse(request, `${me} can not create pods that reference configmaps`);
  for (const _ of podClaims(object)) throw refuse(request, `${me} can not create pods that reference persistentvolumeclaims`);
  if ((spec.resourceClaims ?? []).length > 0) throw refuse(request, `${me} can not create pods that reference resourceclaims`);
  if ((spec.volumes ?? []).some((volume: any) => (volume.projected?.sources ?? []).some((source: any) => source.clusterTrustBundle !== undefined)))
    throw refuse(request, `${me} can not create pods that reference clustertrustbundles`);
}

function judgePodStatus(node: string, request: AdmissionRequest): void {
  const { operation, object, previous } = request;
  const me = `node ${JSON.stringify(node)}`;
  if (operation !== "UPDATE") throw refuse(request, `unexpected operation ${JSON.stringify(operation)}`);
  if (previous.spec.nodeName !== node) throw refuse(request, `${me} can only update pod status for pods with spec.nodeName set to itself`);
  for (const field of changed(previous.metadata, object.metadata)) if (!bookkeeping.includes(field as "generation")) throw refuse(request, `${me} cannot update ${field} through pod status`);
  const claims = (pod: any): unknown => pod.status?.resourceClaimStatuses ?? [];
  if (!sameJson(claims(previous), claims(object))) throw refuse(request, `${me} cannot update resource claim statues`);
  const extended = (pod: any): unknown => pod.status?.extendedResourceClaimStatus ?? null;
  if (!sameJson(extended(previous), extended(object))) throw refuse(request, `${me} cannot update extended resource claim status`);
}

function judgeNode(node: string, request: AdmissionRequest): void {
  const { operation, subresource, object, previous } = request;
  const me = `node ${JSON.stringify(node)}`;
  const name = operation === "CREATE" ? object.metadata.name : request.name;
  if (name !== node) throw refuse(request, `${me} is not allowed to modify node ${JSON.stringify(name)}`);
  if (operation === "DELETE") throw refuse(request, `${me} is not allowed to delete itself`);
  const { metadata, spec = {} } = object;
  const before = previous ?? { metadata: {}, spec: {} };
  if (spec.configSource !== undefined && !sameJson(spec.configSource, before.spec?.configSource))
    throw refuse(request, operation === "CREATE" ? `${me} is not allowed to create pods with a non-nil configSource` : `${me} is not allowed to update configSource to a new non-nil configSource`);
  const labels = changed(before.metadata.labels ?? {}, metadata.labels ?? {}).filter(label => !mayLabel(label)).sort();
  if (labels.length > 0) throw refuse(request, operation === "CREATE" ? `${me} is not allowed to set the following labels: ${labels.join(", ")}` : `is not allowed to modify labels: ${labels.join(", ")}`);
  if (operation === "CREATE") {
    for (const field of ["ownerReferences", "finalizers"] as const) if ((metadata[field] ?? []).length > 0) throw refuse(request, `${me} is not allowed to modify ${field}`);
    return;
  }
  const open: readonly string[] = [...bookkeeping, "labels", "annotations"];
  for (const field of changed(before.metadata, metadata)) if (!open.includes(field)) throw refuse(request, `${me} is not allowed to modify ${field}`);
  // What kind of machine it is it may say once; where pods go is not its to decide.
  for (const field of changed(before.spec ?? {}, spec))
    if (subresource !== "" || field !== "providerID" || (before.spec?.providerID ?? "") !== "") throw refuse(request, `${me} is not allowed to modify ${field}`);
}

function judgeToken(node: string, request: AdmissionRequest, authorizer: Authorizer): Promise<void> | undefined {
  const { operation, subresource, object, read, namespace } = request;
  if (operation !== "CREATE" || subresource !== "token") return undefined;
  const reference = object.spec?.boundObjectRef;
  if (reference?.apiVersion !== "v1" || reference.kind !== "Pod" || (reference.name ?? "") === "") throw refuse(request, "node requested token not bound to a pod");
  if ((reference.uid ?? "") === "") throw refuse(request, "node requested token with a pod binding without a uid");
  const pod = read.get("", "pods", namespace, reference.name);
  if (pod === undefined) throw notFound({ group: "", resource: "pods" }, reference.name);
  if (pod.metadata.uid !== reference.uid)
    throw refuse(request, `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`);
  if (pod.spec.nodeName !== node) throw refuse(request, "node requested token bound to a pod scheduled on a different node");
  const audiences: readonly string[] = object.spec.audiences ?? [];
  if (audiences.length > 1) throw refuse(request, "node may only request 0 or 1 audiences");
  const audience = audiences[0] ?? "";
  const errors: string[] = [];
  if (wantsAudience(pod, audience, read, errors)) return undefined;
  if (errors.length > 0) throw refuse(request, `error validating audience ${JSON.stringify(audience)}: ${aggregate(errors)}`);
  return mayHaveAudience(request, audience, authorizer);
}

/** Audiences for which no volume of the pod has a token take a permission of their own. */
async function mayHaveAudience(request: AdmissionRequest, audience: string, authorizer: Authorizer): Promise<void> {
  const { user, namespace, name } = request;
  const { allowed, error } = await authorizer.authorize(user, { verb: "request-serviceaccounts-token-audience", group: "", version: "v1", resource: audience, subresource: "", namespace, name, path: "", resourceRequest: true });
  if (allowed) return;
  const where = `audience ${JSON.stringify(audience)} not found in pod spec volume`;
  throw refuse(request, error === undefined ? `${where}, ${user.name} is not authorized to request tokens for this audience` : `${where}, error authorizing ${user.name} to request tokens for this audience: ${error}`);
}

/** Whether a volume of the pod takes a token for `audience`, by itself or by its CSI driver. `errors`: what could not be looked up. */
function wantsAudience(pod: any, audience: string, read: Reader, errors: string[]): boolean {
  const find = (group: string, resource: string, namespace: string, name: string): any => {
    const found = read.get(group, resource, namespace, name);
    if (found === undefined) errors.push(notFound({ group, resource: resource.replace(/s$/, "") }, name).message);
    return found;
  };
  const driverOf = (volume: any): string | undefined => {
    const claim = volume.ephemeral?.volumeClaimTemplate !== undefined ? `${pod.metadata.name}-${volume.name}` : volume.persistentVolumeClaim?.claimName;
    if (claim === undefined) return volume.csi?.driver;
    const bound = find("", "persistentvolumeclaims", pod.metadata.namespace, claim);
    return bound === undefined ? undefined : find("", "persistentvolumes", "", bound.spec.volumeName ?? "")?.spec.csi?.driver;
  };
  return (pod.spec.volumes ?? []).some((volume: any) => {
    if ((volume.projected?.sources ?? []).some((source: any) => source.serviceAccountToken !== undefined && (source.serviceAccountToken.audience ?? "") === audience)) return true;
    const driver = driverOf(volume);
    return driver !== undefined && (find("storage.k8s.io", "csidrivers", "", driver)?.spec.tokenRequests ?? []).some((each: any) => (each.audience ?? "") === audience);
  });
}

function judgeLease(node: string, request: AdmissionRequest): void {
  if (request.namespace !== leaseNamespace) throw refuse(request, `can only access leases in the ${JSON.stringify(leaseNamespace)} system namespace`);
  judgeOwn(node, request, "node lease");
}

function judgeOwn(node: string, request: AdmissionRequest, what: string): void {
  const name = request.operation === "CREATE" ? request.object.metadata.name : request.name;
  if (name !== node) throw refuse(request, `can only access ${what} with the same name as the requesting node`);
}

function judgeClaim(node: string, request: AdmissionRequest): void {
  if (request.subresource !== "status") throw refuse(request, "may only update PVC status");
  if (request.operation !== "UPDATE") throw refuse(request, `unexpected operation ${JSON.stringify(request.operation)}`);
  const open = { metadata: [...bookkeeping], status: ["capacity", "conditions", "allocatedResources", "allocatedResourceStatuses"] };
  const { object, previous } = request;
  for (const part of ["metadata", "spec", "status"] as const)
    for (const field of changed(previous[part] ?? {}, object[part] ?? {}))
      if (part === "spec" || !(open[part] as readonly string[]).includes(field)) throw refuse(request, `node ${JSON.stringify(node)} is not allowed to update fields other than status.capacity and status.conditions: ${part}.${field}`);
}

/** The names of fields that differ. */
function changed(before: { readonly [field: string]: unknown }, after: { readonly [field: string]: unknown }): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(field => !sameJson(before[field], after[field]));
}

function mayLabel(label: string): boolean {
  const slash = label.indexOf("/");
  const namespace = slash < 0 ? "" : label.slice(0, slash);
  const within = (domain: string): boolean => namespace === domain || namespace.endsWith(`.${domain}`);
  if (within("node-restriction.kubernetes.io")) return false;
  return !(within("kubernetes.io") || within("k8s.io")) || nodeLabels.has(label) || nodeLabelNamespaces.some(within);
}
