/** The priority levels and flow schemas that every cluster has (apiserver pkg/apis/flowcontrol/bootstrap/default.go). */

export const flowGroup = "flowcontrol.apiserver.k8s.io";
/** "true": the spec follows this server's own; anything else: it is the administrator's. */
export const autoUpdate = "apf.kubernetes.io/autoupdate-spec";
export const exemptName = "exempt";
export const catchAllName = "catch-all";

export type LevelSpec = {
  readonly type: string;
  readonly exempt?: { readonly nominalConcurrencyShares?: number; readonly lendablePercent?: number };
  readonly limited?: {
    readonly nominalConcurrencyShares?: number;
    readonly lendablePercent?: number;
    readonly borrowingLimitPercent?: number;
    readonly limitResponse: { readonly type: string; readonly queuing?: { readonly queues: number; readonly handSize: number; readonly queueLengthLimit: number } };
  };
};
type Subject = { readonly kind: string; readonly user?: { readonly name: string }; readonly group?: { readonly name: string }; readonly serviceAccount?: { readonly namespace: string; readonly name: string } };
export type ResourceRule = { readonly verbs: readonly string[]; readonly apiGroups: readonly string[]; readonly resources: readonly string[]; readonly namespaces?: readonly string[]; readonly clusterScope?: boolean };
export type PathRule = { readonly verbs: readonly string[]; readonly nonResourceURLs: readonly string[] };
export type PolicyRule = { readonly subjects: readonly Subject[]; readonly resourceRules?: readonly ResourceRule[]; readonly nonResourceRules?: readonly PathRule[] };
export type SchemaSpec = {
  readonly priorityLevelConfiguration: { readonly name: string };
  readonly matchingPrecedence: number;
  readonly distinguisherMethod?: { readonly type: string };
  readonly rules?: readonly PolicyRule[];
};
export type Named<Spec> = { readonly metadata: { readonly name: string; readonly uid?: string }; readonly spec: Spec };
export type LevelObject = Named<LevelSpec>;
export type SchemaObject = Named<SchemaSpec>;

const all = ["*"];
const anyResource: ResourceRule = { verbs: all, apiGroups: all, resources: all, namespaces: all, clusterScope: true };
const anyPath: PathRule = { verbs: all, nonResourceURLs: all };
const groups = (...names: readonly string[]): Subject[] => names.map(name => ({ kind: "Group", group: { name } }));
const users = (...names: readonly string[]): Subject[] => names.map(name => ({ kind: "User", user: { name } }));
const systemAccounts: readonly Subject[] = [{ kind: "ServiceAccount", serviceAccount: { name: "*", namespace: "kube-system" } }];
const everyone = groups("system:unauthenticated", "system:authenticated");
const leases = (verbs: readonly string[]): ResourceRule => ({ verbs, apiGroups: ["coordination.k8s.io"], resources: ["leases"], namespaces: all, clusterScope: false });
const everything = (subjects: readonly Subject[]): readonly PolicyRule[] => [{ subjects, resourceRules: [anyResource], nonResourceRules: [anyPath] }];

function level(name: string, shares: number, lendablePercent: number, queues: number, handSize: number): LevelObject {
  return { metadata: { name }, spec: { type: "Limited", limited: { nominalConcurrencyShares: shares, lendablePercent, limitResponse: { type: "Queue", queuing: { queues, handSize, queueLengthLimit: 50 } } } } };
}
function schema(name: string, levelName: string, matchingPrecedence: number, distinguisher: "" | "ByUser" | "ByNamespace", rules: readonly PolicyRule[]): SchemaObject {
  return { metadata: { name }, spec: { priorityLevelConfiguration: { name: levelName }, matchingPrecedence, ...(distinguisher === "" ? {} : { distinguisherMethod: { type: distinguisher } }), rules } };
}

/** Without these two nothing can be judged: their specs are always put right (of `exempt`, not its shares). */
export const mandatoryLevels: readonly LevelObject[] = [
  { metadata: { name: catchAllName }, spec: { type: "Limited", limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: "Reject" } } } },
  { metadata: { name: exemptName }, spec: { type: "Exempt", exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } } },
];
export const mandatorySchemas: readonly SchemaObject[] = [
  schema(exemptName, exemptName, 1, "", everything(groups("system:masters"))),
  schema(catchAllName, catchAllName, 10_000, "ByUser", everything(everyone)),
];
export const suggestedLevels: readonly LevelObject[] = [
  level("system", 30, 33, 64, 6), level("node-high", 40, 25, 64, 6), level("leader-election", 10, 0, 16, 4),
  level("workload-high", 40, 50, 128, 6), level("workload-low", 100, 90, 128, 6), level("global-default", 20, 50, 128, 6),
];
export const suggestedSchemas: readonly SchemaObject[] = [
  schema("system-nodes", "system", 500, "ByUser", everything(groups("system:nodes"))),
  schema("system-node-high", "node-high", 400, "ByUser", [{ subjects: groups("system:nodes"), resourceRules: [{ ...anyResource, apiGroups: [""], resources: ["nodes", "nodes/status"] }, leases(all)] }]),
  schema("probes", exemptName, 2, "", [{ subjects: everyone, nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/healthz", "/readyz", "/livez"] }] }]),
  schema("system-leader-election", "leader-election", 100, "ByUser", [{ subjects: [...users("system:kube-controller-manager", "system:kube-scheduler"), ...systemAccounts], resourceRules: [leases(["get", "create", "update"])] }]),
  schema("kube-controller-manager", "workload-high", 800, "ByNamespace", everything(users("system:kube-controller-manager"))),
  schema("kube-scheduler", "workload-high", 800, "ByNamespace", everything(users("system:kube-scheduler"))),
  schema("kube-system-service-accounts", "workload-high", 900, "ByNamespace", everything(systemAccounts)),
  schema("service-accounts", "workload-low", 9000, "ByUser", everything(groups("system:serviceaccounts"))),
  schema("global-default", "global-default", 9900, "ByUser", everything(everyone)),
];
