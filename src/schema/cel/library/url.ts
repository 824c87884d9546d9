/** URLs (apiserver pkg/cel/library/urls.go). */
import { CelError } from "../error.ts";
import { type Library, type Overload, global, member, traversal } from "../functions.ts";
import { listOf, mapOf, opaque, types } from "../types.ts";
import { type Url, escapedPath, hostnameOf, parseUrl, portOf, queryOf } from "../url.ts";
import { Entries, Items, Opaque, type Value, sizeOf } from "../values.ts";

export class UrlValue extends Opaque {
  override readonly typeName = "kubernetes.URL";
  readonly url: Url;
  constructor(url: Url) {
    super();
    this.url = url;
  }
  equals(other: Opaque): boolean {
    return other instanceof UrlValue && JSON.stringify(other.url) === JSON.stringify(this.url);
  }
}
const urlType = opaque("kubernetes.URL");
const { string, bool } = types;
const part = (name: string, id: string, get: (url: Url) => Value, result = string as Parameters<typeof member>[2]): [string, readonly Overload[]] => [name, [member(id, [urlType], result, ([value]) => get((value as UrlValue).url))]];

export const urlLibrary: Library = new Map<string, readonly Overload[]>([
  ["url", [global("string_to_url", [string], urlType, ([text]) => {
    const parsed = parseUrl(text as string);
    if (!parsed.ok) throw new CelError(`URL parse error during conversion from string: ${parsed.problem}`);
    return new UrlValue(parsed.url);
  }, ([text]) => traversal(sizeOf(text!)))]],
  ["isURL", [global("is_url_string", [string], bool, ([text]) => parseUrl(text as string).ok)]],
  part("getScheme", "url_get_scheme", url => url.scheme), part("getHost", "url_get_host", url => url.host), part("getHostname", "url_get_hostname", hostnameOf), part("getPort", "url_get_port", portOf),
  part("getEscapedPath", "url_get_escaped_path", escapedPath),
  part("getQuery", "url_get_query", url => new Entries(new Map(Array.from(queryOf(url), ([key, values]) => [`s${key}`, [key, new Items(values)] as const]))), mapOf(string, listOf(string))),
]);
