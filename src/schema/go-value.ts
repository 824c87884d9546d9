/**
 * Values of structs in messages: upstream prints its internal types, which have no JSON tags, so fields have Go's names, stand in the order of their declaration and
 * are all there. Types of meta/v1 have tags and look as ever. Also what upstream shows of two such values: a unified diff of their JSON (apimachinery pkg/util/diff).
 */
import { isObject } from "../base/json.ts";
import { goEscaped } from "./problem.ts";
import { unifiedDiff } from "./unified-diff.ts";
import type { Node } from "./t.ts";

const comparisonsMax = 4_000_000;
const container = "Name,Image,Command,Args,WorkingDir,Ports,EnvFrom,Env,Resources,ResizePolicy,RestartPolicy,RestartPolicyRules,VolumeMounts,VolumeDevices,LivenessProbe,ReadinessProbe,StartupProbe,Lifecycle,TerminationMessagePath,TerminationMessagePolicy,ImagePullPolicy,SecurityContext,Stdin,StdinOnce,TTY";
/** Fields of internal structs in their order, where it is not that of the protobuf numbers (kubernetes pkg/apis/<group>/types.go); by the last word of the definition. */
const orders: { readonly [name: string]: string } = {
  PodSpec: "Volumes,InitContainers,Containers,EphemeralContainers,RestartPolicy,TerminationGracePeriodSeconds,ActiveDeadlineSeconds,DNSPolicy,NodeSelector,ServiceAccountName,AutomountServiceAccountToken,NodeName,SecurityContext,ImagePullSecrets,Hostname,Subdomain,SetHostnameAsFQDN,Affinity,SchedulerName,Tolerations,HostAliases,PriorityClassName,Priority,PreemptionPolicy,DNSConfig,ReadinessGates,RuntimeClassName,Overhead,EnableServiceLinks,TopologySpreadConstraints,OS,SchedulingGates,ResourceClaims,Resources,HostnameOverride,SchedulingGroup",
  PodSecurityContext: "HostNetwork,HostPID,HostIPC,ShareProcessNamespace,HostUsers,SELinuxOptions,WindowsOptions,RunAsUser,RunAsGroup,RunAsNonRoot,SupplementalGroups,SupplementalGroupsPolicy,FSGroup,FSGroupChangePolicy,Sysctls,SeccompProfile,AppArmorProfile,SELinuxChangePolicy",
  Container: container, EphemeralContainer: `${container},TargetContainerName`,
  Probe: "Exec,HTTPGet,TCPSocket,GRPC,InitialDelaySeconds,TimeoutSeconds,PeriodSeconds,SuccessThreshold,FailureThreshold,TerminationGracePeriodSeconds",
  SecurityContext: "Capabilities,Privileged,SELinuxOptions,WindowsOptions,RunAsUser,RunAsGroup,RunAsNonRoot,ReadOnlyRootFilesystem,AllowPrivilegeEscalation,ProcMount,SeccompProfile,AppArmorProfile",
  WindowsSecurityContextOptions: "GMSACredentialSpecName,GMSACredentialSpec,RunAsUserName,HostProcess", VolumeMount: "Name,ReadOnly,RecursiveReadOnly,MountPath,SubPath,MountPropagation,SubPathExpr",
  Volume: "Name,HostPath,EmptyDir,GCEPersistentDisk,AWSElasticBlockStore,GitRepo,Secret,NFS,ISCSI,Glusterfs,PersistentVolumeClaim,RBD,Quobyte,FlexVolume,Cinder,CephFS,Flocker,DownwardAPI,FC,AzureFile,ConfigMap,VsphereVolume,AzureDisk,PhotonPersistentDisk,Projected,PortworxVolume,ScaleIO,StorageOS,CSI,Ephemeral,Image",
  PersistentVolumeSpec: "GCEPersistentDisk,AWSElasticBlockStore,HostPath,Glusterfs,NFS,RBD,Quobyte,ISCSI,FlexVolume,Cinder,CephFS,FC,Flocker,AzureFile,VsphereVolume,AzureDisk,PhotonPersistentDisk,PortworxVolume,ScaleIO,Local,StorageOS,CSI",
  PersistentVolumeClaimSpec: "AccessModes,Selector,Resources,VolumeName,StorageClassName,VolumeMode,DataSource,DataSourceRef,VolumeAttributesClassName",
  RBDVolumeSource: "CephMonitors,RBDImage,FSType,RBDPool,RadosUser,Keyring,SecretRef,ReadOnly", RBDPersistentVolumeSource: "CephMonitors,RBDImage,FSType,RBDPool,RadosUser,Keyring,SecretRef,ReadOnly",
  DeviceClaimConfiguration: "Requests,Opaque", HPAScalingRules: "StabilizationWindowSeconds,SelectPolicy,Policies,Tolerance", NonResourceAttributes: "Path,Verb",
  ServicePort: "Name,Protocol,AppProtocol,Port,TargetPort,NodePort", CertificateSigningRequestCondition: "Type,Status,Reason,Message,LastUpdateTime,LastTransitionTime",
  CustomResourceDefinitionVersion: "Name,Served,Storage,Deprecated,DeprecationWarning,Schema,Subresources,AdditionalPrinterColumns,SelectableFields",
};
/** Where the internal name is another. */
const names: { readonly [json: string]: string } = {
  gmsaCredentialSpecName: "GMSACredentialSpecName", gmsaCredentialSpec: "GMSACredentialSpec", cephfs: "CephFS", storageos: "StorageOS", diskURI: "DataDiskURI", wwids: "WWIDs", pdName: "PDName", endpoints: "EndpointsName",
  iqn: "IQN", chapAuthDiscovery: "DiscoveryCHAPAuth", chapAuthSession: "SessionCHAPAuth", sslEnabled: "SSLEnabled", ttlSecondsAfterFinished: "TTLSecondsAfterFinished", externalID: "DoNotUseExternalID", caBundle: "CABundle",
};
const rbd: { readonly [json: string]: string } = { monitors: "CephMonitors", image: "RBDImage", pool: "RBDPool", user: "RadosUser" };
/** Words that Go writes in capitals at the beginning of a name. */
const initials = /^(?:api|aws|cel|cidr|csi|dns|fc|fs|gce|grpc|http|id|ip|iscsi|nfs|os|pid|rbd|se|tcp|tls|tty|uid|url)(?=s?$|[A-Z])/;
const goName = (name: string): string => names[name] ?? (initials.test(name) ? name.replace(initials, word => word.toUpperCase()) : name.slice(0, 1).toUpperCase() + name.slice(1));
/** Of a pod's spec, but of its security context in the internal type. */
const hosts = ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers"];

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1.";
const byNumber = (node: Node) => Object.entries(node.fields ?? {}).sort(([, a], [, b]) => (a.pb ?? 0) - (b.pb ?? 0));
/** With its fields as Go declares them. */
function inOrder(node: Node, value: unknown): unknown {
  if (node.kind === "list") return (value as readonly unknown[]).map(each => inOrder(node.items!, each));
  if (node.kind !== "object" || !isObject(value as never)) return value;
  return Object.fromEntries(byNumber(node).flatMap(([name, field]) => { const given = (value as { readonly [name: string]: unknown })[name]; return given === undefined ? [] : [[name, inOrder(field, given)]]; }));
}

/** `value` as upstream's internal type of `node`. */
export function goValue(node: Node, value: unknown): unknown {
  const { ref = "" } = node;
  if (ref.startsWith(meta) && value !== undefined) return inOrder(node, value);
  if (value === undefined) {
    if (node.pointer === true || node.kind === "list" || node.kind === "map" || node.kind === "any" || node.format === "byte" || node.format === "date-time" || node.format === "micro-time") return null;
    if (node.kind !== "object") return node.format === "quantity" ? "0" : node.kind === "string" && node.format !== "int-or-string" ? "" : node.kind === "boolean" ? false : 0;
    if (node.always !== "{}") return null;
  }
  // One that is never absent to us may not have been there.
  if (node.kind === "list" && node.always !== undefined && (value as readonly unknown[]).length === 0) return null;
  if (node.kind === "list") return (value as readonly unknown[]).map(each => goValue(node.items!, each));
  if (node.kind === "map") return Object.fromEntries(Object.entries(value as object).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => [key, goValue(node.items!, each)]));
  if (node.kind !== "object") return value;
  const given = isObject(value as never) ? (value as { readonly [name: string]: unknown }) : {};
  const short = ref.slice(ref.lastIndexOf(".") + 1), order = orders[short]?.split(",");
  const fields = byNumber(node).map(([name, field]) => ({ name, field, shown: (short.startsWith("RBD") ? rbd[name] : undefined) ?? goName(name), value: given[name] }));
  if (short === "PodSpec") {
    const context = fields.find(({ name }) => name === "securityContext")!, moved = fields.filter(({ name }) => hosts.includes(name));
    context.value = { ...(context.value as object | undefined), ...Object.fromEntries(moved.map(each => [each.name, each.value])) };
    context.field = { ...context.field, fields: { ...context.field.fields, ...Object.fromEntries(moved.map(each => [each.name, each.field])) } };
  }
  const listed = order === undefined ? fields : order.flatMap(shown => fields.find(each => each.shown === shown) ?? []);
  return Object.fromEntries(listed.flatMap(({ name, field, shown, value: each }) => (name === "metadata" ? Object.entries(each ?? {}) : [[shown, goValue(field, each)]])));
}

/** How upstream shows what is different. */
export function goDiff(node: Node, before: unknown, after: unknown): string {
  const text = (value: unknown): string => goEscaped(JSON.stringify(goValue(node, value), (_, each: unknown) => (Array.isArray(each) || typeof each !== "bigint" ? each : Number(each)), 1));
  const [a, b] = [text(before), text(after)];
  // Looking for runs takes the product of their lines at worst.
  return a.split("\n").length * b.split("\n").length > comparisonsMax ? "" : unifiedDiff(a, b);
}
