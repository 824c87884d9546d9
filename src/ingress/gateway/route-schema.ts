/** What HTTPRoute and GRPCRoute have in common: parents, backends, filters, status. */
import { conditions, gatewayGroup, group, kindField, list, listBy, namespaceField, number, object, objectName, oneOf, patterns, portField, rules, sectionName, text, type Condition, type Schema } from "./schema.ts";

export type ParentRef = { readonly group?: string; readonly kind?: string; readonly namespace?: string; readonly name: string; readonly sectionName?: string; readonly port?: number };
export type BackendRef = { readonly group?: string; readonly kind?: string; readonly name: string; readonly namespace?: string; readonly port?: number; readonly weight?: number; readonly filters?: readonly Filter[] };
export type HeaderModifier = { readonly set?: readonly { readonly name: string; readonly value: string }[]; readonly add?: readonly { readonly name: string; readonly value: string }[]; readonly remove?: readonly string[] };
export type PathModifier = { readonly type: "ReplaceFullPath" | "ReplacePrefixMatch"; readonly replaceFullPath?: string; readonly replacePrefixMatch?: string };
export type Filter = {
  readonly type: string;
  readonly requestHeaderModifier?: HeaderModifier;
  readonly responseHeaderModifier?: HeaderModifier;
  readonly requestMirror?: { readonly backendRef: Omit<BackendRef, "weight" | "filters">; readonly percent?: number; readonly fraction?: { readonly numerator: number; readonly denominator?: number } };
  readonly requestRedirect?: { readonly scheme?: string; readonly hostname?: string; readonly path?: PathModifier; readonly port?: number; readonly statusCode?: number };
  readonly urlRewrite?: { readonly hostname?: string; readonly path?: PathModifier };
  readonly extensionRef?: { readonly group: string; readonly kind: string; readonly name: string };
};
export type ValueMatch = { readonly type?: "Exact" | "RegularExpression"; readonly name: string; readonly value: string };
export type RouteParentStatus = { readonly parentRef: ParentRef; readonly controllerName: string; readonly conditions: readonly Condition[] };

/** Whether two parents are the same object, in CEL. */
const sameParent = "q.group == p.group && q.kind == p.kind && q.name == p.name && (has(p.__namespace__) ? p.__namespace__ : '') == (has(q.__namespace__) ? q.__namespace__ : '')";
const parentRef = (): Schema => object("A gateway, or one of its listeners.", {
  group: group(gatewayGroup), kind: kindField("Gateway"), name: objectName, namespace: namespaceField, port: portField("Only listeners of this port."), sectionName: sectionName("Only the listener of this name."),
}, ["name"]);
export const parentRefs: Schema = list("What it attaches itself to.", parentRef(), 32, rules(
  [`self.all(p, self.all(q, !(${sameParent}) || (has(p.sectionName) && p.sectionName != '') == (has(q.sectionName) && q.sectionName != '')))`, "sectionName must be specified when parentRefs includes 2 or more references to the same parent"],
  [`self.all(p, self.exists_one(q, ${sameParent} && (has(p.sectionName) ? p.sectionName : '') == (has(q.sectionName) ? q.sectionName : '')))`, "sectionName must be unique when parentRefs includes 2 or more references to the same parent"],
));

export const routeStatus: Schema = object("What controllers say of it.", {
  parents: { type: "array", description: "By parent and controller.", maxItems: 32, "x-kubernetes-list-type": "atomic", items: object("One parent.", {
    parentRef: parentRef(), controllerName: text("Who says it.", { minLength: 1, maxLength: 253, pattern: patterns.controller }), conditions: { ...conditions(), minItems: 1 },
  }, ["conditions", "controllerName", "parentRef"]) },
}, ["parents"]);

const servicePort = rules(["size(self.group) != 0 || self.kind != 'Service' || has(self.port)", "Must have port for Service reference"]);
const target = { group: group(""), kind: kindField("Service"), name: objectName, namespace: namespaceField, port: portField("Port of the service.") };
const header = object("A header.", { name: text("Its name.", { minLength: 1, maxLength: 256, pattern: patterns.headerName }), value: text("Its value.", { minLength: 1, maxLength: 4096 }) }, ["name", "value"]);
const headerModifier = (description: string): Schema => object(description, {
  set: list("Headers that replace what is there.", header, 16, listBy("name")), add: list("Headers that join what is there.", header, 16, listBy("name")),
  remove: { type: "array", description: "Headers that go.", maxItems: 16, items: { type: "string" }, "x-kubernetes-list-type": "set" },
});
const pathModifier = object("Another path.", {
  type: oneOf("What is replaced.", ["ReplaceFullPath", "ReplacePrefixMatch"]), replaceFullPath: text("All of it.", { maxLength: 1024 }), replacePrefixMatch: text("What the match's prefix took.", { maxLength: 1024 }),
}, ["type"], rules(
  ["self.type != 'ReplaceFullPath' || has(self.replaceFullPath)", "replaceFullPath must be specified when type is set to 'ReplaceFullPath'"],
  ["!has(self.replaceFullPath) || self.type == 'ReplaceFullPath'", "type must be 'ReplaceFullPath' when replaceFullPath is set"],
  ["self.type != 'ReplacePrefixMatch' || has(self.replacePrefixMatch)", "replacePrefixMatch must be specified when type is set to 'ReplacePrefixMatch'"],
  ["!has(self.replacePrefixMatch) || self.type == 'ReplacePrefixMatch'", "type must be 'ReplacePrefixMatch' when replacePrefixMatch is set"],
));
const name = text("Name in its place.", { minLength: 1, maxLength: 253, pattern: patterns.subdomain });
const filterFields: { readonly [type: string]: readonly [field: string, schema: Schema] } = {
  RequestHeaderModifier: ["requestHeaderModifier", headerModifier("Changes headers on their way to the backend.")],
  ResponseHeaderModifier: ["responseHeaderModifier", headerModifier("Changes headers on their way to the client.")],
  RequestMirror: ["requestMirror", object("Sends a copy elsewhere; its answer is thrown away.", {
    backendRef: object("Where to.", target, ["name"], servicePort), percent: number("Of a hundred requests.", 0, 100),
    fraction: object("A part of the requests.", { numerator: number("So many", 0, undefined), denominator: number("of these.", 1, undefined, { default: 100 }) }, ["numerator"], rules(["self.numerator <= self.denominator", "numerator must be less than or equal to denominator"])),
  }, ["backendRef"], rules(["!has(self.percent) || !has(self.fraction)", "Only one of percent or fraction may be specified in HTTPRequestMirrorFilter"]))],
  RequestRedirect: ["requestRedirect", object("Sends the client elsewhere.", {
    scheme: oneOf("http or https; as it was if absent.", ["http", "https"]), hostname: name, path: pathModifier, port: portField("Port in its place."),
    statusCode: { type: "integer", description: "Status of the answer.", enum: [301, 302], default: 302 },
  })],
  URLRewrite: ["urlRewrite", object("Changes name or path on the way to the backend.", { hostname: name, path: pathModifier })],
  ExtensionRef: ["extensionRef", object("A filter of the controller's own; this one has none.", { group: group(undefined), kind: kindField(undefined), name: objectName }, ["group", "kind", "name"])],
};
const once = (type: string): readonly [string, string] => [`self.filter(f, f.type == '${type}').size() <= 1`, `${type} filter cannot be repeated`];

/** Filters of these types, each with what belongs to it and nothing else. */
export function filters(types: readonly string[]): Schema {
  const fields = types.map(type => ({ type, field: filterFields[type]![0], schema: filterFields[type]![1] }));
  return list("What happens to the request and its answer.", object("One filter.", {
    type: oneOf("Which of the fields below is given.", types), ...Object.fromEntries(fields.map(({ field, schema }) => [field, schema])),
  }, ["type"], rules(...fields.flatMap(({ type, field }) => [
    [`!has(self.${field}) || self.type == '${type}'`, `filter.${field} must be nil if the filter.type is not ${type}`] as const,
    [`has(self.${field}) || self.type != '${type}'`, `filter.${field} must be specified for ${type} filter.type`] as const,
  ]))), 16, rules(
    ...types.includes("URLRewrite") ? [["!(self.exists(f, f.type == 'RequestRedirect') && self.exists(f, f.type == 'URLRewrite'))", "May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but not both"] as const] : [],
    ...["RequestHeaderModifier", "ResponseHeaderModifier", "RequestRedirect", "URLRewrite"].filter(type => types.includes(type)).map(once),
  ));
}

export const backendRefs = (types: readonly string[]): Schema => list("Where requests go, by weight.", object("A service.", {
  ...target, weight: number("Its share, in proportion to the others'.", 0, 1_000_000, { default: 1 }), filters: filters(types),
}, ["name"], servicePort), 16);

export const valueMatch = (description: string, valueMax: number): Schema => list(description, object("A name and what its value must be.", {
  name: text("The name.", { minLength: 1, maxLength: 256, pattern: patterns.headerName }), type: oneOf("Exact, or RegularExpression (RE2, the whole value).", ["Exact", "RegularExpression"], { default: "Exact" }), value: text("The value.", { minLength: 1, maxLength: valueMax }),
}, ["name", "value"]), 16, listBy("name"));

/** All matches of all rules together; `matches` may be absent where it has no default. */
export function matchesMax(mayBeAbsent: boolean): readonly [string, string] {
  const size = (i: number): string => `(self.size() > ${i} ? ${mayBeAbsent ? `(has(self[${i}].matches) ? self[${i}].matches.size() : 0)` : `self[${i}].matches.size()`} : 0)`;
  return [`${Array.from({ length: 16 }, (_, i) => size(i)).join(" + ")} <= 128`, "While 16 rules and 64 matches per rule are allowed, the total number of matches across all rules in a route must be less than 128"];
}
