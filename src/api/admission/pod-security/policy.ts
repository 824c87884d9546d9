/** Which standard a namespace asks for, in which version and mode, and what a pod does against it (k8s.io/pod-security-admission api/helpers.go, policy/registry.go). */
import { checks, type Finding, type Subject } from "./checks.ts";

export type Level = "privileged" | "baseline" | "restricted";
/** `minor` undefined: the latest. */
export type Standard = { readonly level: Level; readonly minor: number | undefined };
export type Policy = { readonly enforce: Standard; readonly audit: Standard; readonly warn: Standard };
/** A label that cannot be read. */
export type BadLabel = { readonly label: string; readonly value: string; readonly detail: string };

const prefix = "pod-security.kubernetes.io/";
const levels: readonly Level[] = ["privileged", "baseline", "restricted"];

export const open: Standard = { level: "privileged", minor: undefined };
export const textOf = ({ level, minor }: Standard): string => `${level}:${minor === undefined ? "latest" : `v1.${minor}`}`;
export const compareLevels = (a: Level, b: Level): number => levels.indexOf(a) - levels.indexOf(b);

/** A namespace's policy. What cannot be read counts as the strictest to enforce, and as nothing to warn or audit. */
export function policyOf(labels: { readonly [label: string]: string } | undefined, defaults: Policy): { readonly policy: Policy; readonly bad: readonly BadLabel[] } {
  const bad: BadLabel[] = [];
  const read = (mode: keyof Policy, instead: Level): Standard & { readonly set: boolean; readonly versionSet: boolean; readonly valid: boolean } => {
    const [level, version] = [labels?.[prefix + mode], labels?.[`${prefix}${mode}-version`]];
    const valid = level === undefined || levels.includes(level as Level);
    if (!valid) bad.push({ label: prefix + mode, value: level!, detail: `must be one of ${levels.join(", ")}` });
    const minor = version === undefined ? defaults[mode].minor : minorOf(version);
    if (minor === "bad") bad.push({ label: `${prefix}${mode}-version`, value: version!, detail: 'must be "latest" or "v1.x"' });
    return { level: level === undefined ? defaults[mode].level : valid ? (level as Level) : instead, minor: minor === "bad" ? undefined : minor, set: level !== undefined, versionSet: version !== undefined, valid };
  };
  const [enforce, audit, warn] = [read("enforce", "restricted"), read("audit", "privileged"), read("warn", "privileged")];
  const follows = !warn.set && enforce.set && enforce.valid && compareLevels(enforce.level, warn.level) > 0;
  const plain = ({ level, minor }: Standard): Standard => ({ level, minor });
  return { policy: { enforce: plain(enforce), audit: plain(audit), warn: follows ? { level: enforce.level, minor: warn.versionSet ? warn.minor : enforce.minor } : plain(warn) }, bad };
}

function minorOf(version: string): number | undefined | "bad" {
  if (version === "latest") return undefined;
  const match = /^v1\.([0-9]|[1-9][0-9]{0,8})$/.exec(version);
  return match === null ? "bad" : Number(match[1]);
}

/** What the pod does that the standard forbids. */
export function evaluate({ level, minor = Infinity }: Standard, subject: Subject): readonly NonNullable<Finding>[] {
  if (level === "privileged") return [];
  const asked = checks.filter(check => check.level === "baseline" || level === "restricted");
  const holding = asked.flatMap(check => {
    const judge = check.versions.findLast(([from]) => from <= minor)?.[1];
    return judge === undefined ? [] : [{ check, judge }];
  });
  const overridden = new Set(holding.map(({ check }) => check.overrides));
  return holding.flatMap(({ check, judge }) => {
    const finding = overridden.has(check.id) ? undefined : judge(subject);
    return finding === undefined ? [] : [finding];
  });
}

/** `host namespaces (hostPID=true), privileged (container "a" must not …)` */
export function detailOf(findings: readonly NonNullable<Finding>[]): string {
  return findings.map(({ reason, detail }) => `${reason} (${detail})`).join(", ");
}
