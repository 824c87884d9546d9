/** The ClusterRoles and bindings that every cluster has, controllers' apart. Facts from upstream's plugin/pkg/auth/authorizer/rbac/bootstrappolicy, with 1.36's default feature gates. */
import { account, events, group, read, readWrite, role, rule, urls, user, write, type BindingData, type RoleData } from "./notation.ts";

const aggregateTo = (name: string): string => `rbac.authorization.k8s.io/aggregate-to-${name}`;
const apps = "daemonsets deployments deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale";
const extensions = "daemonsets deployments deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale";
const escalating = "pods/attach pods/exec pods/portforward pods/proxy";
const approver = (signer: string): RoleData =>
  role(`system:certificates.k8s.io:${signer}-approver`, rule("approve", "certificates.k8s.io", "signers", `kubernetes.io/${signer}`));

export const clusterRoles: readonly RoleData[] = [
  role("cluster-admin", rule("*", "*", "*"), urls("*", "*")),
  { name: "admin", rules: [], aggregates: aggregateTo("admin") },
  { name: "edit", rules: [], aggregates: aggregateTo("edit"), labels: { [aggregateTo("admin")]: "true" } },
  { name: "view", rules: [], aggregates: aggregateTo("view"), labels: { [aggregateTo("edit")]: "true" } },
  {
    name: "system:aggregate-to-admin", labels: { [aggregateTo("admin")]: "true" }, rules: [
      rule("create", "authorization.k8s.io", "localsubjectaccessreviews"),
      rule(readWrite, "rbac.authorization.k8s.io", "roles rolebindings"),
    ],
  },
  {
    name: "system:aggregate-to-edit", labels: { [aggregateTo("edit")]: "true" }, rules: [
      rule(read, "core", `${escalating} secrets services/proxy`),
      rule("impersonate", "core", "serviceaccounts"),
      rule(write, "core", `pods ${escalating}`),
      rule("create", "core", "pods/eviction"),
      rule(write, "core", "configmaps persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy"),
      rule("create", "core", "serviceaccounts/token"),
      rule(write, "core events.k8s.io", "events"),
      rule(write, "apps", `${apps} deployments/rollback`),
      rule(write, "autoscaling", "horizontalpodautoscalers"),
      rule(write, "batch", "cronjobs jobs"),
      rule(write, "extensions", `${extensions} deployments/rollback`),
      rule(write, "policy", "poddisruptionbudgets"),
      rule(write, "networking.k8s.io", "ingresses networkpolicies"),
      rule(readWrite, "coordination.k8s.io", "leases"),
      rule(write, "resource.k8s.io", "resourceclaims resourceclaimtemplates"),
    ],
  },
  {
    name: "system:aggregate-to-view", labels: { [aggregateTo("view")]: "true" }, rules: [
      rule(read, "core", "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status"),
      rule(read, "core", "bindings limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status"),
      rule(read, "core", "namespaces"),
      rule(read, "core events.k8s.io", "events"),
      rule(read, "discovery.k8s.io", "endpointslices"),
      rule(read, "apps", `${apps} controllerrevisions daemonsets/status deployments/status replicasets/status statefulsets/status`),
      rule(read, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
      rule(read, "batch", "cronjobs cronjobs/status jobs jobs/status"),
      rule(read, "extensions", `${extensions} daemonsets/status deployments/status ingresses/status replicasets/status`),
      rule(read, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
      rule(read, "networking.k8s.io", "ingresses ingresses/status networkpolicies"),
      rule(read, "resource.k8s.io", "resourceclaims resourceclaims/status resourceclaimtemplates"),
    ],
  },
  role("system:auth-delegator", rule("create", "authentication.k8s.io", "tokenreviews"), rule("create", "authorization.k8s.io", "subjectaccessreviews")),
  role("system:basic-user", rule("create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"), rule("create", "authentication.k8s.io", "selfsubjectreviews")),
  role("system:certificates.k8s.io:certificatesigningrequests:nodeclient", rule("create", "certificates.k8s.io", "certificatesigningrequests/nodeclient")),
  role("system:certificates.k8s.io:certificatesigningrequests:selfnodeclient", rule("create", "certificates.k8s.io", "certificatesigningrequests/selfnodeclient")),
  approver("kube-apiserver-client"), approver("kube-apiserver-client-kubelet"), approver("kubelet-serving"), approver("legacy-unknown"),
  role("system:discovery", urls("get", "/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/")),
  // metrics-server brings it where it is installed; here the server itself measures.
  { name: "system:aggregated-metrics-reader", labels: { [aggregateTo("admin")]: "true", [aggregateTo("edit")]: "true", [aggregateTo("view")]: "true" }, rules: [rule(read, "metrics.k8s.io", "pods nodes")] },
  role("system:heapster", rule(read, "core", "events namespaces nodes pods"), rule(read, "extensions", "deployments")),
  role("system:kube-aggregator", rule(read, "core", "endpoints services")),
  role("system:kube-controller-manager",
    events, rule("create", "coordination.k8s.io", "leases"), rule("get update", "coordination.k8s.io", "leases", "kube-controller-manager"),
    rule("create", "core", "secrets serviceaccounts"), rule("delete", "core", "secrets"), rule("get", "core", "configmaps namespaces secrets serviceaccounts"),
    rule("update", "core", "secrets serviceaccounts"), rule("create", "authentication.k8s.io", "tokenreviews"), rule("create", "authorization.k8s.io", "subjectaccessreviews"),
    rule("list watch", "*", "*"), rule("create", "core", "serviceaccounts/token")),
  role("system:kube-dns", rule("list watch", "core", "endpoints services")),
  role("system:kube-scheduler",
    events, rule("create", "coordination.k8s.io", "leases"), rule("get list update watch", "coordination.k8s.io", "leases", "kube-scheduler"), rule(readWrite, "coordination.k8s.io", "leasecandidates"),
    rule(read, "core", "nodes"), rule(`delete ${read}`, "core", "pods"), rule("create", "core", "bindings pods/binding"), rule("patch update", "core", "pods/status"),
    rule(read, "core", "replicationcontrollers services"), rule(read, "apps extensions", "replicasets"), rule(read, "apps", "statefulsets"), rule(read, "policy", "poddisruptionbudgets"),
    rule(read, "core", "persistentvolumeclaims persistentvolumes"), rule("create", "authentication.k8s.io", "tokenreviews"), rule("create", "authorization.k8s.io", "subjectaccessreviews"),
    rule(read, "storage.k8s.io", "csinodes"), rule(read, "storage.k8s.io", "volumeattachments"), rule(read, "core", "namespaces"), rule(read, "storage.k8s.io", "csidrivers"), rule(read, "storage.k8s.io", "csistoragecapacities"),
    rule(read, "resource.k8s.io", "deviceclasses"), rule(`${read} patch update`, "resource.k8s.io", "resourceclaims"), rule(`${read} patch update`, "resource.k8s.io", "resourceclaims/status"),
    rule("update", "core", "pods/finalizers"), rule(read, "resource.k8s.io", "resourceslices"), rule("create delete", "resource.k8s.io", "resourceclaims"), rule("patch update", "resource.k8s.io", "resourceclaims/binding")),
  role("system:kubelet-api-admin", rule(read, "core", "nodes"), rule("proxy", "core", "nodes"), rule("*", "core", "nodes/log nodes/metrics nodes/proxy nodes/stats"), rule("*", "core", "nodes/configz nodes/healthz nodes/pods")),
  role("system:monitoring", urls("get", "/flagz /healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/* /statusz"), rule("get", "core", "nodes/metrics")),
  role("system:node",
    rule("create", "authentication.k8s.io", "tokenreviews"), rule("create", "authorization.k8s.io", "localsubjectaccessreviews subjectaccessreviews"), rule(read, "core", "services"),
    rule(`create ${read}`, "core", "nodes"), rule("patch update", "core", "nodes/status"), rule("patch update", "core", "nodes"), events,
    rule(read, "core", "pods"), rule("create delete", "core", "pods"), rule("patch update", "core", "pods/status"), rule("create", "core", "pods/eviction"), rule(read, "core", "configmaps secrets"),
    rule("get", "core", "persistentvolumeclaims persistentvolumes"), rule("get", "core", "endpoints"), rule(`create ${read}`, "certificates.k8s.io", "certificatesigningrequests"),
    rule("create delete get patch update", "coordination.k8s.io", "leases"), rule("get", "storage.k8s.io", "volumeattachments"), rule("create", "core", "serviceaccounts/token"),
    rule("get patch update", "core", "persistentvolumeclaims/status"), rule(read, "storage.k8s.io", "csidrivers"), rule("create delete get patch update", "storage.k8s.io", "csinodes"),
    rule(read, "node.k8s.io", "runtimeclasses"), rule("get", "resource.k8s.io", "resourceclaims"), rule("deletecollection", "resource.k8s.io", "resourceslices"), rule("get", "core", "serviceaccounts")),
  role("system:node-bootstrapper", rule(`create ${read}`, "certificates.k8s.io", "certificatesigningrequests")),
  role("system:node-problem-detector", rule("get", "core", "nodes"), rule("patch", "core", "nodes/status"), events),
  role("system:node-proxier", rule("list watch", "core", "endpoints services"), rule(read, "core", "nodes"), events, rule("list watch", "networking.k8s.io", "servicecidrs"), rule("list watch", "discovery.k8s.io", "endpointslices")),
  // Ours: the node's packet rules for NetworkPolicies need to know who stands behind an address.
  role("timonier:network-policies", rule("list watch", "core", "namespaces pods"), rule("list watch", "networking.k8s.io", "networkpolicies")),
  role("system:persistent-volume-provisioner", rule(`create delete ${read}`, "core", "persistentvolumes"), rule(`${read} update`, "core", "persistentvolumeclaims"), rule(read, "storage.k8s.io", "storageclasses"), rule("watch", "core", "events"), events),
  role("system:public-info-viewer", urls("get", "/healthz /livez /readyz /version /version/")),
  role("system:service-account-issuer-discovery", urls("get", "/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/")),
  role("system:volume-scheduler", rule(`${read} patch update`, "core", "persistentvolumes"), rule(read, "storage.k8s.io", "storageclasses"), rule(`${read} patch update`, "core", "persistentvolumeclaims")),
];

const bind = (role: string, ...subjects: BindingData["subjects"]): BindingData => ({ name: role, role, subjects });

export const clusterRoleBindings: readonly BindingData[] = [
  bind("cluster-admin", group("system:masters")),
  bind("system:monitoring", group("system:monitoring")),
  bind("system:discovery", group("system:authenticated")),
  bind("system:basic-user", group("system:authenticated")),
  bind("system:public-info-viewer", group("system:authenticated"), group("system:unauthenticated")),
  bind("system:node-proxier", user("system:kube-proxy")),
  bind("timonier:network-policies", user("system:kube-proxy")),
  bind("system:kube-controller-manager", user("system:kube-controller-manager")),
  bind("system:kube-dns", account("kube-dns")),
  bind("system:kube-scheduler", user("system:kube-scheduler")),
  bind("system:volume-scheduler", user("system:kube-scheduler")),
  // The Node authorizer speaks for nodes; the binding is kept, empty, as upstream keeps it.
  bind("system:node"),
  bind("system:service-account-issuer-discovery", group("system:serviceaccounts")),
];
