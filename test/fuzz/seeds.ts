/** Good objects to start from: what is mutated comes further than what is made up. */
import type { AnyKind } from "../../src/kinds/kind.ts";

type Seed = { readonly [name: string]: unknown };
const labels = { app: "web" };
const container = { name: "c", image: "busybox", ports: [{ containerPort: 80 }], env: [{ name: "A", value: "b" }], resources: { requests: { cpu: "100m" } } };
const template = { metadata: { labels }, spec: { containers: [container] } };
const selector = { matchLabels: labels };
const workload = { replicas: 2, selector, template };
const job = { template: { ...template, spec: { ...template.spec, restartPolicy: "Never" } } };
const subjects = [{ kind: "ServiceAccount", name: "default", namespace: "default" }, { kind: "User", name: "a", apiGroup: "rbac.authorization.k8s.io" }];
const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }];
const matching = { matchConstraints: { resourceRules: [{ apiGroups: ["", "apps"], apiVersions: ["*"], operations: ["CREATE", "UPDATE"], resources: ["configmaps", "deployments"] }] } };
// Nothing answers there: what a webhook says is made up by `postJson`.
const webhook = { name: "a.example.com", clientConfig: { url: "https://hook.example.com/a" }, rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["*"], resources: ["secrets", "services"] }], sideEffects: "None", admissionReviewVersions: ["v1"], failurePolicy: "Ignore" };
const claim = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };

const parts: { readonly [kind: string]: Seed } = {
  Pod: { spec: { ...template.spec, volumes: [{ name: "v", emptyDir: {} }], tolerations: [{ key: "k", operator: "Exists" }] } },
  Deployment: { spec: workload }, ReplicaSet: { spec: workload }, StatefulSet: { spec: workload }, DaemonSet: { spec: { selector, template } }, ReplicationController: { spec: { replicas: 1, selector: labels, template } }, PodTemplate: { template },
  Job: { spec: job }, CronJob: { spec: { schedule: "*/5 * * * *", jobTemplate: { spec: job } } },
  Service: { spec: { selector: labels, ports: [{ port: 80, targetPort: "http" }] } }, ConfigMap: { data: { a: "b" } }, Secret: { data: { a: "YQ==" }, type: "Opaque" }, Node: { spec: { taints: [{ key: "k", effect: "NoSchedule" }] } }, Namespace: {}, ServiceAccount: {},
  Ingress: { spec: { rules: [{ host: "a.b", http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "a", port: { number: 80 } } } }] } }] } }, IngressClass: { spec: { controller: "example.com/a" } },
  NetworkPolicy: { spec: { podSelector: selector, ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } }, { podSelector: selector }], ports: [{ port: 80, endPort: 90 }] }] } },
  Role: { rules }, ClusterRole: { rules, aggregationRule: { clusterRoleSelectors: [selector] } }, RoleBinding: { subjects, roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "a" } }, ClusterRoleBinding: { subjects, roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "a" } },
  Lease: { spec: { holderIdentity: "x", leaseDurationSeconds: 10 } }, EndpointSlice: { addressType: "IPv4", endpoints: [{ addresses: ["10.0.0.1"] }], ports: [{ port: 80 }] }, Endpoints: { subsets: [{ addresses: [{ ip: "10.0.0.1" }], ports: [{ port: 80 }] }] },
  HorizontalPodAutoscaler: { spec: { minReplicas: 1, maxReplicas: 3, scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "a" }, metrics: [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } }] } },
  PodDisruptionBudget: { spec: { minAvailable: "50%", selector } }, PersistentVolumeClaim: { spec: claim }, PersistentVolume: { spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/a" } } }, StorageClass: { provisioner: "a.example.com" }, VolumeAttachment: { spec: { attacher: "a", nodeName: "a", source: { persistentVolumeName: "a" } } },
  ResourceQuota: { spec: { hard: { pods: "100", "requests.cpu": "90" } } }, LimitRange: { spec: { limits: [{ type: "Container", default: { cpu: "1" }, defaultRequest: { cpu: "100m" } }] } }, PriorityClass: { value: 10 }, RuntimeClass: { handler: "runc" },
  Event: { involvedObject: { kind: "Pod", namespace: "default", name: "a" }, reason: "Made", message: "m", type: "Normal" }, ControllerRevision: { data: { a: 1 }, revision: 1 }, CertificateSigningRequest: { spec: { request: "YQ==", signerName: "example.com/a", usages: ["digital signature"] } },
  ValidatingAdmissionPolicy: { spec: { ...matching, validations: [{ expression: "!has(object.metadata.labels) || size(object.metadata.labels) < 50", messageExpression: "'no: ' + object.metadata.name" }], variables: [{ name: "n", expression: "object.metadata.name" }], matchConditions: [{ name: "m", expression: "request.operation != 'DELETE'" }] } },
  ValidatingAdmissionPolicyBinding: { spec: { policyName: "a", validationActions: ["Warn", "Audit"] } },
  ValidatingWebhookConfiguration: { webhooks: [webhook] }, MutatingWebhookConfiguration: { webhooks: [{ ...webhook, reinvocationPolicy: "IfNeeded" }] },
  TokenReview: { spec: { token: "a.b.c" } }, TokenRequest: { spec: { audiences: ["a"], expirationSeconds: 600 } }, SubjectAccessReview: { spec: { user: "a", resourceAttributes: { verb: "get", resource: "pods" } } }, SelfSubjectAccessReview: { spec: { nonResourceAttributes: { verb: "get", path: "/api" } } }, LocalSubjectAccessReview: { spec: { user: "a", resourceAttributes: { namespace: "default", verb: "get", resource: "pods" } } }, SelfSubjectRulesReview: { spec: { namespace: "default" } },
  Scale: { spec: { replicas: 3 } }, Binding: { target: { kind: "Node", name: "a" } }, Eviction: { deleteOptions: {} }, APIService: { spec: { group: "y.example.com", version: "v1", groupPriorityMinimum: 10, versionPriority: 10, service: { namespace: "default", name: "a" }, insecureSkipTLSVerify: true } },
  Kidget: { spec: { size: 3, name: "abc", port: "http", items: [{ name: "a", value: 1 }], free: { x: [1] } } },
};

export function seedOf(kind: AnyKind, name: string): Seed | undefined {
  if (kind.kind === "CustomResourceDefinition") return definition(name === "a" ? "widgets" : name === "b" ? "gadgets" : "others", name);
  return parts[kind.kind] && { metadata: { name, labels }, ...parts[kind.kind] };
}

/** A definition with what structural schemas have: defaults, pruning, lists by key, rules, patterns, columns, scale. */
export function definition(plural: string, kind: string): Seed {
  const spec = {
    type: "object", required: ["size"], "x-kubernetes-validations": [{ rule: "self.size < 50 && (!has(oldSelf.name) || self.name == oldSelf.name)", message: "no" }, { rule: "self.items.all(i, i.name.matches('^[a-z]*$'))" }],
    properties: {
      size: { type: "integer", minimum: 0, maximum: 9007199254740993n }, name: { type: "string", pattern: "^(a|b|c)*$", maxLength: 10, default: "abc" }, port: { "x-kubernetes-int-or-string": true }, free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
      items: { type: "array", maxItems: 5, default: [], items: { type: "object", required: ["name"], properties: { name: { type: "string", maxLength: 10 }, value: { type: "integer", nullable: true } } }, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] },
    },
  };
  return {
    metadata: { name: `${plural}.x.example.com` },
    spec: {
      group: "x.example.com", scope: "Namespaced", names: { plural, kind: `K${kind}` },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object", properties: { spec, status: { type: "object", properties: { replicas: { type: "integer" } } } } } }, subresources: { status: {}, scale: { specReplicasPath: ".spec.size", statusReplicasPath: ".status.replicas" } }, additionalPrinterColumns: [{ name: "Size", type: "integer", jsonPath: ".spec.size" }] }],
    },
  };
}
