import { backendRefs, filters, matchesMax, parentRefs, routeStatus, valueMatch, type BackendRef, type Filter, type ParentRef, type RouteParentStatus, type ValueMatch } from "./route-schema.ts";
import { ageColumn, declare, hostnames, list, object, oneOf, rules, sectionName, text } from "./schema.ts";

export type GRPCMatch = { readonly method?: { readonly type?: "Exact" | "RegularExpression"; readonly service?: string; readonly method?: string }; readonly headers?: readonly ValueMatch[] };
export type GRPCRoute = { readonly spec: { readonly parentRefs?: readonly ParentRef[]; readonly hostnames?: readonly string[]; readonly rules?: readonly { readonly matches?: readonly GRPCMatch[]; readonly filters?: readonly Filter[]; readonly backendRefs?: readonly BackendRef[] }[] }; readonly status?: { readonly parents: readonly RouteParentStatus[] } };

const types = ["ResponseHeaderModifier", "RequestHeaderModifier", "RequestMirror", "ExtensionRef"];
const exact = "!(!has(self.type) || self.type == 'Exact')";
const method = object("Service and method that are called.", {
  type: oneOf("Exact, or RegularExpression (RE2, as a whole).", ["Exact", "RegularExpression"], { default: "Exact" }), service: text("With its package.", { maxLength: 1024 }), method: text("Without the service.", { maxLength: 1024 }),
}, [], rules(
  ["!has(self.type) || has(self.service) || has(self.method)", "One or both of 'service' or 'method' must be specified"],
  [`${exact} || !has(self.service) || self.service.matches(r"^(?i)\\.?[a-z_][a-z_0-9]*(\\.[a-z_][a-z_0-9]*)*$")`, "service must only contain valid characters (matching ^(?i)\\.?[a-z_][a-z_0-9]*(\\.[a-z_][a-z_0-9]*)*$)"],
  [`${exact} || !has(self.method) || self.method.matches(r"^[A-Za-z_][A-Za-z_0-9]*$")`, "method must only contain valid characters (matching ^[A-Za-z_][A-Za-z_0-9]*$)"],
));

export const grpcRoutes = declare<GRPCRoute>({
  kind: "GRPCRoute", plural: "grpcroutes", namespaced: true, version: "v1",
  doc: "Which gRPC calls of a gateway go where.",
  spec: object("Parents, names and rules.", {
    parentRefs, hostnames: hostnames("Names of the calls; those of the listener if empty."),
    rules: list("What happens to calls.", object("Calls, and where they go.", {
      name: sectionName("Its name."), matches: list("Which calls: any of these.", object("All of these must hold.", { method, headers: valueMatch("What headers must be.", 4096) }), 64), filters: filters(types), backendRefs: backendRefs(types),
    }), 16, rules(matchesMax(true))),
  }),
  isSpecRequired: true, status: routeStatus,
  columns: [{ name: "Hostnames", type: "string", jsonPath: ".spec.hostnames" }, ageColumn],
});
