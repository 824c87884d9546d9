/** Roles and bindings inside kube-system and kube-public. Facts from upstream's bootstrappolicy/namespace_policy.go. */
import { account, events, read, role, rule, user, type BindingData, type RoleData } from "./notation.ts";

const leaderRole = (component: string): RoleData => role(`system::leader-locking-${component}`, ...["leases", "leasecandidates"].map(kind => rule("get watch list create update", "coordination.k8s.io", kind)));

export const namespaceRoles: { readonly [namespace: string]: readonly RoleData[] } = {
  "kube-system": [
    role("extension-apiserver-authentication-reader", rule(read, "core", "configmaps", "extension-apiserver-authentication")),
    role("system:controller:bootstrap-signer", rule(read, "core", "secrets")),
    role("system:controller:cloud-provider", rule(`create ${read}`, "core", "configmaps")),
    role("system:controller:token-cleaner", rule(`${read} delete`, "core", "secrets"), events),
    leaderRole("kube-controller-manager"), leaderRole("kube-scheduler"),
  ],
  "kube-public": [
    role("system:controller:bootstrap-signer", rule(read, "core", "configmaps"), rule("update", "core", "configmaps", "cluster-info"), events),
  ],
};

const own = (name: string): BindingData => ({ name: `system:controller:${name}`, role: `system:controller:${name}`, subjects: [account(name)] });

export const namespaceRoleBindings: { readonly [namespace: string]: readonly BindingData[] } = {
  "kube-system": [
    { name: "system::extension-apiserver-authentication-reader", role: "extension-apiserver-authentication-reader", subjects: [user("system:kube-controller-manager"), user("system:kube-scheduler")] },
    { name: "system::leader-locking-kube-controller-manager", role: "system::leader-locking-kube-controller-manager", subjects: [user("system:kube-controller-manager"), account("kube-controller-manager"), account("leader-election-controller")] },
    { name: "system::leader-locking-kube-scheduler", role: "system::leader-locking-kube-scheduler", subjects: [user("system:kube-scheduler"), account("kube-scheduler")] },
    own("bootstrap-signer"), own("cloud-provider"), own("token-cleaner"),
  ],
  "kube-public": [own("bootstrap-signer")],
};
