/**
 * The named grammars of strings, with upstream's messages (apimachinery pkg/util/validation and pkg/api/validate/content).
 * Each answers why a value is refused; an empty list is a yes. The checks are linear: the patterns shown to users are not the ones run.
 */
import { isDnsLabel, isDnsSubdomain, labelKeyProblems, labelValueProblems } from "../base/label-grammar.ts";

export type Grammar = (value: string) => readonly string[];

const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomain = `${label}(\\.${label})*`;
const bytes = (text: string): number => {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    count += code < 0x80 ? 1 : code < 0x800 ? 2 : code >= 0xd800 && code <= 0xdfff ? 2 : 3;
  }
  return count;
};
/** Length in UTF-8, as Go's len(). */
export const byteLength = bytes;

export const maxLength = (length: number): string => `must be no more than ${length} characters`;
export const inclusiveRange = (low: number, high: number): string => `must be between ${low} and ${high}, inclusive`;
/** A message with examples and the pattern, as upstream's RegexError. */
export function patternMessage(message: string, pattern: string, ...examples: readonly string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${pattern}')`;
  return `${message} (e.g. ${examples.map(example => `'${example}', `).join(" or ")}regex used for validation is '${pattern}')`;
}

/** What every grammar says to a value that is right. */
const none: readonly string[] = [];

export function dnsLabel(value: string): readonly string[] {
  if (value.length <= 63 && isDnsLabel(value)) return none;
  const problems: string[] = [];
  if (bytes(value) > 63) problems.push(maxLength(63));
  if (!isDnsLabel(value)) {
    problems.push(isDnsSubdomain(value) ? "must not contain dots" : patternMessage("a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character", label, "my-name", "123-abc"));
  }
  return problems;
}
export function dnsSubdomain(value: string): readonly string[] {
  if (value.length <= 253 && isDnsSubdomain(value)) return none;
  const problems: string[] = [];
  if (bytes(value) > 253) problems.push(maxLength(253));
  if (!isDnsSubdomain(value)) problems.push(patternMessage("a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character", subdomain, "example.com"));
  return problems;
}
/** A subdomain whose labels may also start with and contain underscores. */
export function dnsSubdomainWithUnderscore(value: string): readonly string[] {
  const problems: string[] = [];
  if (bytes(value) > 253) problems.push(maxLength(253));
  const part = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
  if (!value.split(".").every(each => /^[-_a-z0-9]+$/.test(each) && /^_?[a-z0-9]/.test(each) && /[a-z0-9]$/.test(each))) problems.push(patternMessage("a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character", `${part}(\\.${part})*`, "example.com"));
  return problems;
}
export function dns1035Label(value: string): readonly string[] {
  const problems: string[] = [];
  if (bytes(value) > 63) problems.push(maxLength(63));
  if (!isDnsLabel(value) || !/^[a-z]/.test(value)) problems.push(patternMessage("a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character", "[a-z]([-a-z0-9]*[a-z0-9])?", "my-name", "abc-123"));
  return problems;
}
export function wildcardSubdomain(value: string): readonly string[] {
  const problems: string[] = [];
  if (bytes(value) > 253) problems.push(maxLength(253));
  if (!value.startsWith("*.") || !isDnsSubdomain(value.slice(2))) problems.push(patternMessage("a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character", `\\*\\.${subdomain}`, "*.example.com"));
  return problems;
}
/** What may stand in a path: upstream's path.ValidatePathSegmentName. */
export function pathSegment(value: string): readonly string[] {
  const problems: string[] = [];
  if (value === "." || value === "..") problems.push(`may not be '${value}'`);
  for (const illegal of ["/", "%"]) if (value.includes(illegal)) problems.push(`may not contain '${illegal}'`);
  return problems;
}
export function cIdentifier(value: string): readonly string[] {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(value) ? none : [patternMessage("a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'", "[A-Za-z_][A-Za-z0-9_]*", "my_name", "MY_NAME", "MyName")];
}
export function portName(value: string): readonly string[] {
  if (value.length <= 15 && isDnsLabel(value) && /[a-z]/.test(value) && !value.includes("--")) return none;
  const problems: string[] = [];
  if (bytes(value) > 15) problems.push(maxLength(15));
  if (!/^[-a-z0-9]+$/.test(value)) problems.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  if (!/[a-z]/.test(value)) problems.push("must contain at least one letter (a-z)");
  if (value.includes("--")) problems.push("must not contain consecutive hyphens");
  if (value.startsWith("-") || value.endsWith("-")) problems.push("must not begin or end with a hyphen");
  return problems;
}
/** A variable's name: anything printable in ASCII but `=` (upstream's relaxed rule, on since 1.34). */
export function envName(value: string): readonly string[] {
  if (value === "") return ["environment variable name must be non-empty"];
  return /^[\x20-\x3c\x3e-\x7e]+$/.test(value) ? none : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}
export function configMapKey(value: string): readonly string[] {
  const problems: string[] = [];
  if (bytes(value) > 253) problems.push(maxLength(253));
  if (!/^[-._a-zA-Z0-9]+$/.test(value)) problems.push(patternMessage("a valid config key must consist of alphanumeric characters, '-', '_' or '.'", "[-._a-zA-Z0-9]+", "key.name", "KEY_NAME", "key-name"));
  if (value === ".") problems.push("must not be '.'");
  else if (value === "..") problems.push("must not be '..'");
  else if (value.startsWith("..")) problems.push("must not start with '..'");
  return problems;
}
export function percent(value: string): readonly string[] {
  return /^[0-9]+%$/.test(value) ? none : [patternMessage("a valid percent string must be a numeric string followed by an ending '%'", "[0-9]+%", "1%", "93%")];
}
export function httpHeaderName(value: string): readonly string[] {
  return /^[-A-Za-z0-9]+$/.test(value) ? none : [patternMessage("a valid HTTP header must consist of alphanumeric characters or '-'", "[-A-Za-z0-9]+", "X-Header-Name")];
}
export const validPort = (port: number): readonly string[] => (port >= 1 && port <= 65535 ? none : [inclusiveRange(1, 65535)]);
export const qualifiedName: Grammar = labelKeyProblems;
export const labelValue: Grammar = labelValueProblems;

export const grammars: { readonly [name: string]: Grammar } = {
  "dns-1123-label": dnsLabel, "dns-1123-subdomain": dnsSubdomain, "dns-1035-label": dns1035Label, "path-segment": pathSegment,
  "qualified-name": qualifiedName, "label-value": labelValue, "c-identifier": cIdentifier, "config-map-key": configMapKey, "env-name": envName, "port-name": portName,
};
/** A name's grammar applied to a `generateName` prefix: its last dash will not be the last character (upstream's maskTrailingDash). */
export function prefixProblems(grammar: Grammar, prefix: string): readonly string[] {
  return grammar(prefix.length > 1 && prefix.endsWith("-") ? `${prefix.slice(0, -2)}a` : prefix);
}
