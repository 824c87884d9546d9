import assert from "node:assert/strict";
import { test } from "node:test";
import { parseStructs, podTemplateHash } from "./pod-template-hash.ts";
import { podTemplateStructs } from "./pod-template-structs.ts";

/** The structs as they were before 1.36: what each release took away again is left out, newest first. */
const added: readonly (readonly [since: number, field: string])[] = [
  [36, "SchedulingGroup *PodSchedulingGroup"], [34, "HostnameOverride *string"], [34, "RestartPolicyRules []ContainerRestartRule"],
  [32, "Resources *ResourceRequirements"], [32, "SELinuxChangePolicy=seLinuxChangePolicy *PodSELinuxChangePolicy"],
  [31, "SupplementalGroupsPolicy *SupplementalGroupsPolicy"], [31, "Image *ImageVolumeSource"], [30, "AppArmorProfile *AppArmorProfile"],
  [28, "RestartPolicy *ContainerRestartPolicy"], [27, "ResizePolicy []ContainerResizePolicy"],
];
function structsOf(minor: number): ReturnType<typeof parseStructs> {
  let text = podTemplateStructs;
  for (const [since, field] of added) if (minor < since) text = text.replaceAll(`, ${field}`, "");
  return parseStructs(text);
}

const common = { terminationMessagePath: "/dev/termination-log", terminationMessagePolicy: "File" };
const nginx = {
  metadata: { labels: { app: "nginx" } },
  spec: {
    containers: [{ name: "nginx", image: "nginx", resources: {}, imagePullPolicy: "Always", ...common }],
    restartPolicy: "Always", terminationGracePeriodSeconds: 30, dnsPolicy: "ClusterFirst", securityContext: {}, schedulerName: "default-scheduler",
  },
};
// What kubeadm installs, with quantities, probes, volumes, affinity and tolerations. 1.34 gave its probes' ports names.
const coredns = (image: string, named: boolean) => ({
  metadata: { labels: { "k8s-app": "kube-dns" } },
  spec: {
    priorityClassName: "system-cluster-critical", serviceAccountName: "coredns", serviceAccount: "coredns", nodeSelector: { "kubernetes.io/os": "linux" },
    affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: { labelSelector: { matchExpressions: [{ key: "k8s-app", operator: "In", values: ["kube-dns"] }] }, topologyKey: "kubernetes.io/hostname" } }] } },
    tolerations: [{ key: "CriticalAddonsOnly", operator: "Exists" }, { key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" }],
    containers: [{
      name: "coredns", image: `registry.k8s.io/coredns/coredns:${image}`, imagePullPolicy: "IfNotPresent", args: ["-conf", "/etc/coredns/Corefile"],
      resources: { limits: { memory: "170Mi" }, requests: { memory: "70Mi", cpu: "100m" } },
      volumeMounts: [{ name: "config-volume", mountPath: "/etc/coredns", readOnly: true }],
      ports: [
        { containerPort: 53, name: "dns", protocol: "UDP" }, { containerPort: 53, name: "dns-tcp", protocol: "TCP" }, { containerPort: 9153, name: "metrics", protocol: "TCP" },
        ...(named ? [{ containerPort: 8080, name: "liveness-probe", protocol: "TCP" }, { containerPort: 8181, name: "readiness-probe", protocol: "TCP" }] : []),
      ],
      livenessProbe: { httpGet: { path: "/health", port: named ? "liveness-probe" : 8080, scheme: "HTTP" }, initialDelaySeconds: 60, timeoutSeconds: 5, periodSeconds: 10, successThreshold: 1, failureThreshold: 5 },
      readinessProbe: { httpGet: { path: "/ready", port: named ? "readiness-probe" : 8181, scheme: "HTTP" }, timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 },
      securityContext: { allowPrivilegeEscalation: false, capabilities: { add: ["NET_BIND_SERVICE"], drop: ["ALL"] }, readOnlyRootFilesystem: true }, ...common,
    }],
    dnsPolicy: "Default", volumes: [{ name: "config-volume", configMap: { name: "coredns", items: [{ key: "Corefile", path: "Corefile" }], defaultMode: 420 } }],
    restartPolicy: "Always", terminationGracePeriodSeconds: 30, securityContext: {}, schedulerName: "default-scheduler",
  },
});

// Names seen on real clusters: `kubectl create deployment nginx --image=nginx`, and kubeadm's coredns.
const seen = [
  [26, nginx, "748c667d99"], [27, nginx, "77b4fdf86c"], [29, nginx, "7854ff8877"], [30, nginx, "bf5d5cf98"], [31, nginx, "676b6c5bbc"], [33, nginx, "5869d7778c"], [34, nginx, "66686b6766"],
  [30, coredns("v1.11.1", false), "7db6d8ff4d"], [31, coredns("v1.11.1", false), "6f6b679f8f"], [32, coredns("v1.11.3", false), "668d6bf9bc"], [33, coredns("v1.12.0", false), "674b8bbfcf"], [34, coredns("v1.12.1", true), "66bc5c9577"],
] as const;
for (const [minor, template, hash] of seen)
  test(`the hash of ${template.spec.containers[0]!.name} under 1.${minor} is the one seen on real clusters, ${hash}`, () => {
    assert.equal(podTemplateHash(template, undefined, structsOf(minor)), hash);
  });

test("a collision count changes the hash, and 0 is not the same as none", () => {
  const hashes = [undefined, 0, 1].map(count => podTemplateHash(nginx, count));
  assert.equal(new Set(hashes).size, 3);
  assert.equal(hashes[0], "7f8fbb96d");
});
