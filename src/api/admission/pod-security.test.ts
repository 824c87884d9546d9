import assert from "node:assert/strict";
import { test } from "node:test";
import { isApiError } from "../../base/api-error.ts";
import { Deployment } from "../../kinds/apps/deployment.ts";
import { Namespace } from "../../kinds/core/namespace.ts";
import { Pod } from "../../kinds/core/pod.ts";
import type { AnyKind } from "../../kinds/kind.ts";
import type { AdmissionRequest } from "./admission.ts";
import { podSecurity, type PodSecurityOptions } from "./pod-security.ts";
import { detailOf, evaluate, policyOf, textOf, type Policy } from "./pod-security/policy.ts";

const good = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] }, runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };
const pod = (spec: object = {}, context: object = good) => ({ metadata: { name: "p" }, spec: { containers: [{ name: "a", image: "x", securityContext: context }], ...spec } });
const says = (level: "baseline" | "restricted", subject: any, minor?: number): string => detailOf(evaluate({ level, minor }, subject));

test("each standard names what it forbids, in upstream's words and order", () => {
  assert.equal(says("restricted", pod()), "");
  assert.equal(says("baseline", pod({}, {})), "");
  assert.equal(says("restricted", pod({}, {})),
    'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]), '
    + 'runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")');
  assert.equal(says("restricted", { metadata: {}, spec: { hostNetwork: true, hostPID: true, volumes: [{ name: "v", hostPath: { path: "/" } }, { name: "n", nfs: {} }], containers: [{ name: "a", securityContext: { ...good, privileged: true }, ports: [{ hostPort: 80 }, { hostPort: 443 }] }, { name: "b", securityContext: { ...good, runAsUser: 0 } }] } }),
    'host namespaces (hostNetwork=true, hostPID=true), hostPort (container "a" uses hostPorts 443, 80), privileged (container "a" must not set securityContext.privileged=true), '
    + 'restricted volume types (volumes "v", "n" use restricted volume types "hostPath", "nfs"), runAsUser=0 (container "b" must not set runAsUser=0)');
});

test("one thing at a time, over every kind of container", () => {
  const table: [string, object, string][] = [
    ["ephemeral containers count", pod({ ephemeralContainers: [{ name: "e", securityContext: { privileged: true } }] }), 'privileged (container "e" must not set securityContext.privileged=true)'],
    ["init containers count", pod({ initContainers: [{ name: "i", securityContext: { procMount: "Unmasked" } }] }), 'procMount (container "i" must not set securityContext.procMount to "Unmasked")'],
    ["capabilities", pod({}, { capabilities: { add: ["SYS_ADMIN", "KILL", "NET_RAW"] } }), 'non-default capabilities (container "a" must not include "NET_RAW", "SYS_ADMIN" in securityContext.capabilities.add)'],
    ["SELinux", pod({ securityContext: { seLinuxOptions: { type: "spc_t", user: "u" } } }), 'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set)'],
    ["seccomp", pod({ securityContext: { seccompProfile: { type: "Unconfined" } } }, { seccompProfile: { type: "Unconfined" } }), 'seccompProfile (pod and container "a" must not set securityContext.seccompProfile.type to "Unconfined")'],
    ["AppArmor", { metadata: { annotations: { "container.apparmor.security.beta.kubernetes.io/a": "unconfined" } }, spec: pod({}, { appArmorProfile: { type: "Unconfined" } }).spec }, 'forbidden AppArmor profiles (container "a" and annotation must not set AppArmor profile type to "Unconfined", "container.apparmor.security.beta.kubernetes.io/a="unconfined"")'],
    ["sysctls", pod({ securityContext: { sysctls: [{ name: "net.ipv4.tcp_rmem" }, { name: "kernel.msgmax" }] } }), "forbidden sysctls (kernel.msgmax)"],
    ["Windows", pod({ securityContext: { windowsOptions: { hostProcess: true } } }), "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)"],
    ["probes", pod({ containers: [{ name: "a", livenessProbe: { httpGet: { host: "10.0.0.1" } }, lifecycle: { preStop: { tcpSocket: { host: "x" } } } }] }), 'probe or lifecycle host (container "a" uses probe or lifecycle hosts "10.0.0.1", "x")'],
  ];
  for (const [what, subject, expected] of table) assert.equal(says("baseline", subject), expected, what);
});

test("a version decides by the rules of its time, a later one by today's", () => {
  const sysctl = pod({ securityContext: { sysctls: [{ name: "net.ipv4.tcp_rmem" }] } });
  assert.deepEqual([says("baseline", sysctl, 31), says("baseline", sysctl, 32), says("baseline", sysctl, 99)], ["forbidden sysctls (net.ipv4.tcp_rmem)", "", ""]);
  assert.equal(says("restricted", pod({}, {}), 7), 'runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)');
  assert.equal(says("restricted", pod({ hostUsers: false }, { ...good, runAsNonRoot: false, runAsUser: 0 })), "");
  assert.notEqual(says("restricted", pod({ hostUsers: false }, { ...good, runAsNonRoot: false }), 34), "");
  assert.equal(says("restricted", pod({ os: { name: "windows" } }, { runAsNonRoot: true })), "");
});

test("labels choose the standard per mode; warn follows enforce; what cannot be read is strict", () => {
  const open: Policy = { enforce: { level: "privileged", minor: undefined }, audit: { level: "privileged", minor: undefined }, warn: { level: "privileged", minor: undefined } };
  const read = (labels: { [label: string]: string }) => {
    const { policy, bad } = policyOf(Object.fromEntries(Object.entries(labels).map(([label, value]) => [`pod-security.kubernetes.io/${label}`, value])), open);
    return [textOf(policy.enforce), textOf(policy.audit), textOf(policy.warn), ...bad.map(({ detail }) => detail)].join(" | ");
  };
  assert.equal(read({}), "privileged:latest | privileged:latest | privileged:latest");
  assert.equal(read({ enforce: "baseline", "enforce-version": "v1.20" }), "baseline:v1.20 | privileged:latest | baseline:v1.20");
  assert.equal(read({ enforce: "restricted", warn: "baseline" }), "restricted:latest | privileged:latest | baseline:latest");
  assert.equal(read({ enforce: "strict", audit: "x", "warn-version": "v2" }), 'restricted:latest | privileged:latest | privileged:latest | must be one of privileged, baseline, restricted | must be one of privileged, baseline, restricted | must be "latest" or "v1.x"');
});

/** What the step says to a write in namespace `shop` with these labels: the refusal, or else the warnings. */
function judge(labels: object, kind: AnyKind, more: Partial<AdmissionRequest>, options?: PodSecurityOptions): string {
  const warnings: string[] = [];
  const named = (text: object) => Object.fromEntries(Object.entries(text).map(([label, value]) => [`pod-security.kubernetes.io/${label}`, value]));
  const pods = [pod({}, { ...good, privileged: true }), { ...pod({}, {}), metadata: { name: "q" } }, { ...pod({}, {}), metadata: { name: "o" } }, { ...pod(), metadata: { name: "fine" } }];
  const request: AdmissionRequest = {
    operation: "CREATE", kind, subresource: "", namespace: "shop", name: "p", user: { name: "eve", uid: "", groups: [], extra: {} }, dryRun: false, object: undefined, previous: undefined, now: 0, warn: text => void warnings.push(text),
    read: { get: () => ({ metadata: { labels: named(labels) } }), list: () => pods }, ...more,
  };
  try {
    void podSecurity(options).validate!(request);
    return warnings.join("\n");
  } catch (error) {
    if (isApiError(error, "Forbidden") || isApiError(error, "Invalid")) return error.message;
    throw error;
  }
}

test("a pod is refused where the standard is enforced, and only advised where it is not", () => {
  const bad = pod({ hostPID: true });
  assert.equal(judge({ enforce: "baseline" }, Pod, { object: bad }), 'pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostPID=true)');
  assert.equal(judge({ warn: "baseline", "warn-version": "v1.20" }, Pod, { object: bad }), 'would violate PodSecurity "baseline:v1.20": host namespaces (hostPID=true)');
  assert.equal(judge({ audit: "restricted" }, Pod, { object: bad }), "");
  assert.equal(judge({}, Pod, { object: bad }), "");
});

test("a controller of bad pods is only warned about", () => {
  assert.equal(judge({ enforce: "baseline" }, Deployment, { object: { metadata: { name: "d" }, spec: { template: { spec: pod({ hostPID: true }).spec } } } }), 'would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)');
  assert.equal(judge({ enforce: "baseline" }, Deployment, { subresource: "status", operation: "UPDATE", object: { spec: { template: { spec: pod({ hostPID: true }).spec } } } }), "");
});

test("an update counts when it brings an image or an ephemeral container", () => {
  const bad = pod({ hostPID: true });
  const update = (object: any, subresource = "") => judge({ enforce: "baseline" }, Pod, { operation: "UPDATE", subresource, object, previous: bad }) !== "";
  assert.equal(update({ ...bad, metadata: { name: "p", labels: { a: "b" } } }), false);
  assert.equal(update({ ...bad, spec: { ...bad.spec, containers: [{ ...bad.spec.containers[0], image: "y" }] } }), true);
  assert.equal(update({ ...bad, spec: { ...bad.spec, ephemeralContainers: [{ name: "e", image: "z" }] } }, "ephemeralcontainers"), true);
  assert.equal(update({ ...bad, spec: { ...bad.spec, containers: [{ name: "a", image: "y" }] } }, "status"), false);
});

test("users, namespaces and runtime classes may be exempt", () => {
  const exempt = (list: object, object: object = pod({ hostPID: true })) => judge({ enforce: "baseline" }, Pod, { object }, { exempt: list });
  assert.deepEqual([exempt({ usernames: ["eve"] }), exempt({ namespaces: ["shop"] }), exempt({ runtimeClasses: ["vm"] }, pod({ hostPID: true, runtimeClassName: "vm" }))], ["", "", ""]);
  assert.notEqual(exempt({ usernames: ["bob"], namespaces: ["x"], runtimeClasses: ["vm"] }), "");
});

test("a namespace's labels must be readable, and a stricter one tells which pods would be refused", () => {
  const namespace = (labels: object) => ({ metadata: { name: "shop", labels: Object.fromEntries(Object.entries(labels).map(([label, value]) => [`pod-security.kubernetes.io/${label}`, value])) } });
  const set = (labels: object, before?: object) => judge({}, Namespace, { name: "shop", object: namespace(labels), ...(before ? { operation: "UPDATE", previous: namespace(before) } : {}) });
  assert.equal(set({ enforce: "strict" }), 'Namespace "shop" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted');
  assert.equal(set({ enforce: "strict" }, { enforce: "strict" }), "", "an old mistake may stay");
  assert.equal(set({ enforce: "restricted" }, {}), 'existing pods in namespace "shop" violate the new PodSecurity enforce level "restricted:latest"\no (and 1 other pod): allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile\np: privileged');
  assert.equal(set({ enforce: "baseline" }, { enforce: "restricted" }), "");
});
