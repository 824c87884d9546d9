/** Why an object is refused: upstream's field.Error (apimachinery pkg/util/validation/field/errors.go) and the Status made of several. */
import { ApiError } from "../base/api-error.ts";
import { stringifyJson } from "../base/json-codec.ts";

const texts = {
  Required: "Required value", Invalid: "Invalid value", NotSupported: "Unsupported value", Duplicate: "Duplicate value", Forbidden: "Forbidden",
  TooLong: "Too long", TooShort: "Too short", TooMany: "Too many", TooFew: "Too few", TypeInvalid: "Invalid value", NotFound: "Not found", InternalError: "Internal error",
} as const;
/** One reason why an object is refused. */
export type Problem = {
  readonly field: string;
  readonly reason: keyof typeof texts;
  /** Absent: upstream leaves the value out of the text. */
  readonly value?: unknown;
  readonly detail: string;
};

/** The text without the field's name. */
export function problemBody(problem: Problem): string {
  const shown = !("value" in problem) || ["Required", "Forbidden", "TooLong", "TooShort", "InternalError"].includes(problem.reason) ? "" : `: ${shownValue(problem.value)}`;
  return `${texts[problem.reason]}${shown}${problem.detail === "" ? "" : `: ${problem.detail}`}`;
}
function shownValue(value: unknown): string {
  if (typeof value === "string") return goQuote(value);
  return value === undefined ? "null" : goEscaped(stringifyJson(value));
}
/** A text of a named type is shown as JSON, others as %q. */
export const typed = (text: string): unknown => Object(text);
/** Go's %q: JSON's quoting with Go's escapes for control characters and for what has no shape. */
export function goQuote(text: string): string {
  const quoted = JSON.stringify(text.toWellFormed());
  return /^[ -~]*$/.test(quoted) && !quoted.includes("\\u") ? quoted : quoted.replace(/\\(?:\\|u00([01][0-9a-f]))/g, (all, hex?: string) => (hex === undefined ? all : hex === "07" ? "\\a" : hex === "0b" ? "\\v" : `\\x${hex}`)).replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, each => {
    const code = each.codePointAt(0)!;
    return code === 0x7f ? "\\x7f" : code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}
/** What Go's JSON escapes besides. */
export const goEscaped = (json: string): string => json.replace(/[<>&\u2028\u2029]/g, each => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** Several in one text. Identical messages are told once, as upstream's aggregate does. */
export function aggregated(problems: readonly Problem[]): string {
  const messages = [...new Set(problems.map(problem => `${problem.field}: ${problemBody(problem)}`))];
  return messages.length === 1 ? messages[0]! : `[${messages.join(", ")}]`;
}

/** The 422 answer. */
export function invalid(kind: { readonly group: string; readonly kind: string }, name: string, problems: readonly Problem[]): ApiError {
  const all = aggregated(problems);
  const qualified = kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`;
  return new ApiError("Invalid", `${qualified} ${goQuote(name)} is invalid: ${all}`, {
    ...(name === "" ? {} : { name }), ...(kind.group === "" ? {} : { group: kind.group }), ...(kind.kind === "" ? {} : { kind: kind.kind }),
    causes: problems.map(problem => ({ reason: problem.reason === "InternalError" ? "InternalError" : `FieldValue${problem.reason}`, message: problemBody(problem), field: problem.field })),
  });
}

export const required = (field: string, detail = ""): Problem => ({ field, reason: "Required", detail });
export const invalidValue = (field: string, value: unknown, detail: string): Problem => ({ field, reason: "Invalid", value, detail });
export const forbidden = (field: string, detail: string): Problem => ({ field, reason: "Forbidden", detail });
/** A map as Go's JSON has it: in the order of its keys. */
export const goMap = <V>(map: { readonly [key: string]: V } | undefined): { readonly [key: string]: V } | null => (map === undefined ? null : Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1))));
export const duplicate = (field: string, value: unknown): Problem => ({ field, reason: "Duplicate", value, detail: "" });
export const notFound = (field: string, value: unknown): Problem => ({ field, reason: "NotFound", value, detail: "" });
export const notSupported = (field: string, value: unknown, supported: readonly string[]): Problem => ({ field, reason: "NotSupported", value, detail: supported.length === 0 ? "" : `supported values: ${supported.map(goQuote).join(", ")}` });
export const tooLong = (field: string, max: number): Problem => ({ field, reason: "TooLong", detail: max < 0 ? "value is too long" : `may not be more than ${max} bytes` });
export const tooMany = (field: string, actual: number, max: number): Problem => ({ field, reason: "TooMany", value: actual, detail: max === 0 ? `must have at most ${max} items` : `must have at most ${max} item${max === 1 ? "" : "s"}` });
