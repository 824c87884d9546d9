/** What label keys and values may be, with upstream's texts (apimachinery pkg/api/validate/content/kube.go). All patterns are linear. */
const labelKey = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const subdomain = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const keyText = `must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${labelKey}')`;
const valueText = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(${labelKey})?')`;
const subdomainText = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${subdomain}')`;

const bytesOf = (text: string): number => (/^[\x00-\x7f]*$/.test(text) ? text.length : new TextEncoder().encode(text).length);
// Every label of every write passes here: one pass, no pattern that could backtrack, nothing allocated.
const none: readonly string[] = [];
const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isLower = (code: number): boolean => code >= 97 && code <= 122;
const isUpper = (code: number): boolean => code >= 65 && code <= 90;
const isAlphanumeric = (code: number): boolean => isLower(code) || isDigit(code) || isUpper(code);

/** Letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit. */
function isName(text: string): boolean {
  const last = text.length - 1;
  if (last < 0 || !isAlphanumeric(text.charCodeAt(0)) || !isAlphanumeric(text.charCodeAt(last))) return false;
  for (let i = 1; i < last; i++) {
    const code = text.charCodeAt(i);
    if (!isAlphanumeric(code) && code !== 45 && code !== 46 && code !== 95) return false;
  }
  return true;
}

/** Lower-case letters, digits and `-`, which neither begins nor ends it. */
export function isDnsLabel(text: string, from = 0, to = text.length): boolean {
  if (from >= to || text.charCodeAt(from) === 45 || text.charCodeAt(to - 1) === 45) return false;
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i);
    if (!isLower(code) && !isDigit(code) && code !== 45) return false;
  }
  return true;
}

/** DNS labels with dots between them. */
export function isDnsSubdomain(text: string): boolean {
  let from = 0;
  for (let dot = text.indexOf("."); dot >= 0; dot = text.indexOf(".", from)) {
    if (!isDnsLabel(text, from, dot)) return false;
    from = dot + 1;
  }
  return isDnsLabel(text, from);
}

/** Why `key` is no label key (upstream's qualified name); empty when it is one. */
export function labelKeyProblems(key: string): readonly string[] {
  if (key.length <= 63 && isName(key)) return none;
  const parts = key.split("/");
  if (parts.length > 2) return [`a valid label key ${keyText} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  const name = parts[parts.length - 1]!;
  const problems: string[] = [];
  if (parts.length === 2) {
    const prefix = parts[0]!;
    if (prefix === "") problems.push("prefix part must be non-empty");
    else {
      if (bytesOf(prefix) > 253) problems.push("prefix part must be no more than 253 bytes");
      if (!isDnsSubdomain(prefix)) problems.push(`prefix part ${subdomainText}`);
    }
  }
  if (name === "") problems.push("name part must be non-empty");
  else if (bytesOf(name) > 63) problems.push("name part must be no more than 63 bytes");
  if (!isName(name)) problems.push(`name part ${keyText}`);
  return problems;
}

/** Why `value` is no label value; empty when it is one. */
export function labelValueProblems(value: string): readonly string[] {
  if (value === "" || (value.length <= 63 && isName(value))) return none;
  const problems: string[] = [];
  if (bytesOf(value) > 63) problems.push("must be no more than 63 bytes");
  if (value !== "" && !isName(value)) problems.push(valueText);
  return problems;
}
