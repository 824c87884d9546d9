/** Rules of security contexts (kubernetes pkg/apis/core/validation ValidateSecurityContext, validatePodSpecSecurityContext). */
import { inclusiveRange } from "../../schema/grammar.ts";
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
  else if (profile.type === "Localhost") {
    if (!profile.localhostProfile) problems.push(required(`${path}.localhostProfile`, descending ? "must be set when seccomp type is Localhost" : "must be set when AppArmor type is Localhost"));
    else if (descending) problems.push(...descendingPath(profile.localhostProfile, `${path}.localhostProfile`));
  } else if (profile.localhostProfile !== undefined) problems.push(descending ? invalidValue(`${path}.localhostProfile`, profile, "can only be set when seccomp type is Localhost") : invalidValue(`${path}.localhostProfile`, profile.localhostProfile, "can only be set when AppArmor type is Localhost"));
}

export function validateSecurityContext(context: SecurityContext, path: string): readonly Problem[] {
  const problems: Problem[] = [];
  checkIds(context, ["runAsUser", "runAsGroup"], path, problems);
  checkProfile(context.seccompProfile, `${path}.seccompProfile`, problems, true);
  checkProfile(context.appArmorProfile, `${path}.appArmorProfile`, problems, false);
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged === true) problems.push(invalidValue(path, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"));
    if ((context.capabilities?.add ?? []).some(name => name === "CAP_SYS_ADMIN" || name === "SYS_ADMIN")) problems.push(invalidValue(path, context, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"));
  }
  return problems;
}

export function validatePodSecurityContext(spec: PodSpec, path: string): readonly Problem[] {
  const context = spec.securityContext;
  const here = `${path}.securityContext`;
  const problems: Problem[] = [];
  checkIds(context, ["fsGroup", "runAsUser", "runAsGroup"], here, problems);
  (context.supplementalGroups ?? []).forEach((id, i) => { if (id < 0 || id > idMax) problems.push(invalidValue(`${here}.supplementalGroups[${i}]`, id, inclusiveRange(0, idMax))); });
  checkProfile(context.seccompProfile, `${here}.seccompProfile`, problems, true);
  checkProfile(context.appArmorProfile, `${here}.appArmorProfile`, problems, false);
  const names = new Set<string>();
  (context.sysctls ?? []).forEach(({ name }, i) => {
    if (name === "") problems.push(required(`${here}.sysctls[${i}].name`));
    else if (name.length > 253 || !name.split(/[./]/).every(part => /^[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/.test(part))) problems.push(invalidValue(`${here}.sysctls[${i}].name`, name, "must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"));
    else if (names.has(name)) problems.push({ field: `${here}.sysctls[${i}].name`, reason: "Duplicate", value: name, detail: "" });
    names.add(name);
  });
  if (spec.shareProcessNamespace === true && spec.hostPID === true) problems.push(invalidValue(`${path}.shareProcessNamespace`, true, "ShareProcessNamespace and HostPID cannot both be enabled"));
  if (context.seLinuxChangePolicy !== undefined && !["MountOption", "Recursive"].includes(context.seLinuxChangePolicy)) problems.push(notSupported(`${here}.seLinuxChangePolicy`, context.seLinuxChangePolicy, ["MountOption", "Recursive"]));
  if (spec.hostUsers === false) {
    if (spec.hostNetwork === true) problems.push(forbidden(`${path}.hostNetwork`, "when `hostUsers` is false"));
    if (spec.hostPID === true) problems.push(forbidden(`${path}.HostPID`, "when `hostUsers` is false"));
    if (spec.hostIPC === true) problems.push(forbidden(`${path}.HostIPC`, "when `hostUsers` is false"));
  }
  return problems;
}
