/**
 * What a node may do: what it needs for itself and for the pods bound to it, and nothing of other nodes (rule I). Decisions and reasons as
 * upstream's (plugin/pkg/auth/authorizer/node/node_authorizer.go).
 *
 * Upstream keeps a graph of everything pods refer to. Here only the pods of each node are kept, and a request looks through those (a hundred or so) when it comes.
 */
import { assert } from "../../base/assert.ts";
import { parseFieldSelector, SelectorError } from "../../base/selector.ts";
import { driverSecrets, podClaims, podConfigMaps, podSecrets } from "../../kinds/core/podreferences.ts";
import type { Store } from "../../store/store.ts";
import { clusterRoles } from "../bootstrap/cluster-roles.ts";
import type { Authorizer, Decision, Reader, RequestAttributes, User } from "../context.ts";
import { ruleAllows, type Rule } from "./rules.ts";

const podsPrefix = "/registry/core/pods/";
const userPrefix = "system:node:";
const leaseNamespace = "kube-node-lease";
const allowed: Decision = { allowed: true };
const no = (reason: string): Decision => ({ allowed: false, reason });

/** Which node this user is, if it is one: `system:node:<name>` in the group system:nodes (pkg/auth/nodeidentifier). */
export function nodeOf(user: User): string | undefined {
  return user.name.startsWith(userPrefix) && user.groups.includes("system:nodes") ? user.name.slice(userPrefix.length) : undefined;
}

export class NodeAuthorizer implements Authorizer {
  readonly #read: Reader;
  readonly #rules: readonly Rule[] = clusterRoles.find(({ name }) => name === "system:node")!.rules;
  /** Keys under the pods' prefix (`namespace/name`) by node, and back. */
  readonly #podsOf = new Map<string, Set<string>>();
  readonly #nodeOf = new Map<string, string>();

  constructor(read: Reader) {
    this.#read = read;
  }

  /** Learns which pods are on which node, and follows it until the returned function is called. */
  follow(store: Store): () => void {
    const { entries, revision } = store.list(podsPrefix);
    for (const { key, value } of entries) this.#put(key, value);
    const watch = store.watch(podsPrefix, revision, ({ changes }) => {
      for (const { key, type, entry } of changes) this.#put(key, type === "put" ? entry.value : undefined);
    });
    assert("close" in watch, "the revision just listed is not compacted");
    return () => watch.close();
  }

  #put(key: string, value: string | undefined): void {
    const id = key.slice(podsPrefix.length);
    const known = this.#nodeOf.get(id);
    if (value === undefined) {
      if (known !== undefined) this.#forget(id, known);
      return;
    }
    // A pod is bound once and for good; before that the text need not be parsed to see that it names no node at all. The parsed object is shared with
    // whoever else watches pods.
    if (known !== undefined || !value.includes('"nodeName"')) return;
    const slash = id.indexOf("/");
    const node: string = this.#read.get("", "pods", id.slice(0, slash), id.slice(slash + 1))?.spec.nodeName ?? "";
    if (node === "") return;
    this.#nodeOf.set(id, node);
    this.#podsOf.set(node, (this.#podsOf.get(node) ?? new Set()).add(id));
  }

  #forget(id: string, node: string): void {
    this.#nodeOf.delete(id);
    const pods = this.#podsOf.get(node)!;
    pods.delete(id);
    if (pods.size === 0) this.#podsOf.delete(node);
  }

  rules(user: User) {
    const isNode = nodeOf(user) !== undefined;
    return { resourceRules: [], nonResourceRules: [], incomplete: isNode, ...(isNode ? { evaluationError: "node authorizer does not support user rule resolution" } : {}) };
  }

  authorize(user: User, request: RequestAttributes): Decision {
    const node = nodeOf(user);
    if (node === undefined) return { allowed: false };
    if (node === "") return no(`unknown node for user ${JSON.stringify(user.name)}`);
    const decide = request.resourceRequest ? this.#special.get(`${request.resource}.${request.group}`) : undefined;
    if (decide !== undefined) return decide(node, request);
    return this.#rules.some(rule => ruleAllows(rule, request)) ? allowed : { allowed: false };
  }

  /** Resources of which a node sees a part only. */
  readonly #special: ReadonlyMap<string, (node: string, request: RequestAttributes) => Decision> = new Map([
    ["secrets.", (node, request) => this.#readNamed(node, request, () => this.#usesSecret(node, request))],
    ["configmaps.", (node, request) => this.#readNamed(node, request, () => this.#anyPod(node, request.namespace, pod => has(podConfigMaps(pod.spec), request.name)))],
    ["persistentvolumeclaims.", (node, request) => {
      const related = (): boolean => this.#anyPod(node, request.namespace, pod => has(podClaims(pod), request.name));
      if (request.subresource !== "status") return this.#getNamed(node, request, related);
      return request.verb === "update" || request.verb === "patch" ? this.#related(node, request, related) : no("can only get/update/patch this type");
    }],
    ["persistentvolumes.", (node, request) => this.#getNamed(node, request, () => this.#usesVolume(node, request.name))],
    ["resourceclaims.resource.k8s.io", (node, request) => this.#getNamed(node, request, () => this.#anyPod(node, request.namespace, pod => has(resourceClaims(pod), request.name)))],
    ["volumeattachments.storage.k8s.io", (node, request) => this.#getNamed(node, request, () => this.#read.get("storage.k8s.io", "volumeattachments", "", request.name)?.spec?.nodeName === node)],
    ["serviceaccounts.", (node, request) => this.#serviceAccount(node, request)],
    ["leases.coordination.k8s.io", lease],
    ["csinodes.storage.k8s.io", csiNode],
    ["resourceslices.resource.k8s.io", (node, request) => this.#resourceSlice(node, request)],
    ["nodes.", ownNode],
    ["pods.", (node, request) => this.#pod(node, request)],
  ]);

  #readNamed(node: string, request: RequestAttributes, related: () => boolean): Decision {
    if (!["get", "list", "watch"].includes(request.verb)) return no("can only read resources of this type");
    if (request.subresource !== "") return no("cannot read subresource");
    if (request.namespace === "") return no("can only read namespaced object of this type");
    return this.#related(node, request, related);
  }

  #getNamed(node: string, request: RequestAttributes, related: () => boolean): Decision {
    if (request.verb !== "get") return no("can only get individual resources of this type");
    if (request.subresource !== "") return no("cannot get subresource");
    return this.#related(node, request, related);
  }

  #related(node: string, { name }: RequestAttributes, related: () => boolean): Decision {
    if (name === "") return no("No Object name found");
    return related() ? allowed : no(`no relationship found between node '${node}' and this object`);
  }

  #serviceAccount(node: string, request: RequestAttributes): Decision {
    const { verb, name, namespace, subresource } = request;
    const related = (): boolean => this.#anyPod(node, namespace, pod => pod.spec.serviceAccountName === name);
    if (verb === "get" && subresource === "") return this.#related(node, request, related);
    if (verb !== "create" || name === "") return no("can only create tokens for individual service accounts");
    if (subresource !== "token") return no("can only create token subresource of serviceaccount");
    return this.#related(node, request, related);
  }

  #pod(node: string, request: RequestAttributes): Decision {
    const { verb, subresource, namespace, name, fieldSelector } = request;
    const own = (): boolean => this.#nodeOf.get(`${namespace}/${name}`) === node;
    if (subresource === "status") return verb === "update" || verb === "patch" ? allowed : { allowed: false };
    if (subresource === "eviction") return verb === "create" ? allowed : { allowed: false };
    if (subresource !== "") return { allowed: false };
    // What a node may create and delete is for NodeRestriction to say, which sees the pod.
    if (verb === "create" || verb === "delete") return allowed;
    if (verb === "get") return this.#getNamed(node, request, own);
    if (verb !== "list" && verb !== "watch") return { allowed: false };
    if (selects(fieldSelector, "spec.nodeName", node)) return allowed;
    return name === "" ? no("can only list/watch pods with spec.nodeName field selector") : this.#related(node, request, own);
  }

  #resourceSlice(node: string, request: RequestAttributes): Decision {
    const { verb, subresource, name, fieldSelector } = request;
    if (subresource !== "") return no("cannot authorize ResourceSlice subresources");
    if (verb === "create") return allowed;
    if (["get", "update", "patch", "delete"].includes(verb))
      return this.#related(node, request, () => this.#read.get("resource.k8s.io", "resourceslices", "", name)?.spec?.nodeName === node);
    if (!["watch", "list", "deletecollection"].includes(verb)) return no("only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection");
    return selects(fieldSelector, "spec.nodeName", node) ? allowed : no("can only list/watch/deletecollection resourceslices with nodeName field selector");
  }

  #usesSecret(node: string, { namespace, name }: RequestAttributes): boolean {
    if (this.#anyPod(node, namespace, pod => some(podSecrets(pod.spec), secret => secret.name === name))) return true;
    // A driver's secret may live in another namespace than the pod whose volume it is for.
    return some(this.#volumes(node), volume => some(driverSecrets(volume.spec), secret => secret.name === name && (secret.namespace ?? volume.spec.claimRef?.namespace) === namespace));
  }

  #usesVolume(node: string, name: string): boolean {
    return some(this.#volumes(node), volume => volume.metadata.name === name);
  }

  /** The persistent volumes behind the claims of the node's pods. */
  *#volumes(node: string): Iterable<any> {
    for (const pod of this.#pods(node, ""))
      for (const claimName of podClaims(pod)) {
        const claim = this.#read.get("", "persistentvolumeclaims", pod.metadata.namespace, claimName);
        const volume = claim?.spec?.volumeName === undefined ? undefined : this.#read.get("", "persistentvolumes", "", claim.spec.volumeName);
        // The claim's word alone does not count: a volume says itself whom it is bound to.
        if (volume?.spec?.claimRef?.name === claimName && volume.spec.claimRef.namespace === pod.metadata.namespace) yield volume;
      }
  }

  #anyPod(node: string, namespace: string, matches: (pod: any) => boolean): boolean {
    return some(this.#pods(node, namespace), matches);
  }

  *#pods(node: string, namespace: string): Iterable<any> {
    for (const id of this.#podsOf.get(node) ?? []) {
      const [home = "", name = ""] = id.split("/");
      const pod = namespace === "" || home === namespace ? this.#read.get("", "pods", home, name) : undefined;
      if (pod !== undefined) yield pod;
    }
  }
}

function lease(node: string, { verb, namespace, name }: RequestAttributes): Decision {
  if (!["get", "create", "update", "patch", "delete"].includes(verb)) return no("can only get, create, update, patch, or delete a node lease");
  if (namespace !== leaseNamespace) return no(`can only access leases in the ${JSON.stringify(leaseNamespace)} system namespace`);
  return verb === "create" || name === node ? allowed : no("can only access node lease with the same name as the requesting node");
}

function csiNode(node: string, { verb, subresource, name }: RequestAttributes): Decision {
  if (!["get", "create", "update", "patch", "delete"].includes(verb)) return no("can only get, create, update, patch, or delete a CSINode");
  if (subresource !== "") return no("cannot authorize CSINode subresources");
  return verb === "create" || name === node ? allowed : no("can only access CSINode with the same name as the requesting node");
}

/** Reading the others' Node objects is refused here; writing them by NodeRestriction, which sees the object. */
function ownNode(node: string, { verb, subresource, name }: RequestAttributes): Decision {
  if (subresource === "status") return verb === "update" || verb === "patch" ? allowed : { allowed: false };
  if (subresource !== "") return { allowed: false };
  if (["create", "update", "patch"].includes(verb)) return allowed;
  if (!["get", "list", "watch"].includes(verb)) return { allowed: false };
  if (name === node) return allowed;
  return no(name === "" ? `node '${node}' cannot read all nodes, only its own Node object` : `node '${node}' cannot read '${name}', only its own Node object`);
}

function* resourceClaims(pod: any): Iterable<string> {
  for (const { resourceClaimName } of pod.spec.resourceClaims ?? []) if (resourceClaimName !== undefined) yield resourceClaimName;
  for (const { resourceClaimName } of pod.status?.resourceClaimStatuses ?? []) if (resourceClaimName !== undefined) yield resourceClaimName;
}

/** Whether one of a field selector's terms, all of which must hold, is `field=value`. */
function selects(selector: string | undefined, field: string, value: string): boolean {
  if (selector === undefined) return false;
  try {
    return parseFieldSelector(selector).some(term => term.field === field && term.operator === "=" && term.value === value);
  } catch (error) {
    // Whoever reads the selector next will say what is wrong with it; here it only selects nothing.
    if (error instanceof SelectorError) return false;
    throw error;
  }
}

function some<T>(items: Iterable<T>, matches: (item: T) => boolean): boolean {
  for (const item of items) if (matches(item)) return true;
  return false;
}

function has(names: Iterable<string>, name: string): boolean {
  return some(names, item => item === name);
}
