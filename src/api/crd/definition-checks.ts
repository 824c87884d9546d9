/** What of a definition is checked by reading values with its own schema: defaults and fields to select by (apiextensions pkg/apiserver/schema/defaulting/validation.go). */
import { isObject, sameJson } from "../../base/json.ts";
import { perVersion } from "../../kinds/apiextensions/crdrules.ts";
import { duplicate, invalidValue, type Problem, required, tooMany } from "../../schema/problem.ts";
import { normalPath } from "./rules-compile.ts";
import { prune, type Schema } from "./schema.ts";
import type { Validator } from "./validate.ts";

/** Defaults must be what the schema itself would let in, with nothing that it does not know. The schema is structural. */
export function defaultProblems(schema: Schema, path: string, validator: Validator): readonly Problem[] {
  const here = `${path}.default`, value = schema.default;
  // Quirk: what may be a number or a text has no type of its own, and its default is not looked at.
  const own = value === undefined || value === null || schema["x-kubernetes-int-or-string"] === true ? [] : [
    ...(sameJson(prune(schema, value, "", []), value) ? [] : [invalidValue(here, value, "must not have unknown fields")]),
    ...validator.validate(schema, value, undefined).map(problem => ({ ...problem, field: problem.field === "<nil>" ? here : `${here}${problem.field.startsWith("[") ? "" : "."}${problem.field}` })),
  ];
  const below: readonly (readonly [string, Schema | boolean | undefined])[] = [...Object.entries(schema.properties ?? {}).map(([name, each]) => [`properties[${name}]`, each] as const), ["items", schema.items], ["additionalProperties", schema.additionalProperties]];
  return [...own, ...below.flatMap(([name, each]) => (isObject(each) ? defaultProblems(each as Schema, `${path}.${name}`, validator) : []))];
}

/** Selectable fields of one version (MaxSelectableFields). */
const selectableMax = 8;
type Version = { readonly schema?: { readonly openAPIV3Schema?: Schema }; readonly selectableFields?: readonly { readonly jsonPath?: string }[] };

export function selectableProblems(versions: readonly Version[]): readonly Problem[] {
  return [...perVersion(versions, "selectableFields", (fields, path) => selectableOf(fields, versions.find(version => version.selectableFields === fields)?.schema?.openAPIV3Schema ?? {}, path))];
}
function selectableOf(fields: readonly { readonly jsonPath?: string }[], schema: Schema, path: string): readonly Problem[] {
  const problems: Problem[] = [], known = new Set<string>();
  for (const [i, { jsonPath = "" }] of fields.entries()) {
    const here = `${path}[${i}].jsonPath`;
    if (jsonPath === "") { problems.push(required(here)); continue; }
    const found = jsonPath.includes("[") && "path" in normalPath(jsonPath.slice(0, jsonPath.indexOf("[")), schema) ? { problem: "array notation is not allowed" } : normalPath(jsonPath, schema);
    if ("problem" in found) { problems.push(invalidValue(here, jsonPath, `is an invalid path: ${found.problem}`)); continue; }
    if (found.path.startsWith(".metadata")) problems.push(invalidValue(here, jsonPath, "must not point to fields in metadata"));
    if (!["string", "boolean", "integer"].includes(found.schema.type ?? "")) problems.push(invalidValue(here, jsonPath, "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed."));
    if (known.has(found.path)) problems.push(duplicate(here, jsonPath));
    known.add(found.path);
  }
  if (known.size > selectableMax) problems.push(tooMany(path, known.size, selectableMax));
  return problems;
}
