/** Which of the names that a definition asks for it gets (apiextensions pkg/controller/status/naming_controller.go). */

export type Names = { readonly plural: string; readonly kind: string; readonly singular?: string; readonly listKind?: string; readonly shortNames?: readonly string[]; readonly categories?: readonly string[] };
export type Judged = { readonly accepted: Names; readonly conflict?: { readonly reason: string; readonly message: string } };

/** `before`: the names it has; `others`: those that others of the group have. What is taken stays as it was, and the last conflict is told. */
export function judgeNames(wanted: Names, before: Names, others: readonly Names[]): Judged {
  const words = new Set(others.flatMap(({ plural, singular, shortNames = [] }) => [plural, singular ?? "", ...shortNames]).filter(name => name !== ""));
  const kinds = new Set(others.flatMap(({ kind, listKind }) => [kind, listKind ?? ""]).filter(name => name !== ""));
  let conflict: Judged["conflict"];
  const inUse = (names: readonly string[]): string => {
    const texts = names.map(name => `${JSON.stringify(name)} is already in use`);
    return texts.length === 1 ? texts[0]! : `[${texts.join(", ")}]`;
  };
  const pick = (name: string | undefined, old: string | undefined, taken: ReadonlySet<string>, reason: string): string | undefined => {
    if (name === undefined || name === old || !taken.has(name)) return name;
    conflict = { reason, message: inUse([name]) };
    return old;
  };
  const plural = pick(wanted.plural, before.plural, words, "PluralConflict") ?? "";
  const singular = pick(wanted.singular, before.singular, words, "SingularConflict");
  const taken = (wanted.shortNames ?? []).filter(name => before.shortNames?.includes(name) !== true && words.has(name));
  if (taken.length > 0) conflict = { reason: "ShortNamesConflict", message: inUse(taken) };
  const shortNames = taken.length > 0 ? before.shortNames : wanted.shortNames;
  const kind = pick(wanted.kind, before.kind, kinds, "KindConflict") ?? "";
  const listKind = pick(wanted.listKind, before.listKind, kinds, "ListKindConflict");
  const accepted: Names = {
    plural, ...(singular === undefined ? {} : { singular }), ...(shortNames === undefined ? {} : { shortNames }), kind, ...(listKind === undefined ? {} : { listKind }), ...(wanted.categories === undefined ? {} : { categories: wanted.categories }),
  };
  return { accepted, ...(conflict === undefined ? {} : { conflict }) };
}
