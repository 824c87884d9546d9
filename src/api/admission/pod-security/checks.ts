/** What each Pod Security Standard forbids, since which version, in upstream's words (k8s.io/pod-security-admission policy/check_*.go). */
import { podContainers } from "../../../kinds/core/podreferences.ts";

/** A pod's or a template's metadata and spec. */
export type Subject = { readonly metadata: any; readonly spec: any };
/** `undefined`: allowed. */
export type Finding = { readonly reason: string; readonly detail: string } | undefined;
type Judge = (subject: Subject) => Finding;
export type Check = {
  readonly id: string;
  readonly level: "baseline" | "restricted";
  /** By the minor version from which each holds, rising. */
  readonly versions: readonly (readonly [number, Judge])[];
  /** A baseline check that this one stands for, from its first version on. */
  readonly overrides?: string;
};

const quoted = (items: Iterable<string>): string => [...items].map(item => `"${item}"`).join(", ");
const sorted = (items: Iterable<string>): string[] => [...new Set(items)].sort();
const plural = (count: number, one: string, many = `${one}s`): string => (count === 1 ? one : many);
const named = (names: readonly string[]): string => `${plural(names.length, "container")} ${quoted(names)}`;
const containers = (spec: any): any[] => [...podContainers(spec)].map(({ container }) => container);
const isWindows = ({ spec }: Subject): boolean => spec.os?.name === "windows";
const unlessWindows = (judge: Judge): Judge => subject => (isWindows(subject) ? undefined : judge(subject));
/** In a user namespace of its own, root is not the host's root. */
const unlessUserNamespace = (judge: Judge): Judge => subject => (subject.spec.hostUsers === false ? undefined : judge(subject));

/** Containers of which something does not hold. */
function bad(spec: any, isBad: (container: any) => boolean): string[] {
  return containers(spec).filter(isBad).map(({ name }) => name);
}

/** The values of one security context field that are not allowed, and who sets them: `pod`, `container "a"`. */
function setters(spec: any, read: (context: any) => string | undefined, isAllowed: (value: string) => boolean): { readonly who: readonly string[]; readonly values: readonly string[] } {
  const values: string[] = [];
  const isBad = (context: any): boolean => {
    const value = context === undefined ? undefined : read(context);
    if (value === undefined || isAllowed(value)) return false;
    values.push(value);
    return true;
  };
  const pod = isBad(spec.securityContext);
  const names = bad(spec, ({ securityContext }) => isBad(securityContext));
  return { who: [...(pod ? ["pod"] : []), ...(names.length > 0 ? [named(names)] : [])], values: sorted(values) };
}

const allowPrivilegeEscalation: Judge = ({ spec }) => {
  const names = bad(spec, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
  return names.length === 0 ? undefined : { reason: "allowPrivilegeEscalation != false", detail: `${named(names)} must set securityContext.allowPrivilegeEscalation=false` };
};

const appArmorProfile: Judge = ({ metadata, spec }) => {
  const { who, values } = setters(spec, context => context.appArmorProfile?.type, type => type === "RuntimeDefault" || type === "Localhost");
  const annotations = Object.entries<string>(metadata.annotations ?? {})
    .filter(([key, value]) => key.startsWith("container.apparmor.security.beta.kubernetes.io/") && value !== "" && value !== "runtime/default" && !value.startsWith("localhost/"))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`).sort();
  const all = [...values, ...annotations];
  const by = [...who, ...(annotations.length > 0 ? [plural(annotations.length, "annotation")] : [])];
  return by.length === 0 ? undefined : { reason: plural(all.length, "forbidden AppArmor profile"), detail: `${by.join(" and ")} must not set AppArmor profile type to ${quoted(all)}` };
};

const defaultCapabilities: ReadonlySet<string> = new Set(["AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"]);
const added = ({ securityContext }: any): readonly string[] => securityContext?.capabilities?.add ?? [];
function addingBeyond(spec: any, allowed: ReadonlySet<string>): { readonly names: readonly string[]; readonly text: string } {
  const names = bad(spec, container => added(container).some(capability => !allowed.has(capability)));
  const values = sorted(containers(spec).flatMap(added).filter(capability => !allowed.has(capability)));
  return { names, text: `${named(names)} must not include ${quoted(values)} in securityContext.capabilities.add` };
}
const capabilitiesBaseline: Judge = ({ spec }) => {
  const { names, text } = addingBeyond(spec, defaultCapabilities);
  return names.length === 0 ? undefined : { reason: "non-default capabilities", detail: text };
};
const capabilitiesRestricted: Judge = ({ spec }) => {
  const keeping = bad(spec, ({ securityContext }) => !(securityContext?.capabilities?.drop ?? []).includes("ALL"));
  const adding = addingBeyond(spec, new Set(["NET_BIND_SERVICE"]));
  const details = [...(keeping.length > 0 ? [`${named(keeping)} must set securityContext.capabilities.drop=["ALL"]`] : []), ...(adding.names.length > 0 ? [adding.text] : [])];
  return details.length === 0 ? undefined : { reason: "unrestricted capabilities", detail: details.join("; ") };
};

const hostNamespaces: Judge = ({ spec }) => {
  const shared = ["hostNetwork", "hostPID", "hostIPC"].filter(field => spec[field] === true).map(field => `${field}=true`);
  return shared.length === 0 ? undefined : { reason: "host namespaces", detail: shared.join(", ") };
};

const hostPathVolumes: Judge = ({ spec }) => {
  const names = (spec.volumes ?? []).filter((volume: any) => volume.hostPath !== undefined).map((volume: any) => volume.name);
  return names.length === 0 ? undefined : { reason: "hostPath volumes", detail: `${plural(names.length, "volume")} ${quoted(names)}` };
};

const hostPorts: Judge = ({ spec }) => {
  const portsOf = ({ ports = [] }: any): string[] => ports.filter((port: any) => (port.hostPort ?? 0) !== 0).map((port: any) => String(port.hostPort));
  const names = bad(spec, container => portsOf(container).length > 0);
  const ports = sorted(containers(spec).flatMap(portsOf));
  return names.length === 0 ? undefined : { reason: "hostPort", detail: `${named(names)} ${plural(names.length, "uses", "use")} ${plural(ports.length, "hostPort")} ${ports.join(", ")}` };
};

const hostProbes: Judge = ({ spec }) => {
  const hostsOf = ({ livenessProbe, readinessProbe, startupProbe, lifecycle }: any): string[] =>
    [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop].flatMap(handler => [handler?.httpGet?.host ?? "", handler?.tcpSocket?.host ?? ""]).filter(host => host !== "");
  const names = sorted(bad(spec, container => hostsOf(container).length > 0));
  const hosts = sorted(containers(spec).flatMap(hostsOf));
  return names.length === 0 ? undefined : { reason: "probe or lifecycle host", detail: `${named(names)} ${plural(names.length, "uses", "use")} ${plural(hosts.length, "probe or lifecycle host")} ${quoted(hosts)}` };
};

const privileged: Judge = ({ spec }) => {
  const names = bad(spec, ({ securityContext }) => securityContext?.privileged === true);
  return names.length === 0 ? undefined : { reason: "privileged", detail: `${named(names)} must not set securityContext.privileged=true` };
};

const procMount: Judge = ({ spec }) => {
  const typeOf = ({ securityContext }: any): string => securityContext?.procMount ?? "Default";
  const names = bad(spec, container => typeOf(container) !== "Default");
  return names.length === 0 ? undefined : { reason: "procMount", detail: `${named(names)} must not set securityContext.procMount to ${quoted(sorted(containers(spec).map(typeOf).filter(type => type !== "Default")))}` };
};

const openVolumes: readonly string[] = ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret"];
const restrictedVolumes: Judge = ({ spec }) => {
  const closed = (spec.volumes ?? []).filter((volume: any) => !openVolumes.some(type => volume[type] !== undefined));
  const names = closed.map((volume: any) => volume.name);
  const types = sorted(closed.map((volume: any) => Object.keys(volume).find(field => field !== "name") ?? "unknown"));
  return names.length === 0 ? undefined
    : { reason: "restricted volume types", detail: `${plural(names.length, "volume")} ${quoted(names)} ${plural(names.length, "uses", "use")} ${plural(types.length, "restricted volume type")} ${quoted(types)}` };
};

const runAsNonRoot: Judge = ({ spec }) => {
  const { who } = setters(spec, context => (context.runAsNonRoot === undefined ? undefined : String(context.runAsNonRoot)), value => value === "true");
  if (who.length > 0) return { reason: "runAsNonRoot != true", detail: `${who.join(" and ")} must not set securityContext.runAsNonRoot=false` };
  if (spec.securityContext?.runAsNonRoot === true) return undefined;
  const names = bad(spec, ({ securityContext }) => securityContext?.runAsNonRoot === undefined);
  return names.length === 0 ? undefined : { reason: "runAsNonRoot != true", detail: `pod or ${named(names)} must set securityContext.runAsNonRoot=true` };
};

const runAsUser: Judge = ({ spec }) => {
  const { who } = setters(spec, context => (context.runAsUser === undefined ? undefined : String(context.runAsUser)), value => value !== "0");
  return who.length === 0 ? undefined : { reason: "runAsUser=0", detail: `${who.join(" and ")} must not set runAsUser=0` };
};

const seLinuxOptions = (...allowed: readonly string[]): Judge => ({ spec }) => {
  const types: string[] = [];
  let [user, role] = [false, false];
  const { who } = setters(spec, context => (context.seLinuxOptions === undefined ? undefined : JSON.stringify(context.seLinuxOptions)), text => {
    const options = JSON.parse(text);
    const badType = (options.type ?? "") !== "" && !allowed.includes(options.type);
    if (badType) types.push(options.type);
    user ||= (options.user ?? "") !== "";
    role ||= (options.role ?? "") !== "";
    return !badType && (options.user ?? "") === "" && (options.role ?? "") === "";
  });
  const values = sorted(types);
  const details = [...(values.length > 0 ? [`${plural(values.length, "type")} ${quoted(values)}`] : []), ...(user ? ["user may not be set"] : []), ...(role ? ["role may not be set"] : [])];
  return who.length === 0 ? undefined : { reason: "seLinuxOptions", detail: `${who.join(" and ")} set forbidden securityContext.seLinuxOptions: ${details.join("; ")}` };
};

const seccompAnnotations: Judge = ({ metadata, spec }) => {
  const keys = ["seccomp.security.alpha.kubernetes.io/pod", ...containers(spec).map(({ name }) => `container.seccomp.security.alpha.kubernetes.io/${name}`)];
  const isAllowed = (value: string): boolean => value === "runtime/default" || value === "docker/default" || value.startsWith("localhost/");
  const found = sorted(keys.flatMap(key => (metadata.annotations?.[key] === undefined || isAllowed(metadata.annotations[key]) ? [] : [`${key}=${JSON.stringify(metadata.annotations[key])}`])));
  return found.length === 0 ? undefined : { reason: "seccompProfile", detail: `forbidden ${plural(found.length, "annotation")} ${found.join(", ")}` };
};
const isSeccomp = (type: string): boolean => type === "RuntimeDefault" || type === "Localhost";
const seccompBaseline: Judge = ({ spec }) => {
  const { who, values } = setters(spec, context => context.seccompProfile?.type, isSeccomp);
  return who.length === 0 ? undefined : { reason: "seccompProfile", detail: `${who.join(" and ")} must not set securityContext.seccompProfile.type to ${quoted(values)}` };
};
const seccompRestricted: Judge = subject => {
  const found = seccompBaseline(subject);
  if (found !== undefined || subject.spec.securityContext?.seccompProfile !== undefined) return found;
  const names = bad(subject.spec, ({ securityContext }) => securityContext?.seccompProfile === undefined);
  return names.length === 0 ? undefined : { reason: "seccompProfile", detail: `pod or ${named(names)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"` };
};

const safe0 = ["kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start"];
const safe27 = [...safe0, "net.ipv4.ip_local_reserved_ports"];
const safe29 = [...safe27, "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes"];
const safe32 = [...safe29, "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"];
const sysctls = (safe: readonly string[]): Judge => ({ spec }) => {
  const names: string[] = (spec.securityContext?.sysctls ?? []).map((sysctl: any) => sysctl.name).filter((name: string) => !safe.includes(name));
  return names.length === 0 ? undefined : { reason: "forbidden sysctls", detail: names.join(", ") };
};

const windowsHostProcess: Judge = ({ spec }) => {
  const { who } = setters(spec, context => (context.windowsOptions?.hostProcess === true ? "true" : undefined), () => false);
  return who.length === 0 ? undefined : { reason: "hostProcess", detail: `${who.join(" and ")} must not set securityContext.windowsOptions.hostProcess=true` };
};

const seLinuxTypes = ["container_t", "container_init_t", "container_kvm_t"] as const;
const baseline = (id: string, ...versions: Check["versions"]): Check => ({ id, level: "baseline", versions });
const restricted = (id: string, versions: Check["versions"], overrides?: string): Check => ({ id, level: "restricted", versions, ...(overrides === undefined ? {} : { overrides }) });

/** In the order in which they are reported: baseline by id, then restricted by id. */
export const checks: readonly Check[] = [
  baseline("appArmorProfile", [0, appArmorProfile]),
  baseline("capabilities_baseline", [0, capabilitiesBaseline]),
  baseline("hostNamespaces", [0, hostNamespaces]),
  baseline("hostPathVolumes", [0, hostPathVolumes]),
  baseline("hostPorts", [0, hostPorts]),
  baseline("hostProbesAndHostLifecycle", [34, hostProbes]),
  baseline("privileged", [0, privileged]),
  baseline("procMount", [0, procMount], [35, unlessUserNamespace(procMount)]),
  baseline("seLinuxOptions", [0, seLinuxOptions(...seLinuxTypes)], [31, seLinuxOptions(...seLinuxTypes, "container_engine_t")]),
  baseline("seccompProfile_baseline", [0, seccompAnnotations], [19, seccompBaseline]),
  baseline("sysctls", [0, sysctls(safe0)], [27, sysctls(safe27)], [29, sysctls(safe29)], [32, sysctls(safe32)]),
  baseline("windowsHostProcess", [0, windowsHostProcess]),
  restricted("allowPrivilegeEscalation", [[8, allowPrivilegeEscalation], [25, unlessWindows(allowPrivilegeEscalation)]]),
  restricted("capabilities_restricted", [[22, capabilitiesRestricted], [25, unlessWindows(capabilitiesRestricted)]], "capabilities_baseline"),
  restricted("procMount_restricted", [[35, procMount]], "procMount"),
  restricted("restrictedVolumes", [[0, restrictedVolumes]], "hostPathVolumes"),
  restricted("runAsNonRoot", [[0, runAsNonRoot], [35, unlessUserNamespace(runAsNonRoot)]]),
  restricted("runAsUser", [[23, runAsUser], [35, unlessUserNamespace(runAsUser)]]),
  restricted("seccompProfile_restricted", [[19, seccompRestricted], [25, unlessWindows(seccompRestricted)]], "seccompProfile_baseline"),
];
