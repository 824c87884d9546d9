/**
 * Bootstrap tokens: `<id>.<secret>`, kept in the Secret `bootstrap-token-<id>` of kube-system, for machines that join (plugin/pkg/auth/authenticator/token/bootstrap,
 * cluster-bootstrap token/util). Which part of a token is wrong is never said.
 */
import { decodeBase64 } from "../../base/base64.ts";
import type { Reader, TokenVerdict } from "../context.ts";

const format = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const type = "bootstrap.kubernetes.io/token";
const everybody = "system:bootstrappers";

/** Whether this is a bootstrap token by its form; any other token is somebody else's to judge. */
export function isBootstrapToken(token: string): boolean {
  return format.test(token);
}

export function reviewBootstrapToken(token: string, read: Reader, now: number): TokenVerdict {
  const refused: TokenVerdict = { authenticated: false, error: "invalid bearer token" };
  const [, id = "", secret = ""] = format.exec(token) ?? [];
  const stored = read.get("", "secrets", "kube-system", `bootstrap-token-${id}`);
  if (id === "" || stored === undefined || stored.type !== type || stored.metadata.deletionTimestamp !== undefined) return refused;
  const field = (name: string): string => new TextDecoder().decode(decodeBase64(stored.data?.[name] ?? "") ?? new Uint8Array());
  if (field("token-id") !== id || !sameInConstantTime(field("token-secret"), secret) || field("usage-bootstrap-authentication") !== "true") return refused;
  const expiration = field("expiration");
  if (expiration !== "" && !(Date.parse(expiration) > now)) return refused;
  const extra = field("auth-extra-groups").split(",").filter(group => group !== "");
  // One bad group and the whole token is refused: it may be a typo of somebody else's group.
  if (!extra.every(group => /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/.test(group))) return refused;
  return { authenticated: true, audiences: [], user: { name: `system:bootstrap:${id}`, uid: "", groups: [everybody, ...[...new Set(extra)].sort(), "system:authenticated"], extra: {} } };
}

/** Compares without telling, by the time it takes, how much of the secret was right. */
function sameInConstantTime(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < b.length; i++) difference |= (a.charCodeAt(i % (a.length || 1)) | 0) ^ b.charCodeAt(i);
  return difference === 0;
}
