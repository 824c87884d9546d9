/** The schema of a built-in kind as CEL's types (apiserver pkg/cel/common/schemas.go over pkg/cel/openapi). Part of what is loaded with CEL. */
import { anyDecl, boolDecl, type Decl, doubleDecl, intDecl, intOrStringDecl, listDecl, mapDecl, objectDecl, textDecl } from "../../../schema/cel/data.ts";
import type { Node } from "../../../schema/t.ts";

const textMax = 3 * 1024 * 1024 - 2;

/** Schemas that contain themselves are known one level deep. */
export function declOfNode(node: Node, name: string, above: ReadonlySet<Node> = new Set()): Decl {
  if (above.has(node) || node.preserveUnknown === true) return anyDecl;
  switch (node.kind) {
    case "any": return anyDecl;
    case "boolean": return boolDecl;
    case "integer": return intDecl;
    case "number": return doubleDecl;
    case "string": return node.format === "int-or-string" ? intOrStringDecl(textMax) : textDecl(formats.get(node.format ?? ""), textMax);
    case "list": return listDecl(node.items === undefined ? anyDecl : declOfNode(node.items, `${name}.@idx`, above), undefined, undefined);
    case "map": return mapDecl(node.items === undefined ? anyDecl : declOfNode(node.items, `${name}.@elem`, above), undefined);
    case "object": {
      const inside = new Set([...above, node]);
      const fields = Object.entries(node.fields ?? {});
      return fields.length === 0 ? anyDecl : objectDecl(name, new Map(fields.map(([field, each]) => [field, declOfNode(each, `${name}.${field}`, inside)])), new Set());
    }
  }
}

/** Formats that OpenAPI tells; others are texts there. */
const formats: ReadonlyMap<string, string> = new Map([["byte", "byte"], ["date-time", "date-time"], ["micro-time", "date-time"]]);
