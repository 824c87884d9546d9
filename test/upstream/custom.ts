/** One custom resource's schema at work, without a server: what is pruned, defaulted and refused. */
import { celWith } from "../../src/api/cel-library.ts";
import { kindOfDefinition } from "../../src/api/crd/kind.ts";
import { Validator } from "../../src/api/crd/validate.ts";
import type { AnyKind } from "../../src/kinds/kind.ts";
import type { CustomSchema } from "../../src/schema/t.ts";
import { DecodeError } from "../../src/schema/decode.ts";
import { problemBody } from "../../src/schema/problem.ts";
import { celHost, compilePattern } from "../../src/host/regex.ts";
import { countingRandom } from "../transcripts/harness.ts";

/** `errors` in any order, each once; `unknown`: paths of fields that went; `refused`: it is no object of its kind at all. */
export type Verdict = { readonly object?: any; readonly old?: any; readonly errors?: readonly string[]; readonly unknown?: readonly string[]; readonly content?: any; readonly refused?: true };

export function kindOf(definition: any): AnyKind {
  const cel = celWith(celHost);
  return kindOfDefinition(definition, new Validator(compilePattern), () => cel, { post: undefined, read: { get: () => undefined, list: () => [] }, random: countingRandom() });
}
export const customKind = (definition: any): Promise<CustomSchema> => Promise.resolve(kindOf(definition).schema.node.custom!);

/** Keys of objects in one order. */
export const ordered = (value: any): any => (Array.isArray(value) ? value.map(ordered) : value !== null && typeof value === "object" ? Object.fromEntries(Object.keys(value).sort().map(key => [key, ordered(value[key])])) : value);
export const sorted = ({ errors, unknown, content, refused }: Verdict): Verdict => (refused === true ? { refused } : {
  errors: [...new Set(errors)].sort(), ...(unknown === undefined ? {} : { unknown: [...new Set(unknown)].sort() }), ...(content === undefined ? {} : { content: ordered(content) }),
});

/** `brief`: only what is wrong. */
export function judged(custom: CustomSchema, object: any, old: any, brief: boolean): Verdict {
  const unknown: string[] = [];
  const read = (each: any, paths: string[]): any => {
    const decoded = custom.decode(each, false);
    paths.push(...decoded.unknown);
    custom.setDefaults(decoded.object);
    return decoded.object;
  };
  let next: any, previous: any;
  try {
    next = read(object, unknown);
    previous = old === undefined ? undefined : read(old, []);
  } catch (error) {
    if (error instanceof DecodeError) return { refused: true };
    throw error;
  }
  const problems = [...custom.validate(next, previous)];
  const steps = custom.rules(next, previous, problems);
  if (steps !== undefined) {
    while (!steps.step());
    problems.push(...steps.problems);
  }
  const { metadata: _, ...content } = next;
  return sorted({ errors: problems.map(problem => `${problem.field}: ${problemBody(problem)}`), ...(brief ? {} : { unknown, content }) });
}
