import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Clock } from "../../base/clock.ts";
import { isApiError } from "../../base/api-error.ts";
import { silent } from "../../base/log.ts";
import { Lease } from "../../kinds/coordination/lease.ts";
import { Node } from "../../kinds/core/node.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { ServiceAccount } from "../../kinds/core/serviceaccount.ts";
import { ClusterRole } from "../../kinds/rbac/clusterrole.ts";
import { ClusterRoleBinding } from "../../kinds/rbac/clusterrolebinding.ts";
import { RoleBinding } from "../../kinds/rbac/rolebinding.ts";
import type { AnyKind } from "../../kinds/kind.ts";
import { MemoryEngine } from "../../store/memory.ts";
import { RevisionedStore } from "../../store/revisioned-store.ts";
import type { AdmissionRequest, AdmissionStep } from "../admission/admission.ts";
import { CertificateSigningRequest } from "../../kinds/certificates/certificatesigningrequest.ts";
import { ResourceSlice } from "../../kinds/resource/resourceslice.ts";
import { nodeRestriction } from "../admission/node-restriction.ts";
import type { Reader, RequestAttributes, User } from "../context.ts";
import { authorizerChain, privileged } from "./authorizer.ts";
import { escalationCheck } from "./escalation.ts";
import { NodeAuthorizer } from "./node.ts";
import { Rbac } from "./rbac.ts";

const clock: Clock = { now: () => 0, monotonic: () => 0, sleep: async () => {}, after: () => () => {} };
const nodeA: User = { name: "system:node:a", uid: "", groups: ["system:nodes", "system:authenticated"], extra: {} };

async function open(t: TestContext, objects: { [path: string]: any }) {
  const store = await RevisionedStore.open(new MemoryEngine(), { clock, log: silent, onFailure: error => { throw error; } });
  t.after(() => store.close());
  const read: Reader = {
    get(group, resource, namespace, name) {
      const entry = store.get(`/registry/${group || "core"}/${resource}/${namespace ? `${namespace}/` : ""}${name}`);
      return entry === undefined ? undefined : JSON.parse(entry.value);
    },
    list: () => [],
  };
  const put = async (path: string, object: any) => void await store.put(`/registry/${path}`, JSON.stringify(object), store.get(`/registry/${path}`)?.revision ?? 0);
  for (const [path, object] of Object.entries(objects)) await put(path, object);
  return { store, read, put };
}

const pod = (node: string | undefined, name: string, spec: object = {}) => ({ metadata: { name, namespace: "shop", uid: `uid-${name}` }, spec: { ...(node ? { nodeName: node } : {}), containers: [{ name: "c" }], serviceAccountName: "web", ...spec } });

/** `get core/secrets/shop/db`, `list core/pods/shop?spec.nodeName=a`, `create core/serviceaccounts/shop/web:token` */
function asks(text: string): RequestAttributes {
  const [verb = "", rest = ""] = text.split(" ");
  const [path = "", fieldSelector] = rest.split("?");
  const [main = "", subresource = ""] = path.split(":");
  const [group = "", resource = "", ...at] = main.split("/");
  const clusterScoped = ["nodes", "persistentvolumes", "csinodes", "volumeattachments"].includes(resource);
  return {
    verb, group: group === "core" ? "" : group, version: "v1", resource, subresource, path: "", resourceRequest: true,
    namespace: clusterScoped ? "" : at[0] ?? "", name: (clusterScoped ? at[0] : at[1]) ?? "", ...(fieldSelector === undefined ? {} : { fieldSelector }),
  };
}

test("a node reaches what its own pods name, and nothing that only other nodes' pods name", async t => {
  const { read, store, put } = await open(t, {
    "core/pods/shop/mine": pod("a", "mine", {
      imagePullSecrets: [{ name: "pull" }],
      initContainers: [{ name: "i", envFrom: [{ secretRef: { name: "init" } }] }],
      containers: [{ name: "c", env: [{ name: "X", valueFrom: { secretKeyRef: { name: "env", key: "k" } } }, { name: "Y", valueFrom: { configMapKeyRef: { name: "settings", key: "k" } } }] }],
      ephemeralContainers: [{ name: "e", envFrom: [{ configMapRef: { name: "debug" } }] }],
      volumes: [{ name: "v", secret: { secretName: "volume" } }, { name: "p", projected: { sources: [{ secret: { name: "projected" } }, { configMap: { name: "kube-root-ca.crt" } }] } }, { name: "d", csi: { driver: "x", nodePublishSecretRef: { name: "driver" } } },
        { name: "data", persistentVolumeClaim: { claimName: "claim" } }, { name: "scratch", ephemeral: {} }],
    }),
    "core/pods/shop/theirs": pod("b", "theirs", { serviceAccountName: "other", volumes: [{ name: "v", secret: { secretName: "secret-b" } }, { name: "data", persistentVolumeClaim: { claimName: "claim-b" } }] }),
    "core/pods/shop/waiting": pod(undefined, "waiting", { volumes: [{ name: "v", secret: { secretName: "later" } }] }),
    "core/persistentvolumeclaims/shop/claim": { metadata: {}, spec: { volumeName: "disk" } }, "core/persistentvolumeclaims/shop/claim-b": { metadata: {}, spec: { volumeName: "disk-b" } },
    "core/persistentvolumes/disk": { metadata: { name: "disk" }, spec: { claimRef: { namespace: "shop", name: "claim" }, csi: { driver: "x", nodeStageSecretRef: { name: "stage", namespace: "storage" } } } },
    "core/persistentvolumes/disk-b": { metadata: { name: "disk-b" }, spec: { claimRef: { namespace: "shop", name: "claim-b" } } },
  });
  const nodes = new NodeAuthorizer(read);
  t.after(nodes.follow(store));
  const may = (text: string) => nodes.authorize(nodeA, asks(text)).allowed;
  const yes = [
    ...["pull", "init", "env", "volume", "projected", "driver"].map(name => `get core/secrets/shop/${name}`), "list core/secrets/shop/env", "watch core/secrets/shop/env", "get core/secrets/storage/stage",
    "get core/configmaps/shop/settings", "get core/configmaps/shop/debug", "get core/configmaps/shop/kube-root-ca.crt",
    "get core/persistentvolumeclaims/shop/claim", "get core/persistentvolumeclaims/shop/mine-scratch", "patch core/persistentvolumeclaims/shop/claim:status", "get core/persistentvolumes/disk",
    "create core/serviceaccounts/shop/web:token", "get core/serviceaccounts/shop/web", "get core/pods/shop/mine", "list core/pods?spec.nodeName=a", "watch core/pods?status.phase!=Failed,spec.nodeName==a", "watch core/pods/shop/mine",
    "patch core/pods/shop/mine:status", "create core/pods/shop/mine:eviction", "create core/nodes", "get core/nodes/a", "patch core/nodes/a:status", "watch core/nodes/a",
    "create coordination.k8s.io/leases/kube-node-lease", "update coordination.k8s.io/leases/kube-node-lease/a", "list core/services", "create core/events/shop", "get node.k8s.io/runtimeclasses", "create authentication.k8s.io/tokenreviews",
  ];
  const nay = [
    "get core/secrets/shop/secret-b", "get core/secrets/shop/later", "get core/secrets/other/env", "list core/secrets/shop", "list core/secrets", "create core/secrets/shop/env", "delete core/secrets/shop/env", "update core/configmaps/shop/settings", "list core/configmaps",
    "get core/persistentvolumeclaims/shop/claim-b", "list core/persistentvolumeclaims/shop/claim", "update core/persistentvolumeclaims/shop/claim", "get core/persistentvolumes/disk-b",
    "create core/serviceaccounts/shop/other:token", "create core/serviceaccounts/shop", "list core/serviceaccounts", "get core/pods/shop/theirs", "list core/pods", "list core/pods?spec.nodeName=b", "list core/pods?spec.nodeName!=a", "watch core/pods/shop/theirs",
    "create core/pods/shop/mine:exec", "get core/pods/shop/mine:log", "patch core/pods/shop/mine", "update core/pods/shop/mine:ephemeralcontainers", "create core/pods/shop/mine:binding",
    "get core/nodes/b", "list core/nodes", "delete core/nodes/a", "get core/nodes/a:proxy", "update coordination.k8s.io/leases/kube-node-lease/b", "list coordination.k8s.io/leases/kube-node-lease", "get coordination.k8s.io/leases/kube-system/a",
    "get storage.k8s.io/csinodes/b", "list core/namespaces", "get apps/deployments/shop/web", "get rbac.authorization.k8s.io/clusterroles", "create authentication.k8s.io/selfsubjectreviews",
  ];
  for (const text of yes) assert.equal(may(text), true, text);
  for (const text of nay) assert.equal(may(text), false, text);
  await put("core/pods/shop/waiting", pod("a", "waiting", { volumes: [{ name: "v", secret: { secretName: "later" } }] }));
  assert.equal(may("get core/secrets/shop/later"), true, "bound just now");
  await store.delete("/registry/core/pods/shop/waiting", store.get("/registry/core/pods/shop/waiting")!.revision);
  assert.deepEqual(nodes.authorize(nodeA, asks("get core/secrets/shop/later")), { allowed: false, reason: "no relationship found between node 'a' and this object" });
});

test("only a member of system:nodes named after a node is one", async t => {
  const { read } = await open(t, {});
  const nodes = new NodeAuthorizer(read);
  for (const user of [{ ...nodeA, groups: ["system:authenticated"] }, { ...nodeA, name: "a" }, { ...nodeA, name: "system:serviceaccount:x:y" }]) assert.deepEqual(nodes.authorize(user, asks("get core/nodes/a")), { allowed: false });
  assert.equal(nodes.authorize({ ...nodeA, name: "system:node:" }, asks("create core/nodes")).allowed, false);
  assert.equal(nodes.rules(nodeA).incomplete, true);
});

type Write = Partial<AdmissionRequest> & { readonly kind: AnyKind };
/** May have tokens for `extra`; certificate requests are their names. */
const restriction = nodeRestriction({ authorize: (_, { verb, resource, name }) => ({ allowed: verb === "request-serviceaccounts-token-audience" && resource === "extra" && name === "web" }), rules: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }) }, name => { if (name === "") throw new Error("PEM block type must be CERTIFICATE REQUEST"); return name; });

async function judge(step: AdmissionStep, read: Reader, user: User, write: Write): Promise<string> {
  const request: AdmissionRequest = { operation: "UPDATE", subresource: "", namespace: "", name: write.object?.metadata?.name ?? "", user, dryRun: false, object: undefined, previous: undefined, now: 0, read, warn() {}, ...write };
  try {
    await (step.mutate ?? step.validate)!(request);
    return "";
  } catch (error) {
    if (isApiError(error, "Forbidden")) return error.message.replace(/^.* is forbidden: /, "");
    if (isApiError(error, "NotFound")) return error.message;
    throw error;
  }
}

test("NodeRestriction: of its Node, a node may change status, allowed labels and annotations, and nothing else", async t => {
  const { read } = await open(t, {});
  const previous = { metadata: { name: "a", uid: "u", labels: { "kubernetes.io/hostname": "a", team: "x" }, annotations: {} }, spec: { taints: [{ key: "k", effect: "NoSchedule" }] }, status: {} };
  const change = (metadata: object, spec: object = {}) => judge(restriction, read, nodeA, { kind: Node, previous, object: { ...previous, metadata: { ...previous.metadata, ...metadata }, spec: { ...previous.spec, ...spec } } });
  const labels = (more: object) => change({ labels: { ...previous.metadata.labels, ...more } });
  assert.equal(await change({}), "");
  assert.equal(await change({ annotations: { x: "y" }, managedFields: [], resourceVersion: "7" }), "");
  assert.equal(await change({}, { providerID: "x://y" }), "");
  for (const label of ["topology.kubernetes.io/zone", "kubelet.kubernetes.io/x", "sub.node.kubernetes.io/x", "example.com/x", "free"]) assert.equal(await labels({ [label]: "v" }), "", label);
  for (const label of ["node-role.kubernetes.io/control-plane", "node-restriction.kubernetes.io/x", "sub.node-restriction.kubernetes.io/x", "kubernetes.io/x", "x.k8s.io/y", "xnode-role.kubernetes.io/y"])
    assert.equal(await labels({ [label]: "v" }), `is not allowed to modify labels: ${label}`);
  assert.equal(await change({}, { taints: [] }), 'node "a" is not allowed to modify taints');
  assert.equal(await change({}, { unschedulable: true }), 'node "a" is not allowed to modify unschedulable');
  assert.equal(await change({}, { podCIDR: "10.0.0.0/8" }), 'node "a" is not allowed to modify podCIDR');
  assert.equal(await change({ ownerReferences: [{ name: "x" }] }), 'node "a" is not allowed to modify ownerReferences');
  assert.equal(await change({ finalizers: ["x"] }), 'node "a" is not allowed to modify finalizers');
  assert.equal(await change({ somethingNew: 1 }), 'node "a" is not allowed to modify somethingNew');
  assert.equal(await judge(restriction, read, nodeA, { kind: Node, operation: "CREATE", object: { metadata: { name: "a", labels: { "kubernetes.io/os": "linux" } }, spec: { taints: [{ key: "k" }] } } }), "");
  assert.equal(await judge(restriction, read, nodeA, { kind: Node, operation: "CREATE", object: { metadata: { name: "a", labels: { "node-role.kubernetes.io/x": "" } }, spec: {} } }), 'node "a" is not allowed to set the following labels: node-role.kubernetes.io/x');
  assert.equal(await judge(restriction, read, nodeA, { kind: Node, operation: "CREATE", object: { metadata: { name: "b" }, spec: {} } }), 'node "a" is not allowed to modify node "b"');
  assert.equal(await judge(restriction, read, nodeA, { kind: Node, operation: "DELETE", name: "a", previous }), 'node "a" is not allowed to delete itself');
  assert.equal(await judge(restriction, read, { ...nodeA, name: "system:node:" }, { kind: Node, object: previous, previous }), 'could not determine node from user "system:node:"');
  assert.equal(await judge(restriction, read, { ...nodeA, groups: [] }, { kind: Node, object: { ...previous, spec: {} }, previous }), "", "others are not its business");
});

test("NodeRestriction: pods, tokens and leases of other nodes are out of reach", async t => {
  const { read } = await open(t, { 
    "core/pods/shop/mine": pod("a", "mine", { volumes: [{ name: "t", projected: { sources: [{ serviceAccountToken: {} }, { serviceAccountToken: { audience: "vault" } }] } }, { name: "d", persistentVolumeClaim: { claimName: "claim" } }, { name: "c", csi: { driver: "plain.example.com" } }] }),
    "core/pods/shop/lost": pod("a", "lost", { volumes: [{ name: "d", persistentVolumeClaim: { claimName: "ghost" } }] }),
    "core/persistentvolumeclaims/shop/claim": { spec: { volumeName: "v" } }, "core/persistentvolumes/v": { spec: { csi: { driver: "disk.example.com" } } },
    "storage.k8s.io/csidrivers/disk.example.com": { spec: { tokenRequests: [{ audience: "disk" }] } }, "storage.k8s.io/csidrivers/plain.example.com": { spec: { tokenRequests: [{ audience: "plain" }] } },
    "core/pods/shop/theirs": pod("b", "theirs"), "core/nodes/a": { metadata: { name: "a", uid: "node-uid" } } });
  const say = (write: Write) => judge(restriction, read, nodeA, { namespace: "shop", ...write });
  const mine: any = pod("a", "mine");
  const theirs: any = pod("b", "theirs");
  const status = (previous: any, metadata: object = {}, more: object = {}) => say({ kind: Pod, subresource: "status", previous, object: { ...previous, metadata: { ...previous.metadata, ...metadata }, status: { phase: "Running", ...more } } });
  assert.equal(await status(mine), "");
  assert.equal(await status(mine, { resourceVersion: "9", managedFields: [{}] }), "");
  assert.equal(await status(theirs), 'node "a" can only update pod status for pods with spec.nodeName set to itself');
  for (const [field, value] of [["labels", { a: "b" }], ["annotations", { a: "b" }], ["ownerReferences", [{}]], ["finalizers", ["x"]]] as const) assert.equal(await status(mine, { [field]: value }), `node "a" cannot update ${field} through pod status`);
  assert.equal(await status(mine, {}, { resourceClaimStatuses: [{ name: "x" }] }), 'node "a" cannot update resource claim statues');
  assert.equal(await say({ kind: Pod, operation: "DELETE", name: "mine", previous: mine }), "");
  assert.equal(await say({ kind: Pod, operation: "DELETE", name: "theirs", previous: theirs }), 'node "a" can only delete pods with spec.nodeName set to itself');
  assert.equal(await say({ kind: Pod, operation: "CREATE", object: mine }), 'pod does not have "kubernetes.io/config.mirror" annotation, node "a" can only create mirror pods');
  assert.equal(await say({ kind: Pod, object: mine, previous: mine }), 'unexpected operation "UPDATE", node "a" can only create and delete mirror pods');
  assert.equal(await say({ kind: Pod, subresource: "ephemeralcontainers", object: mine, previous: mine }), "unexpected pod subresource \"ephemeralcontainers\", only 'status' and 'eviction' are allowed");
  assert.equal(await say({ kind: Pod, subresource: "eviction", operation: "CREATE", name: "mine", object: {} }), "");
  assert.equal(await say({ kind: Pod, subresource: "eviction", operation: "CREATE", name: "theirs", object: {} }), "node a can only evict pods with spec.nodeName set to itself");
  const owner = { apiVersion: "v1", kind: "Node", name: "a", uid: "node-uid", controller: true };
  const mirror = (spec: object = {}, owners: object[] = [owner]) => say({ kind: Pod, operation: "CREATE", object: { metadata: { name: "m", annotations: { "kubernetes.io/config.mirror": "x" }, ownerReferences: owners }, spec: { nodeName: "a", containers: [], ...spec } } });
  assert.equal(await mirror(), "");
  assert.equal(await mirror({ nodeName: "b" }), 'node "a" can only create pods with spec.nodeName set to itself');
  assert.equal(await mirror({ serviceAccountName: "admin" }), 'node "a" can not create pods that reference a service account');
  assert.equal(await mirror({ volumes: [{ name: "v", secret: { secretName: "s" } }] }), 'node "a" can not create pods that reference secrets');
  assert.equal(await mirror({ initContainers: [{ name: "i", envFrom: [{ configMapRef: { name: "x" } }] }] }), 'node "a" can not create pods that reference configmaps');
  assert.equal(await mirror({}, [{ ...owner, name: "b" }]), 'node "a" can only create pods with an owner reference set to itself');
  assert.equal(await mirror({}, []), 'node "a" can only create pods with an owner reference set to itself');
  assert.equal(await mirror({}, [{ ...owner, uid: "other" }]), "node a UID mismatch: expected other got node-uid");
  const token = (boundObjectRef?: object, ...audiences: readonly string[]) => say({ kind: ServiceAccount, subresource: "token", operation: "CREATE", name: "web", object: { spec: { audiences, ...(boundObjectRef ? { boundObjectRef } : {}) } } });
  const bound = { apiVersion: "v1", kind: "Pod", name: "mine", uid: "uid-mine" };
  for (const audience of ["", "vault", "disk", "plain", "extra"]) assert.equal(await token(bound, audience), "", audience);
  assert.equal(await token(bound), "", "no audience is the volume's without one");
  assert.equal(await token(bound, "other"), 'audience "other" not found in pod spec volume, system:node:a is not authorized to request tokens for this audience');
  assert.equal(await token(bound, "vault", "disk"), "node may only request 0 or 1 audiences");
  assert.equal(await token({ ...bound, name: "lost", uid: "uid-lost" }, "x"), 'error validating audience "x": persistentvolumeclaim "ghost" not found');
  const slice = (operation: "CREATE" | "DELETE", nodeName: string) => say({ kind: ResourceSlice, operation, name: "s", object: operation === "CREATE" ? { spec: { nodeName } } : undefined, previous: { spec: { nodeName } } });
  assert.deepEqual([await slice("CREATE", "a"), await slice("DELETE", "a"), await slice("CREATE", "b"), await slice("DELETE", "b")], ["", "", "can only create ResourceSlice with the same NodeName as the requesting node", "can only delete ResourceSlice with the same NodeName as the requesting node"]);
  const certificate = (request: string, signerName = "kubernetes.io/kubelet-serving") => say({ kind: CertificateSigningRequest, operation: "CREATE", object: { metadata: { name: "c" }, spec: { request, signerName } } });
  assert.deepEqual([await certificate("system:node:a"), await certificate("x", "example.com/x"), await certificate("system:node:b"), await certificate("")], ["", "", "can only create a node CSR with CN=system:node:a", "unable to parse csr: PEM block type must be CERTIFICATE REQUEST"]);
  assert.equal(await token(), "node requested token not bound to a pod");
  assert.equal(await token({ apiVersion: "v1", kind: "Secret", name: "s", uid: "x" }), "node requested token not bound to a pod");
  assert.equal(await token({ apiVersion: "v1", kind: "Pod", name: "mine" }), "node requested token with a pod binding without a uid");
  assert.equal(await token({ apiVersion: "v1", kind: "Pod", name: "theirs", uid: "uid-theirs" }), "node requested token bound to a pod scheduled on a different node");
  assert.equal(await token({ apiVersion: "v1", kind: "Pod", name: "ghost", uid: "x" }), 'pods "ghost" not found');
  assert.equal(await say({ kind: Lease, namespace: "kube-node-lease", name: "a", object: { metadata: { name: "a" } } }), "");
  assert.equal(await say({ kind: Lease, namespace: "kube-node-lease", operation: "CREATE", object: { metadata: { name: "b" } } }), "can only access node lease with the same name as the requesting node");
  assert.equal(await say({ kind: Lease, namespace: "kube-system", name: "a", object: { metadata: { name: "a" } } }), 'can only access leases in the "kube-node-lease" system namespace');
});

test("nobody grants what they do not hold, in upstream's words", async t => {
  const prefix = "rbac.authorization.k8s.io";
  const { read, store } = await open(t, {
    [`${prefix}/clusterroles/editor`]: { rules: [{ verbs: ["get", "update"], apiGroups: [""], resources: ["pods", "*/scale"] }, { verbs: ["create", "update"], apiGroups: [prefix], resources: ["clusterroles", "rolebindings"] }, { verbs: ["get"], nonResourceURLs: ["/logs/*"] }] },
    [`${prefix}/clusterrolebindings/eve`]: { roleRef: { kind: "ClusterRole", name: "editor" }, subjects: [{ kind: "User", name: "eve" }] },
    [`${prefix}/clusterroles/cluster-admin`]: { rules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }, { verbs: ["*"], nonResourceURLs: ["*"] }] },
    [`${prefix}/clusterroles/binder`]: { rules: [{ verbs: ["bind"], apiGroups: [prefix], resources: ["clusterroles"], resourceNames: ["cluster-admin"] }] },
    [`${prefix}/clusterrolebindings/bob`]: { roleRef: { kind: "ClusterRole", name: "binder" }, subjects: [{ kind: "User", name: "bob" }] },
    [`${prefix}/clusterrolebindings/ann`]: { roleRef: { kind: "ClusterRole", name: "cluster-admin" }, subjects: [{ kind: "User", name: "ann" }] },
  });
  const rbac = new Rbac();
  t.after(rbac.follow(store));
  const step = escalationCheck(rbac, authorizerChain(privileged, rbac));
  const user = (name: string, ...groups: string[]): User => ({ name, uid: "", groups, extra: {} });
  const eve = user("eve", "dev", "system:authenticated");
  const write = (who: User, kind: AnyKind, object: object, previous?: object) => judge(step, read, who, { kind, operation: previous ? "UPDATE" : "CREATE", namespace: "shop", object: { metadata: { name: "new" }, ...object }, ...(previous ? { previous } : {}) });
  const rules = (...rules: object[]) => ({ rules });
  const pods = { verbs: ["get"], apiGroups: [""], resources: ["pods"] };
  assert.equal(await write(eve, ClusterRole, rules(pods, { verbs: ["update"], apiGroups: [""], resources: ["widgets/scale"] }, { ...pods, resourceNames: ["x"] }, { verbs: ["get"], nonResourceURLs: ["/logs/kubelet", "/logs/*"] })), "");
  assert.equal(await write(eve, ClusterRole, rules({ verbs: ["get", "delete"], apiGroups: ["", "apps"], resources: ["pods"] }, { verbs: ["get"], nonResourceURLs: ["/metrics"] })),
    'user "eve" (groups=["dev" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}\n{APIGroups:["apps"], Resources:["pods"], Verbs:["get" "delete"]}\n{NonResourceURLs:["/metrics"], Verbs:["get"]}');
  assert.match(await write(eve, ClusterRole, rules({ verbs: ["*"], apiGroups: [""], resources: ["pods"] })), /Verbs:\["\*"\]/);
  assert.equal(await write(eve, ClusterRole, { rules: [], aggregationRule: { clusterRoleSelectors: [] } }), "must have cluster-admin privileges to use the aggregationRule");
  const ref = (name: string) => ({ roleRef: { apiGroup: prefix, kind: "ClusterRole", name }, subjects: [] });
  assert.match(await write(eve, RoleBinding, ref("cluster-admin")), /^user "eve" .* is attempting to grant RBAC permissions not currently held:\n\{APIGroups:\["\*"\], Resources:\["\*"\], Verbs:\["\*"\]\}/);
  assert.equal(await write(eve, RoleBinding, ref("editor")), "");
  assert.equal(await write(eve, RoleBinding, ref("ghost")), 'rolebindings.rbac.authorization.k8s.io "ghost" not found');
  assert.equal(await write(user("bob"), ClusterRoleBinding, ref("cluster-admin")), "", "may bind this role by name");
  assert.notEqual(await write(user("bob"), ClusterRoleBinding, ref("editor")), "");
  assert.equal(await write(user("ann"), ClusterRole, rules({ verbs: ["*"], apiGroups: ["*"], resources: ["*"] })), "");
  assert.equal(await write(user("root", "system:masters"), ClusterRoleBinding, ref("ghost")), "");
  assert.equal(await write(eve, ClusterRole, { ...rules({ ...pods, verbs: ["delete"] }), metadata: { name: "new", finalizers: [] } }, { ...rules({ ...pods, verbs: ["delete"] }), metadata: { name: "new", finalizers: ["x"] } }), "", "only a finalizer goes");
});
