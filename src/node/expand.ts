/** `$(NAME)` in values, commands and arguments: replaced when known, kept as written when not; `$$` writes one dollar (third_party/forked/golang/expansion). */
export function expand(text: string, valueOf: (name: string) => string | undefined): string {
  let result = "";
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== "$" || at + 1 === text.length) {
      result += text[at];
      continue;
    }
    const next = text[at + 1]!;
    if (next === "$") {
      result += "$";
      at++;
    } else if (next === "(") {
      const close = text.indexOf(")", at + 2);
      if (close < 0) {
        result += "$(";
        at++;
        continue;
      }
      const name = text.slice(at + 2, close);
      result += valueOf(name) ?? `$(${name})`;
      at = close;
    } else {
      result += `$${next}`;
      at++;
    }
  }
  return result;
}
