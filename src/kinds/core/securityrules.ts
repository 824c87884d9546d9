/** Rules of security contexts (kubernetes pkg/apis/core/validation ValidateSecurityContext, validatePodSpecSecurityContext). */
import { dnsSubdomain, inclusiveRange } from "../../schema/grammar.ts";
import { forbidden, invalidValue, notSupported, type Problem, required } from "../../schema/problem.ts";
import type { PodSpec } from "./podspec.ts";
import type { SecurityContext } from "./security.ts";
import { descendingPath } from "./volumesourcerules.ts";

const idMax = 2 ** 31 - 1;
type Profile = { readonly type: string; readonly localhostProfile?: string | undefined };

function checkIds(context: { readonly [name: string]: unknown }, names: readonly string[], path: string, problems: Problem[]): void {
  for (const name of names) {
    const id = context[name];
    if (typeof id === "number" && (id < 0 || id > idMax) || typeof id === "bigint") problems.push(invalidValue(`${path}.${name}`, id, inclusiveRange(0, idMax)));
  }
}
function checkProfile(profile: Profile | undefined, path: string, problems: Problem[], descending: boolean): void {
  if (profile === undefined) return;
  if (profile.type === "") problems.push(required(`${path}.type`, descending ? "type is required when seccompProfile is set" : "type is required when appArmorProfile is set"));
  else if (!["Localhost", "RuntimeDefault", "Unconfined"].includes(profile.type)) problems.push(notSupported(`${path}.type`, profile.type, ["Localhost", "RuntimeDefault", "Unconfined"]));
  else if (profile.type === "Localhost") {
    if (profile.localhostProfile === undefined || (!descending && profile.localhostProfile === "")) problems.push(required(`${path}.localhostProfile`, descending ? "must be set when seccomp type is Localhost" : "must be set when AppArmor type is Localhost"));
    else if (descending) problems.push(...descendingPath(profile.localhostProfile, `${path}.localhostProfile`));
  }
  if (profile.localhostProfile !== undefined && (descending ? profile.type !== "Localhost" : profile.type === "RuntimeDefault" || profile.type === "Unconfined")) problems.push(descending ? invalidValue(`${path}.localhostProfile`, profile, "can only be set when seccomp type is Localhost") : invalidValue(`${path}.localhostProfile`, profile.localhostProfile, "can only be set when AppArmor type is Localhost"));
}

export function validateSecurityContext(context: SecurityContext, hostUsers: boolean, path: string): readonly Problem[] {
  const problems: Problem[] = [];
  checkIds(context, ["runAsUser", "runAsGroup"], path, problems);
  checkProfile(context.seccompProfile, `${path}.seccompProfile`, problems, true);
  checkProfile(context.appArmorProfile, `${path}.appArmorProfile`, problems, false);
  if (context.procMount === "Unmasked" && hostUsers) problems.push(invalidValue(`${path}.procMount`, context.procMount, "`hostUsers` must be false to use `Unmasked`"));
  problems.push(...validateWindowsOptions(context.windowsOptions, `${path}.windowsOptions`));
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged === true) problems.push(invalidValue(path, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"));
    if ((context.capabilities?.add ?? []).includes("CAP_SYS_ADMIN")) problems.push(invalidValue(path, context, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"));
  }
  return problems;
}

const podIds = ["fsGroup", "runAsUser", "runAsGroup"];
/** What is wrong with a pod's own context, and with what it shares with its node, goes to `problems`. */
export function validatePodSecurityContext(spec: PodSpec, path: string, problems: Problem[]): void {
  const context = spec.securityContext;
  const here = `${path}.securityContext`;
  checkIds(context, podIds, here, problems);
  context.supplementalGroups?.forEach((id, i) => { if (id < 0 || id > idMax) problems.push(invalidValue(`${here}.supplementalGroups[${i}]`, id, inclusiveRange(0, idMax))); });
  if (context.seccompProfile !== undefined) checkProfile(context.seccompProfile, `${here}.seccompProfile`, problems, true);
  if (context.appArmorProfile !== undefined) checkProfile(context.appArmorProfile, `${here}.appArmorProfile`, problems, false);
  if (context.windowsOptions !== undefined) problems.push(...validateWindowsOptions(context.windowsOptions, `${here}.windowsOptions`));
  if (usesWindowsOptions(spec)) problems.push(...validateWindowsUse(spec, path));
  const names = context.sysctls === undefined ? undefined : new Set<string>();
  context.sysctls?.forEach(({ name }, i) => {
    if (name === "") problems.push(required(`${here}.sysctls[${i}].name`));
    else if (name.length > 253 || !name.split(/[./]/).every(part => /^[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/.test(part))) problems.push(invalidValue(`${here}.sysctls[${i}].name`, name, "must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"));
    else if (spec.hostIPC === true && sharedByIpc(name)) problems.push(invalidValue(`${here}.sysctls[${i}].name`, name, "may not be specified when 'hostIPC' is true"));
    else if (spec.hostNetwork === true && name.replaceAll("/", ".").startsWith("net.")) problems.push(invalidValue(`${here}.sysctls[${i}].name`, name, "may not be specified when 'hostNetwork' is true"));
    else if (names!.has(name)) problems.push({ field: `${here}.sysctls[${i}].name`, reason: "Duplicate", value: name, detail: "" });
    names!.add(name);
  });
  if (spec.shareProcessNamespace === true && spec.hostPID === true) problems.push(invalidValue(`${here}.shareProcessNamespace`, true, "ShareProcessNamespace and HostPID cannot both be enabled"));
  if (context.seLinuxChangePolicy !== undefined && context.seLinuxChangePolicy !== "Recursive") problems.push(notSupported(`${here}.seLinuxChangePolicy`, context.seLinuxChangePolicy, ["Recursive"]));
  if (spec.hostUsers === false) {
    if (spec.hostNetwork === true) problems.push(forbidden(`${path}.hostNetwork`, "when `hostUsers` is false"));
    if (spec.hostPID === true) problems.push(forbidden(`${path}.HostPID`, "when `hostUsers` is false"));
    if (spec.hostIPC === true) problems.push(forbidden(`${path}.HostIPC`, "when `hostUsers` is false"));
  }
}
const sharedByIpc = (name: string): boolean => /^(kernel\.shm|kernel\.msg|kernel\.sem$|fs\.mqueue\.)/.test(name.replaceAll("/", "."));

type WindowsOptions = { readonly gmsaCredentialSpecName?: string | undefined; readonly gmsaCredentialSpec?: string | undefined; readonly runAsUserName?: string | undefined; readonly hostProcess?: boolean | undefined };
export function validateWindowsOptions(options: WindowsOptions | undefined, path: string): readonly Problem[] {
  if (options === undefined) return [];
  const problems: Problem[] = [];
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: text, runAsUserName: user } = options;
  if (name !== undefined) for (const detail of dnsSubdomain(name)) problems.push(invalidValue(`${path}.gmsaCredentialSpecName`, name, detail));
  if (text === "") problems.push(invalidValue(`${path}.gmsaCredentialSpec`, text, "gmsaCredentialSpec cannot be an empty string"));
  else if (text !== undefined && text.length > 64 * 1024) problems.push(invalidValue(`${path}.gmsaCredentialSpec`, text, "gmsaCredentialSpec size must be under 64 KiB"));
  if (user === "") problems.push(invalidValue(`${path}.runAsUserName`, user, "runAsUserName cannot be an empty string"));
  return problems;
}
type Contained = { readonly securityContext?: { readonly windowsOptions?: WindowsOptions | undefined } | undefined };
const usesWindows = ({ securityContext }: Contained): boolean => securityContext?.windowsOptions !== undefined;
const usesWindowsOptions = (spec: PodSpec): boolean => usesWindows(spec) || spec.containers.some(usesWindows) || spec.initContainers?.some(usesWindows) === true || spec.ephemeralContainers?.some(usesWindows) === true;
/** Windows options have no place in a pod that says it is for Linux; containers of the host come all or none. */
export function validateWindowsUse(spec: PodSpec, path: string): readonly Problem[] {
  const problems: Problem[] = [];
  const lists: readonly (readonly [string, readonly Contained[]])[] = [["initContainers", spec.initContainers ?? []], ["containers", spec.containers], ["ephemeralContainers", spec.ephemeralContainers ?? []]];
  const each = lists.flatMap(([list, containers]) => containers.map((container, i) => ({ path: `${path}.${list}[${i}].securityContext.windowsOptions`, options: container.securityContext?.windowsOptions })));
  if (spec.os?.name === "linux") {
    const text = "windows options cannot be set for a linux pod";
    if (spec.securityContext.windowsOptions !== undefined) problems.push(forbidden(`${path}.securityContext.windowsOptions`, text));
    for (const { path: here, options } of each) if (options !== undefined) problems.push(forbidden(here, text));
  }
  const whole = spec.securityContext.windowsOptions?.hostProcess;
  const count = each.filter(({ options }) => options?.hostProcess ?? whole === true).length;
  for (const { path: here, options } of each) if (whole !== undefined && options?.hostProcess !== undefined && options.hostProcess !== whole) problems.push(invalidValue(`${here}.hostProcess`, options.hostProcess, `pod hostProcess value must be identical if both are specified, was ${whole}`));
  if (count > 0 && count !== each.length) problems.push(invalidValue(path, "", "If pod contains any hostProcess containers then all containers must be HostProcess containers"));
  if (count > 0 && spec.hostNetwork !== true) problems.push(invalidValue(`${path}.hostNetwork`, false, "hostNetwork must be true if pod contains any hostProcess containers"));
  return problems;
}
