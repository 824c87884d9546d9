/** What label keys and values may be, with upstream's texts (apimachinery pkg/api/validate/content/kube.go). All patterns are linear. */
const labelKey = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const subdomain = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const keyText = `must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${labelKey}')`;
const valueText = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(${labelKey})?')`;
const subdomainText = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${subdomain}')`;

const bytesOf = (text: string): number => (/^[\x00-\x7f]*$/.test(text) ? text.length : new TextEncoder().encode(text).length);
// Simpler than the texts' patterns and the same language, so that no input makes the engine backtrack.
const isName = (text: string): boolean => /^[A-Za-z0-9_.-]+$/.test(text) && /^[A-Za-z0-9]/.test(text) && /[A-Za-z0-9]$/.test(text);
const isSubdomain = (text: string): boolean => text.split(".").every(part => /^[a-z0-9-]+$/.test(part) && !part.startsWith("-") && !part.endsWith("-"));

/** Why `key` is no label key (upstream's qualified name); empty when it is one. */
export function labelKeyProblems(key: string): readonly string[] {
  const parts = key.split("/");
  if (parts.length > 2) return [`a valid label key ${keyText} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  const name = parts[parts.length - 1]!;
  const problems: string[] = [];
  if (parts.length === 2) {
    const prefix = parts[0]!;
    if (prefix === "") problems.push("prefix part must be non-empty");
    else {
      if (bytesOf(prefix) > 253) problems.push("prefix part must be no more than 253 bytes");
      if (!isSubdomain(prefix)) problems.push(`prefix part ${subdomainText}`);
    }
  }
  if (name === "") problems.push("name part must be non-empty");
  else if (bytesOf(name) > 63) problems.push("name part must be no more than 63 bytes");
  if (!isName(name)) problems.push(`name part ${keyText}`);
  return problems;
}

/** Why `value` is no label value; empty when it is one. */
export function labelValueProblems(value: string): readonly string[] {
  const problems: string[] = [];
  if (bytesOf(value) > 63) problems.push("must be no more than 63 bytes");
  if (value !== "" && !isName(value)) problems.push(valueText);
  return problems;
}
