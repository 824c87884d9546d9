/** Host names of listeners and routes. `*.example.org` stands for one label or more in front; "" for any name. */

/** The names that both take, or undefined: the more special of the two. */
export function commonHost(a: string, b: string): string | undefined {
  if (a === "" || a === b) return b;
  if (b === "") return a;
  const [wildA, wildB] = [a.startsWith("*."), b.startsWith("*.")];
  if (wildA && b.endsWith(a.slice(1)) && b !== a.slice(1)) return b;
  if (wildB && a.endsWith(b.slice(1)) && a !== b.slice(1)) return a;
  return undefined;
}

/** As the routing table names it, where `*` is one label and `**` any number. */
export function tableHost(hostname: string): string {
  return hostname.startsWith("*.") ? `*${hostname}` : hostname;
}
