/** What a proxied page says of its own address, said through the proxy instead (apimachinery pkg/util/proxy/transport.go). */
import { posix } from "node:path";

/** `prefix`: the proxy's own path, without a slash at the end; `hosts`: the names under which the backend may speak of itself, the client's `Host` first. */
export type Rewriting = { readonly prefix: string; readonly hosts: readonly [requested: string, backend: string] };

/** Upstream's X-Forwarded-Uri: where the client finds what the backend serves as `path`. */
export function forwardedUri(prefix: string, path: string): string {
  const joined = posix.join(prefix, path);
  return path.endsWith("/") && !joined.endsWith("/") ? `${joined}/` : joined;
}

/** A URL as the client must write it: only absolute paths on the same host change. */
export function rewriteUrl(url: string, { prefix, hosts }: Rewriting): string {
  const parts = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*:)?\/\/([^/?#]*))?([^?#]*)([^]*)$/.exec(url);
  if (!parts) return url;
  const [, scheme = "", host = "", path = "", rest = ""] = parts;
  if ((host !== "" && !hosts.includes(host)) || !path.startsWith("/")) return url;
  const authority = host !== "" && host === hosts[0] ? `${scheme}//${host}` : "";
  return authority + (path.startsWith(prefix) ? path : forwardedUri(prefix, path)) + rest;
}

// Which attributes hold a URL, by element; `*` stands for upstream's long list read the other way round.
const urlAttributes: { readonly [attribute: string]: readonly string[] } = {
  href: ["a", "area", "base", "link"], src: ["audio", "embed", "frame", "iframe", "img", "input", "script", "source", "video"],
  action: ["form"], formaction: ["button", "input"], cite: ["blockquote", "del", "ins", "q"], background: ["body"], codebase: ["applet", "object"],
  longdesc: ["frame", "iframe", "img"], usemap: ["img", "input", "object"], classid: ["object"], data: ["object"], poster: ["video"],
  icon: ["command"], manifest: ["html"], profile: ["head"],
};

// Sticky, each without nested repetition: a scan goes over the page once, whatever the page.
const attributePattern = /[\s/]*([^\s"'>/=]+|["'=])(\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]*))?/y;
const spacePattern = /[\s/]*/y;

/** Changes the URLs in an HTML page that point back at the backend; everything else stays byte for byte. */
export function rewriteHtml(html: string, rewriting: Rewriting): string {
  const out: string[] = [];
  let copied = 0;
  for (let at = html.indexOf("<"); at >= 0; at = html.indexOf("<", at)) {
    if (html.startsWith("<!--", at)) {
      const end = html.indexOf("-->", at + 4);
      if (end < 0) break;
      at = end + 3;
      continue;
    }
    const name = tagName(html, at + 1);
    at += 1 + name.length;
    if (name === "") continue;
    for (;;) {
      spacePattern.lastIndex = at;
      spacePattern.test(html);
      at = spacePattern.lastIndex;
      if (at >= html.length || html[at] === ">") break;
      attributePattern.lastIndex = at;
      const attribute = attributePattern.exec(html);
      if (!attribute) break;
      at = attributePattern.lastIndex;
      const value = attribute[3];
      const key = attribute[1]?.toLowerCase() ?? "";
      if (value === undefined || !Object.hasOwn(urlAttributes, key) || !urlAttributes[key]?.includes(name)) continue;
      const next = rewriteValue(value, rewriting);
      if (next === value) continue;
      out.push(html.slice(copied, at - value.length), next);
      copied = at;
    }
    // What a script or a style sheet says is not markup.
    if (name === "script" || name === "style") {
      const end = endTag(html, name, at);
      if (end < 0) break;
      at = end;
    }
  }
  return out.length === 0 ? html : out.join("") + html.slice(copied);
}

function rewriteValue(value: string, rewriting: Rewriting): string {
  const quote = value.startsWith('"') || value.startsWith("'") ? value.charAt(0) : "";
  const url = (quote ? value.slice(1, -1) : value).replaceAll("&amp;", "&");
  const next = rewriteUrl(url, rewriting);
  return next === url ? value : `${quote}${next.replaceAll("&", "&amp;")}${quote}`;
}

function tagName(html: string, from: number): string {
  let to = from;
  while (to < html.length && to < from + 32 && /[a-zA-Z0-9-]/.test(html[to] as string)) to++;
  return html.slice(from, to).toLowerCase();
}

function endTag(html: string, name: string, from: number): number {
  for (let at = html.indexOf("</", from); at >= 0; at = html.indexOf("</", at + 2)) if (tagName(html, at + 2) === name) return at;
  return -1;
}
