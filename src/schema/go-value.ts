/**
 * Values of structs in messages: upstream prints its internal types, which have no JSON tags, so fields have Go's names, stand in the order of their declaration
 * (that of the protobuf numbers, but where it is told here) and are all there. Types of meta/v1 have tags and look as ever.
 */
import { isObject } from "../base/json.ts";
import type { Node } from "./t.ts";

const orders: { readonly [ref: string]: readonly string[] } = {
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion": ["name", "served", "storage", "deprecated", "deprecationWarning", "schema", "subresources", "additionalPrinterColumns", "selectableFields"],
};
/** Words that Go writes in capitals at the beginning of a name. */
const initials = /^(?:api|aws|cel|cidr|csi|dns|fc|fs|gce|grpc|http|id|ip|iscsi|nfs|os|pid|rbd|se|tcp|tls|tty|uid|url)(?=s?$|[A-Z])/;
const goName = (name: string): string => (initials.test(name) ? name.replace(initials, word => word.toUpperCase()) : name.slice(0, 1).toUpperCase() + name.slice(1));

export function goValue(node: Node, value: unknown): unknown {
  if (node.ref?.startsWith("io.k8s.apimachinery.pkg.apis.meta.v1.") === true && value !== undefined) return value;
  if (value === undefined) {
    if (node.pointer === true || node.kind === "list" || node.kind === "map" || node.kind === "any" || node.format === "byte" || node.format === "date-time" || node.format === "micro-time") return null;
    if (node.kind !== "object") return node.format === "quantity" ? "0" : node.kind === "string" && node.format !== "int-or-string" ? "" : node.kind === "boolean" ? false : 0;
    if (node.always !== "{}") return null;
  }
  switch (node.kind) {
    case "list": return (value as readonly unknown[]).map(each => goValue(node.items!, each));
    case "map": return Object.fromEntries(Object.entries(value as object).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => [key, goValue(node.items!, each)]));
    case "object": {
      const given = isObject(value as never) ? (value as { readonly [name: string]: unknown }) : {};
      const fields = Object.entries(node.fields ?? {}), order = orders[node.ref ?? ""];
      fields.sort(([a, one], [b, other]) => (order === undefined ? (one.pb ?? 0) - (other.pb ?? 0) : order.indexOf(a) - order.indexOf(b)));
      return Object.fromEntries(fields.flatMap(([name, field]) => (name === "metadata" ? Object.entries(given[name] ?? {}) : [[goName(name), goValue(field, given[name])]])));
    }
    default: return value;
  }
}
