/** Selectors of devices: CEL over `device` (kubernetes staging dynamic-resource-allocation/cel/compile.go). They are only checked: nothing here gives devices. Part of what is loaded with CEL. */
import { compileExpression } from "../../schema/cel/environment.ts";
import type { Host } from "../../schema/cel/functions.ts";
import { type ObjectField, type Type, mapOf, opaque, types, typeText } from "../../schema/cel/types.ts";
import { forbidden, invalidValue, type Problem, tooLong } from "../../schema/problem.ts";

/** Bytes of the longest expression, and most that one may be estimated to cost (resource/v1 CELSelectorExpressionMaxLength, MaxCost). */
const expressionMax = 10 * 1024, costMax = 1_000_000;
/** Attributes and capacities of a device; characters of a domain, of a name in it, of a driver's name, of an attribute's value. */
const namesMax = 32, domainMax = 63, idMax = 32, driverMax = 63, valueMax = 64;

const byName = (value: Type): Type => mapOf(types.string, mapOf(types.string, value));
const fields: readonly (readonly [string, Type])[] = [["driver", types.string], ["attributes", byName(types.any)], ["capacity", byName(opaque("kubernetes.Quantity"))], ["allowMultipleAllocations", types.bool]];
const device: Type = { kind: "object", name: "kubernetes.DRADevice", fields: new Map(fields.map(([name, type]): [string, ObjectField] => [name, { json: name, type }])) };

/** How large what stands at a path in the device can be: all attributes are of one size, whatever their name; what has no size counts as 0. */
function sizeAt([root, field, ...inside]: readonly string[]): number | undefined {
  if (root !== "device") return undefined;
  if (field === undefined) return 0;
  const path = inside.map(step => (step === "@items" ? "@values" : step)).join(" ");
  if (field === "driver" || field === "allowMultipleAllocations") return path !== "" ? undefined : field === "driver" ? driverMax : 1;
  if (Object.hasOwn(sizes, path)) return sizes[path];
  if (path === "@values @values") return field === "attributes" ? valueMax : 0;
  return field === "attributes" && /^@values [^@ ]+$/.test(path) ? valueMax : undefined;
}
const sizes: { readonly [path: string]: number } = { "": namesMax, "@keys": domainMax, "@values": namesMax, "@values @keys": idMax };

/** Why an expression cannot select devices. `path`: of the expression. */
export function selectorProblem(text: string, path: string, host: Host): Problem | undefined {
  if (new TextEncoder().encode(text).length > expressionMax) return tooLong(path, expressionMax);
  const compiled = compileExpression(text, { variables: new Map([["device", device]]), host, sizeAt, bindings: true });
  if (!compiled.ok) return compiled.checked === true ? { field: path, reason: "InternalError", detail: `program instantiation failed: ${compiled.message}` } : invalidValue(path, text, `compilation failed: ${compiled.message}`);
  const { type } = compiled.program;
  if (type.kind !== "bool" && !(type.kind === "dyn" && type.any === true)) return invalidValue(path, text, `must evaluate to bool or the unknown type, not ${typeText(type)}`);
  return compiled.estimate > costMax ? forbidden(path, "too complex, exceeds cost limit") : undefined;
}
