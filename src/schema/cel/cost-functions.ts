/** What calls may cost at most, and how large what they give can be (cel-go checker/cost.go and ext/, apiserver pkg/cel/library/cost.go). */
import type { Type } from "./types.ts";

export type Size = { readonly min: number; readonly max: number };
/** `cost`: of the call itself, without its arguments. */
export type Estimate = { readonly cost: number; readonly size?: Size };

/** The target, if there is one, and the arguments. */
export type Call = {
  readonly size: (index: number) => Size;
  /** Size of the items of a list. */
  readonly itemSize: (index: number) => Size;
  readonly types: readonly Type[];
  readonly literal: (index: number) => bigint | undefined;
  readonly count: number;
};

/** Nothing is larger; also what nothing is known of. */
export const largest = 2 ** 64;
export const times = (a: number, b: number): number => Math.min(a * b, largest);
const share = (size: number, factor: number): number => Math.ceil(times(size, factor));
const add = (a: Size, b: Size): Size => ({ min: Math.min(a.min + b.min, largest), max: Math.min(a.max + b.max, largest) });
const multiply = (a: Size, b: Size): Size => ({ min: times(a.min, b.min), max: times(a.max, b.max) });

const once = ({ size }: Call): Estimate => ({ cost: share(size(0).max, 0.1) });
const onceSame = ({ size }: Call): Estimate => ({ cost: share(size(0).max, 0.1), size: size(0) });
const allocating = (factor: number, size: Size): Estimate => ({ cost: share(size.max, factor) + 11, size });
const searched = ({ size, count }: Call): Estimate => (count < 2 ? { cost: 1 } : { cost: times(share(size(0).max + 1, 0.1), share(size(1).max, 0.25)), size: { min: 0, max: size(0).max } });
const contained = (parsed: boolean, extra: number) => ({ size }: Call): Estimate => ({ cost: 4 + extra + (parsed ? share(size(1).max, 0.1) : 0) });

function elements({ size, itemSize, types: [type] }: Call): Estimate {
  if (type?.kind !== "list") return { cost: share(size(0).max, 0.1) };
  const each = type.item.kind === "string" || type.item.kind === "bytes" ? share(itemSize(0).max, 0.1) : 0;
  return { cost: times(size(0).max, 1 + each) };
}

/** From the shortest and the longest that each replacement can make of the text. */
function replaced({ size }: Call): Estimate {
  const text = size(0), old = size(1), next = size(2);
  let countMax: number, keptMax = 0, countMin: number, keptMin = 0;
  if (old.min === 0) [countMax, keptMax] = [text.max + 1, text.max];
  else if (next.max <= old.min) [countMax, keptMax] = [0, text.max];
  else countMax = Math.ceil(text.max / old.min);
  if (old.max === 0) [countMin, keptMin] = [text.min + 1, text.min];
  else if (old.max <= next.min) [countMin, keptMin] = [0, text.min];
  else countMin = Math.ceil(text.min / old.max);
  return { cost: share(text.max, 0.2), size: { min: times(countMin, next.min) + keptMin, max: times(countMax, next.max) + keptMax } };
}

function joinedTexts({ size, itemSize, types: [type], count }: Call): Estimate {
  // Quirk: what is not known to be a list has no elements.
  const list = size(0), text = type?.kind === "list" ? multiply(list, itemSize(0)) : { min: 0, max: 0 };
  const all = count < 2 ? text : add(text, multiply(size(1), { min: Math.max(list.min - 1, 0), max: Math.max(list.max - 1, 0) }));
  return { cost: share(all.max, 0.1), size: all };
}

function shorter({ size }: Call): Estimate {
  return { cost: share(Math.min(size(0).max, size(1).max), 0.1) };
}
const single = new Set(["net.IP", "net.CIDR", "kubernetes.Quantity", "kubernetes.Semver"]);
function equality(call: Call): Estimate {
  const [a, b] = call.types;
  return a?.kind === "opaque" && b?.kind === "opaque" && a.name === b.name && single.has(a.name) ? { cost: 1 } : shorter(call);
}

function sorted({ size }: Call, keys: number, text: boolean): Estimate {
  return allocating(text ? 2.1 : 2, multiply(size(keys), size(keys)));
}
const whole = (literal: bigint | undefined, otherwise: number): number => (literal === undefined ? otherwise : literal < 0n ? 0 : Number(literal));

const byOverload: { readonly [id: string]: (call: Call) => Estimate } = {
  list_slice: ({ size, literal }) => allocating(1, { min: Math.max(whole(literal(2), size(0).max) - whole(literal(1), 0), 0), max: Math.max(whole(literal(2), size(0).max) - whole(literal(1), 0), 0) }),
  list_flatten: ({ size }) => allocating(1, size(0)),
  list_flatten_int: ({ size, literal }) => allocating(whole(literal(1), largest), size(0)),
  lists_range: ({ literal }) => allocating(1, { min: whole(literal(0), largest), max: whole(literal(0), largest) }),
  list_reverse: ({ size }) => allocating(1, size(0)),
  list_distinct: ({ size }) => allocating(2, multiply(size(0), size(0))),
  list_sets_contains_list: ({ size }) => ({ cost: 1 + times(size(0).max, size(1).max) }),
  list_sets_intersects_list: ({ size }) => ({ cost: 1 + times(size(0).max, size(1).max) }),
  list_sets_equivalent_list: ({ size }) => ({ cost: 1 + times(2, times(size(0).max, size(1).max)) }),
  string_to_bytes: ({ size }) => ({ cost: share(size(0).max, 0.1), size: { min: size(0).min, max: size(0).max * 4 } }),
  bytes_to_string: ({ size }) => ({ cost: share(size(0).max, 0.1), size: { min: Math.trunc(size(0).min / 4), max: size(0).max } }),
  cidr_ip: () => ({ cost: 1 }),
  cidr_contains_ip_string: contained(true, 0), cidr_contains_ip_ip: contained(false, 0),
  cidr_contains_cidr_string: contained(true, 3), cidr_contains_cidr: contained(false, 3),
};

const byName: { readonly [name: string]: (call: Call) => Estimate } = {
  isSorted: elements, sum: elements, max: elements, min: elements, indexOf: elements, lastIndexOf: elements,
  url: onceSame, lowerAscii: onceSame, upperAscii: onceSame, substring: onceSame, trim: onceSame,
  replace: replaced, join: joinedTexts,
  split: ({ size, literal }) => ({ cost: share(size(0).max, 0.2), size: { min: 0, max: literal(2) === undefined ? size(0).max : whole(literal(2), 0) } }),
  find: searched, findAll: searched,
  matches: ({ size }) => ({ cost: times(share(size(0).max + 1, 0.1), share(size(1).max, 0.25)) }),
  contains: ({ size }) => ({ cost: times(share(size(0).max, 0.1), share(size(1).max, 0.1)) }),
  startsWith: ({ size }) => ({ cost: share(size(1).max, 0.1) }), endsWith: ({ size }) => ({ cost: share(size(1).max, 0.1) }),
  cidr: once, isIP: once, isCIDR: once, ip: once, quantity: once, isQuantity: once, semver: once, isSemver: once, format: once,
  "ip.isCanonical": ({ size }) => ({ cost: share(size(0).max, 0.2) }),
  validate: ({ size }) => ({ cost: share(share(size(1).max, 0.1), 32) }),
  "strings.quote": ({ size }) => ({ cost: share(size(0).max, 0.1), size: { min: size(0).min + 2, max: size(0).max * 2 + 2 } }),
    "_==_": equality, "_!=_": shorter,
};
const orders = new Set(["_<_", "_<=_", "_>_", "_>=_"]);

export function functionEstimates(name: string, id: string, call: Call): Estimate {
  const own = Object.hasOwn(byOverload, id) ? byOverload[id] : undefined;
  if (own !== undefined) return own(call);
  const sort = /^list_(\w+?)_sort(ByAssociatedKeys)?$/.exec(id);
  if (sort !== null) return sorted(call, sort[2] === undefined ? 0 : 1, sort[1] === "string" || sort[1] === "bytes");
  if (Object.hasOwn(byName, name)) return byName[name]!(call);
  if (name === "@in") return id.includes("list") ? { cost: call.size(1).max } : { cost: 1 };
  if (name === "_+_" && /string|bytes|list/.test(id)) {
    const size = add(call.size(0), call.size(1));
    return { cost: id.includes("list") ? 1 : share(size.max, 0.1), size };
  }
  if (orders.has(name) && /string|bytes/.test(id)) return shorter(call);
  return { cost: 1 };
}
