/** The selectors that access reviews may have (pkg/registry/authorization/util/helpers.go, pkg/apis/authorization/validation). */
import { escapeFieldValue, newRequirement, type Operator, parseFieldSelector, parseLabelSelector, Selector, SelectorError } from "../../base/selector.ts";
import { labelValue, qualifiedName } from "../../schema/grammar.ts";
import { forbidden, invalidValue, type Problem, required } from "../../schema/problem.ts";

type Requirement = { readonly key?: string; readonly operator?: string; readonly values?: readonly string[] };
type Given = { readonly rawSelector?: string; readonly requirements?: readonly Requirement[] };
type Attributes = { readonly fieldSelector?: Given; readonly labelSelector?: Given };

export function* selectorProblems({ fieldSelector, labelSelector }: Attributes, path: string): Iterable<Problem> {
  yield* givenProblems(fieldSelector, `${path}.fieldSelector`, ({ key = "" }, at) => (key === "" ? [required(`${at}.key`, "must be specified")] : []), () => []);
  yield* givenProblems(labelSelector, `${path}.labelSelector`, () => [], ({ key = "", values = [] }, at) => [
    ...qualifiedName(key).map(why => invalidValue(`${at}.key`, key, why)), ...values.flatMap((value, i) => labelValue(value).map(why => invalidValue(`${at}.values[${i}]`, value, why))),
  ]);
}

/** Operators that are not known are let through: newer clients may know more. */
function* givenProblems(given: Given | undefined, path: string, before: (each: Requirement, at: string) => readonly Problem[], after: (each: Requirement, at: string) => readonly Problem[]): Iterable<Problem> {
  if (given === undefined) return;
  const { rawSelector = "", requirements = [] } = given;
  if (rawSelector !== "" && requirements.length > 0) yield invalidValue(`${path}.rawSelector`, rawSelector, "may not specified at the same time as requirements");
  if (rawSelector === "" && requirements.length === 0) yield required(`${path}.requirements`, `when ${path} is specified, requirements or rawSelector is required`);
  for (const [i, each] of requirements.entries()) {
    const at = `${path}.requirements[${i}]`, { operator = "", values = [] } = each;
    yield* before(each, at);
    if ((operator === "In" || operator === "NotIn") && values.length === 0) yield required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
    if ((operator === "Exists" || operator === "DoesNotExist") && values.length > 0) yield forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    yield* after(each, at);
  }
}

/** The selectors as URLs have them. What cannot be read is left out, which asks for more, never for less; `errors` says so. */
export function selectorsOf({ fieldSelector, labelSelector }: Attributes): { readonly asked: { readonly fieldSelector?: string; readonly labelSelector?: string }; readonly errors: readonly string[] } {
  const fields = textOf(fieldSelector, parseFieldSelector, ({ key = "", operator, values = [] }) =>
    (values.length === 1 && (operator === "In" || operator === "NotIn") ? `${key}${operator === "In" ? "=" : "!="}${escapeFieldValue(values[0]!)}` : undefined));
  const labels = textOf(labelSelector, parseLabelSelector, ({ key = "", operator = "", values = [] }) => {
    const known = labelOperators.get(operator);
    return known === undefined ? undefined : attempt(() => new Selector([newRequirement(key, known, values)]).toString());
  });
  return {
    asked: { ...(fields.text === "" ? {} : { fieldSelector: fields.text }), ...(labels.text === "" ? {} : { labelSelector: labels.text }) },
    errors: [...problemOf("fieldSelector", fields), ...problemOf("labelSelector", labels)],
  };
}

const problemOf = (field: string, { text, failed }: Read): readonly string[] => (failed ? [`spec.resourceAttributes.${field} ${text === "" ? "" : "partially "}ignored due to parse error`] : []);

type Read = { readonly text: string; /** Something was left out. */ readonly failed: boolean };

function textOf({ rawSelector = "", requirements = [] }: Given = {}, check: (raw: string) => unknown, render: (each: Requirement) => string | undefined): Read {
  if (requirements.length > 0) {
    const known = requirements.map(render).filter(term => term !== undefined);
    return { text: known.join(","), failed: known.length < requirements.length };
  }
  return rawSelector === "" || attempt(() => check(rawSelector)) !== undefined ? { text: rawSelector, failed: false } : { text: "", failed: true };
}

const labelOperators: ReadonlyMap<string, Operator> = new Map<string, Operator>([["In", "in"], ["NotIn", "notin"], ["Exists", "exists"], ["DoesNotExist", "!"]]);

function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof SelectorError) return undefined;
    throw error;
  }
}
