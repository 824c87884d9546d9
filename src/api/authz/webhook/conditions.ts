/** Which requests a webhook is asked about: CEL over a SubjectAccessReview's spec (apiserver pkg/authorization/cel). Loaded with the first condition that there is. */
import type { Json } from "../../../base/json.ts";
import { type Decl, listDecl, mapDecl, objectDecl, textDecl, valueOf } from "../../../schema/cel/data.ts";
import { type Program, compileExpression } from "../../../schema/cel/environment.ts";
import type { Host } from "../../../schema/cel/functions.ts";
import { types } from "../../../schema/cel/types.ts";
import { aggregate } from "../rbac.ts";

const text = textDecl(undefined, Number.MAX_SAFE_INTEGER), texts = listDecl(text, undefined, undefined);
/** Quirk: names stand as they are, reserved words too: `request.resourceAttributes.namespace`. */
const object = (name: string, fields: { readonly [name: string]: Decl }): Decl => ({
  ...objectDecl(name, new Map(Object.entries(fields)), new Set()),
  type: { kind: "object", name: `kubernetes.${name}`, fields: new Map(Object.entries(fields).map(([json, { type }]) => [json, { json, type }])) },
});
const requirements = listDecl(object("SelectorRequirement", { key: text, operator: text, values: texts }), undefined, undefined);
const requestDecl = object("SubjectAccessReviewSpec", {
  resourceAttributes: object("ResourceAttributes", {
    namespace: text, verb: text, group: text, version: text, resource: text, subresource: text, name: text,
    fieldSelector: object("FieldSelectorAttributes", { rawSelector: text, requirements }), labelSelector: object("LabelSelectorAttributes", { rawSelector: text, requirements }),
  }),
  nonResourceAttributes: object("NonResourceAttributes", { path: text, verb: text }),
  user: text, groups: texts, extra: mapDecl(texts, undefined), uid: text,
});

/** Why an expression is none. */
export function conditionProblem(expression: string, host: Host): string | undefined {
  const made = compile(expression, host);
  return made.ok ? undefined : made.message.startsWith("must evaluate") ? made.message : `compilation failed: ${made.message}`;
}

const compile = (expression: string, host: Host): ReturnType<typeof compileExpression> => compileExpression(expression, { variables: new Map([["request", requestDecl.type]]), wants: [types.bool], host });

/** Whether all hold for a spec in which every text is there; one that does not decides, what cannot be judged is an `error`. */
export function compileConditions(expressions: readonly string[], host: Host): (spec: Json) => boolean | { readonly error: string } {
  const programs = expressions.map((expression): { readonly expression: string; readonly program: Program } => {
    const made = compile(expression, host);
    if (!made.ok) throw new Error(`${expression}: ${made.message}`);
    return { expression, program: made.program };
  });
  return spec => {
    const bindings = new Map([["request", valueOf(requestDecl, spec)]]), errors: string[] = [];
    for (const { expression, program } of programs) {
      const outcome = program.evaluate(bindings);
      if (!outcome.ok) errors.push(`cel evaluation error: expression '${expression}' resulted in error: ${outcome.message}`);
      else if (outcome.value !== true) return false;
    }
    return errors.length === 0 ? true : { error: aggregate(errors) };
  };
}
