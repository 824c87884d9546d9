import { backendRefs, filters, matchesMax, parentRefs, routeStatus, valueMatch, type BackendRef, type Filter, type ParentRef, type RouteParentStatus, type ValueMatch } from "./route-schema.ts";
import { ageColumn, declare, hostnames, list, object, oneOf, patterns, rules, sectionName, text } from "./schema.ts";

export type HTTPMatch = { readonly path?: { readonly type?: "Exact" | "PathPrefix" | "RegularExpression"; readonly value?: string }; readonly headers?: readonly ValueMatch[]; readonly queryParams?: readonly ValueMatch[]; readonly method?: string };
export type HTTPRule = { readonly name?: string; readonly matches?: readonly HTTPMatch[]; readonly filters?: readonly Filter[]; readonly backendRefs?: readonly BackendRef[]; readonly timeouts?: { readonly request?: string; readonly backendRequest?: string } };
export type HTTPRoute = { readonly spec: { readonly parentRefs?: readonly ParentRef[]; readonly hostnames?: readonly string[]; readonly rules?: readonly HTTPRule[] }; readonly status?: { readonly parents: readonly RouteParentStatus[] } };

const types = ["RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror", "RequestRedirect", "URLRewrite", "ExtensionRef"];
const anyPath = { path: { type: "PathPrefix", value: "/" } };
const plain = (holds: string, message: string): readonly [string, string] => [`!(self.type in ['Exact','PathPrefix']) || ${holds}`, message];
const not = (text: string): readonly [string, string] => plain(`!self.value.contains('${text}')`, `must not contain '${text}' when type one of ['Exact', 'PathPrefix']`);
const path = object("What the path must be.", {
  type: oneOf("Exact; PathPrefix, element by element; or RegularExpression (RE2, the whole path).", ["Exact", "PathPrefix", "RegularExpression"], { default: "PathPrefix" }),
  value: text("The path.", { maxLength: 1024, default: "/" }),
}, [], {
  default: anyPath.path, ...rules(
    plain("self.value.startsWith('/')", "value must be an absolute path and start with '/' when type one of ['Exact', 'PathPrefix']"),
    not("//"), not("/./"), not("/../"), not("%2f"), not("%2F"), not("#"),
    plain("!self.value.endsWith('/..')", "must not end with '/..' when type one of ['Exact', 'PathPrefix']"), plain("!self.value.endsWith('/.')", "must not end with '/.' when type one of ['Exact', 'PathPrefix']"),
    ["self.type in ['Exact','PathPrefix','RegularExpression']", "type must be one of ['Exact', 'PathPrefix', 'RegularExpression']"],
    plain("self.value.matches(r\"^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$\")", "must only contain valid characters (matching ^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$) for types ['Exact', 'PathPrefix']"),
  ),
});
const onePrefix = "(size(self.matches) == 1 && has(self.matches[0].path) && self.matches[0].path.type == 'PathPrefix')";
const replaces = (field: string): string => `f, has(f.${field}) && has(f.${field}.path) && f.${field}.path.type == 'ReplacePrefixMatch' && has(f.${field}.path.replacePrefixMatch)`;
const prefixRules = ["requestRedirect", "urlRewrite"].map((field, i) => [`!(has(self.filters) && self.filters.exists_one(${replaces(field)})) || ${onePrefix}`, `When using ${i === 0 ? "RequestRedirect" : "URLRewrite"} filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified`] as const);
const backendPrefixRules = ["requestRedirect", "urlRewrite"].map((field, i) => [`!(has(self.backendRefs) && self.backendRefs.exists_one(b, has(b.filters) && b.filters.exists_one(${replaces(field)}))) || ${onePrefix}`, `Within backendRefs, ${i === 0 ? "when using RequestRedirect" : "When using URLRewrite"} filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified`] as const);

const rule = object("Requests, and where they go.", {
  name: sectionName("Its name."),
  matches: list("Which requests: any of these.", object("All of these must hold.", {
    path, headers: valueMatch("What headers must be.", 4096), queryParams: valueMatch("What parameters must be.", 1024),
    method: oneOf("The method.", ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]),
  }), 64, { default: [anyPath] }),
  filters: filters(types),
  backendRefs: backendRefs(types),
  timeouts: object("How long it may take.", {
    request: text("From the request to the end of the answer; 0s: no limit.", { pattern: patterns.duration }), backendRequest: text("One try at a backend.", { pattern: patterns.duration }),
  }, [], rules(["!(has(self.request) && has(self.backendRequest) && duration(self.request) != duration('0s') && duration(self.backendRequest) > duration(self.request))", "backendRequest timeout cannot be longer than request timeout"])),
}, [], rules(
  ["!(has(self.backendRefs) && size(self.backendRefs) > 0) || !has(self.filters) || self.filters.all(f, !has(f.requestRedirect))", "RequestRedirect filter must not be used together with backendRefs"],
  ...prefixRules, ...backendPrefixRules,
));

export const httpRoutes = declare<HTTPRoute>({
  kind: "HTTPRoute", plural: "httproutes", namespaced: true, version: "v1", also: ["v1beta1"],
  doc: "Which HTTP requests of a gateway go where.",
  spec: object("Parents, names and rules.", { parentRefs, hostnames: hostnames("Names of the requests; those of the listener if empty."), rules: list("What happens to requests.", rule, 16, { default: [{ matches: [anyPath] }], ...rules(matchesMax(false)) }) }),
  isSpecRequired: true, status: routeStatus,
  columns: [{ name: "Hostnames", type: "string", jsonPath: ".spec.hostnames" }, ageColumn],
});
