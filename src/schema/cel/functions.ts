/** Declarations of functions: what a library adds to the language. */
import type { Type } from "./types.ts";
import type { Value } from "./values.ts";

/** What functions may ask for besides their arguments. */
export type Host = {
  /** Regular expressions of RE2's syntax, in linear time. Gives back `undefined` for what is not one. */
  readonly regex: (pattern: string) => Regex | undefined;
};
export interface Regex {
  test(text: string): boolean;
  find(text: string): string | undefined;
  findAll(text: string, limit: number): readonly string[];
}

export type Overload = {
  readonly id: string;
  readonly args: readonly Type[];
  readonly result: Type;
  /** Called as `first.f(rest)`. */
  readonly member: boolean;
  readonly call: (args: readonly Value[], host: Host) => Value;
  /** What a call costs, when that is not 1. */
  readonly cost?: (args: readonly Value[], result: Value) => number;
};
export type Library = ReadonlyMap<string, readonly Overload[]>;

type Cost = Overload["cost"];
type Call = Overload["call"];
/** `f(a, b)`. */
export function global(id: string, args: readonly Type[], result: Type, call: Call, cost?: Cost): Overload {
  return { id, args, result, member: false, call, ...(cost === undefined ? {} : { cost }) };
}
/** `a.f(b)`. */
export function member(id: string, args: readonly Type[], result: Type, call: Call, cost?: Cost): Overload {
  return { id, args, result, member: true, call, ...(cost === undefined ? {} : { cost }) };
}

/** The functions of all of these together. */
export function joinLibraries(...libraries: readonly Library[]): Library {
  const all = new Map<string, readonly Overload[]>();
  for (const library of libraries) for (const [name, overloads] of library) all.set(name, [...(all.get(name) ?? []), ...overloads]);
  return all;
}

/** A tenth of the text's length: once through it. */
export function traversal(size: number, times = 1): number {
  return Math.ceil(size * times * 0.1);
}
