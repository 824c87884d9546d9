/** A question to the authorizers as the spec of a SubjectAccessReview. */
import type { Json, JsonObject } from "../../../base/json.ts";
import { parseFieldSelector, parseLabelSelector, SelectorError } from "../../../base/selector.ts";
import type { RequestAttributes, User } from "../../context.ts";

/** What is empty is left out; fields and keys are in Go's order, so that the same question is the same text. */
export function specOf({ name, uid, groups, extra }: User, attributes: RequestAttributes): JsonObject {
  const { verb, group, version, resource, subresource, namespace, path } = attributes;
  const asked: JsonObject = attributes.resourceRequest
    ? { resourceAttributes: { ...filled({ namespace, verb, group, version, resource, subresource, name: attributes.name }), ...selectors(attributes) } }
    : { nonResourceAttributes: filled({ path, verb }) };
  const keys = Object.keys(extra).sort();
  return {
    ...asked, ...(name === "" ? {} : { user: name }), ...(groups.length === 0 ? {} : { groups: [...groups] }),
    ...(keys.length === 0 ? {} : { extra: Object.fromEntries(keys.map(key => [key, [...extra[key]!]])) }), ...(uid === "" ? {} : { uid }),
  };
}

/** The same as conditions see it: texts are there even if they are empty. */
export function spacedSpec(spec: JsonObject, { name, uid, groups, extra }: User): JsonObject {
  const { resourceAttributes: of, nonResourceAttributes: path } = spec as { readonly [key: string]: JsonObject };
  return {
    user: name, groups: [...groups], uid, extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])),
    ...(of === undefined ? {} : { resourceAttributes: { namespace: "", verb: "", group: "", version: "", resource: "", subresource: "", name: "", ...of } }),
    ...(path === undefined ? {} : { nonResourceAttributes: { verb: "", path: "", ...path } }),
  };
}

const filled = (texts: { readonly [name: string]: string }): { readonly [name: string]: string } => Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ""));

/** A selector that cannot be read asks for everything, which is more. */
function selectors({ fieldSelector = "", labelSelector = "" }: RequestAttributes): { readonly [name: string]: JsonObject } {
  const fields = terms(() => parseFieldSelector(fieldSelector).map(({ field, operator, value }) => ({ key: field, operator: operator === "=" ? "In" : "NotIn", values: [value] })));
  const labels = terms(() => parseLabelSelector(labelSelector).requirements.flatMap(({ key, operator, values }) => {
    const named = operatorNames.get(operator);
    return named === undefined ? [] : [{ key, operator: named, ...(values.length === 0 ? {} : { values: [...values] }) }];
  }));
  return { ...(fields.length === 0 ? {} : { fieldSelector: { requirements: fields } }), ...(labels.length === 0 ? {} : { labelSelector: { requirements: labels } }) };
}

const operatorNames: ReadonlyMap<string, string> = new Map([["in", "In"], ["=", "In"], ["==", "In"], ["notin", "NotIn"], ["!=", "NotIn"], ["exists", "Exists"], ["!", "DoesNotExist"]]);

function terms(read: () => readonly Json[]): readonly Json[] {
  try {
    return read();
  } catch (error) {
    if (error instanceof SelectorError) return [];
    throw error;
  }
}
