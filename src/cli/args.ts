/** Command-line arguments: one table per command says which flags it knows; anything else is an error that names the flag. */

export type Flag = {
  readonly name: string;
  readonly type: "string" | "number" | "boolean";
  readonly doc: string;
  /** One letter that stands for it: `-o`. */
  readonly short?: string;
  /** Environment variable that stands in for the flag. */
  readonly env?: string;
  readonly default?: string | number;
};
export type Arguments = { readonly values: { readonly [name: string]: string | number | boolean | undefined }; readonly rest: readonly string[] };

/** A mistake of whoever typed the command: one line, with a next step, exit code 1. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Reads `--flag value`, `--flag=value` and `--switch`; what is no flag goes to `rest`; after `--` everything does. */
export function parseArguments(flags: readonly Flag[], given: readonly string[], env: { readonly [name: string]: string | undefined }): Arguments {
  const values = new Map<string, string | number | boolean>();
  const rest: string[] = [];
  for (const flag of flags) {
    const fromEnv = flag.env === undefined ? undefined : env[flag.env];
    if (fromEnv !== undefined && fromEnv !== "") values.set(flag.name, typed(flag, fromEnv, flag.env!));
    else if (flag.default !== undefined) values.set(flag.name, flag.default);
  }
  for (let i = 0; i < given.length; i++) {
    const word = given[i]!;
    if (word === "--") { rest.push(...given.slice(i + 1)); break; }
    const short = /^-[a-z]/.test(word) ? flags.find(candidate => candidate.short === word[1]) : undefined;
    if (!word.startsWith("--") && short === undefined) { rest.push(word); continue; }
    const [name = "", inline] = short === undefined ? split(word.slice(2)) : [short.name, word.length > 2 ? word.slice(2).replace(/^=/, "") : undefined];
    const flag = flags.find(candidate => candidate.name === name);
    if (!flag) throw new UsageError(`unknown flag --${name}: ${known(flags)}`);
    if (flag.type === "boolean") {
      if (inline !== undefined && inline !== "true" && inline !== "false") throw new UsageError(`--${name}: "${inline}" is neither true nor false`);
      values.set(name, inline !== "false");
      continue;
    }
    const value = inline ?? given[++i];
    if (value === undefined) throw new UsageError(`--${name} needs a value: ${flag.doc}`);
    values.set(name, typed(flag, value, `--${name}`));
  }
  return { values: Object.fromEntries(values), rest };
}

function split(word: string): [string, string | undefined] {
  const at = word.indexOf("=");
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

function typed(flag: Flag, value: string, where: string): string | number | boolean {
  if (flag.type === "boolean") return value !== "false" && value !== "0";
  if (flag.type === "string") return value;
  if (!/^\d{1,9}$/.test(value)) throw new UsageError(`${where}: "${value}" is not a whole number`);
  return Number(value);
}

function known(flags: readonly Flag[]): string {
  return flags.length === 0 ? "this command takes no flags" : `expected one of ${flags.map(flag => `--${flag.name}`).join(", ")}`;
}
