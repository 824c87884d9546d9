/** Named formats (apiserver pkg/cel/library/format.go). */
import { decodeBase64 } from "../../../base/base64.ts";
import { dns1035Label, dnsLabel, dnsSubdomain, type Grammar, labelValue, prefixProblems, qualifiedName } from "../../grammar.ts";
import { type Library, type Overload, global, member, traversal } from "../functions.ts";
import { parseTimestamp } from "../time.ts";
import { listOf, opaque, optionalOf, types } from "../types.ts";
import { Items, Opaque, Optional, none, sizeOf } from "../values.ts";
import { urlProblem } from "../url.ts";

class FormatValue extends Opaque {
  override readonly typeName = "kubernetes.NamedFormat";
  readonly name: string;
  readonly problems: Grammar;
  /** Length of a pattern that would do the same: what costs are reckoned by. */
  readonly regexSize: number;
  constructor(name: string, regexSize: number, problems: Grammar) {
    super();
    this.name = name;
    this.regexSize = regexSize;
    this.problems = problems;
  }
  equals(other: Opaque): boolean {
    return other instanceof FormatValue && other.name === this.name;
  }
}

const says = (text: string, valid: (value: string) => boolean): Grammar => value => (valid(value) ? [] : [text]);
const prefix = (grammar: Grammar): Grammar => value => prefixProblems(grammar, value);

const formats: ReadonlyMap<string, FormatValue> = new Map(([
  ["dns1123Label", 30, dnsLabel], ["dns1123Subdomain", 60, dnsSubdomain], ["dns1035Label", 30, dns1035Label], ["qualifiedName", 60, qualifiedName],
  ["dns1123LabelPrefix", 30, prefix(dnsLabel)], ["dns1123SubdomainPrefix", 60, prefix(dnsSubdomain)], ["dns1035LabelPrefix", 30, prefix(dns1035Label)], ["labelValue", 40, labelValue],
  ["uri", 1104, value => { const problem = urlProblem(value); return problem === undefined ? [] : [problem]; }],
  ["uuid", 72, says("does not match the UUID format", value => /^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$/.test(value))],
  ["byte", 84, says("invalid base64", value => /^[A-Za-z0-9+/]*={0,2}$/.test(value) && decodeBase64(value) !== undefined)],
  ["date", 72, says("invalid date", value => /^\d{4}-\d{2}-\d{2}$/.test(value) && parseTimestamp(`${value}T00:00:00Z`) !== undefined)],
  ["datetime", 72, says("invalid datetime", value => parseTimestamp(value.toUpperCase()) !== undefined)],
] as const satisfies readonly (readonly [string, number, Grammar])[]).map(([name, size, grammar]) => [name, new FormatValue(name, size, grammar)]));

const formatType = opaque("kubernetes.NamedFormat");
const cost: Overload["cost"] = ([format, text]) => traversal(1 + sizeOf(text!)) * Math.ceil((format as FormatValue).regexSize * 0.25);

export const formatLibrary: Library = new Map<string, readonly Overload[]>([
  ...Array.from(formats, ([name, format]): [string, readonly Overload[]] => [`format.${name}`, [global(`format.${name}`, [], formatType, () => format)]]),
  ["format.named", [global("format-named", [types.string], optionalOf(formatType), ([name]) => { const found = formats.get(name as string); return found === undefined ? none : new Optional(found); })]],
  ["validate", [member("format-validate", [formatType, types.string], optionalOf(listOf(types.string)), ([format, text]) => {
    const problems = (format as FormatValue).problems(text as string);
    return problems.length === 0 ? none : new Optional(new Items(problems));
  }, cost)]],
]);
