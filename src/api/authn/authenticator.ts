/**
 * Who sends a request, in upstream's order: front-proxy headers, client certificate, bearer token, and last nobody (kube-apiserver
 * pkg/kubeapiserver/authenticator/config.go). Credentials that do not hold are refused, never taken for none.
 */
import { decodeBase64Url } from "../../base/base64.ts";
import type { Authenticator, Notes, TokenVerdict, User } from "../context.ts";
import type { Headers, HttpRequest } from "../http.ts";

export type AuthenticatorOptions = {
  /** Judges bearer tokens. */
  readonly review: (token: string, audiences: readonly string[], notes?: Notes) => TokenVerdict | Promise<TokenVerdict>;
  /** Common names that a front-proxy certificate may have. */
  readonly frontProxyNames: readonly string[];
  /** What callers without credentials may ask for, as far as they are authorized; absent, or without `conditions`: everything. */
  readonly anonymous?: { readonly enabled: boolean; readonly conditions?: readonly { readonly path: string }[] | undefined };
};

const allAuthenticated = "system:authenticated";
/** The one user without credentials. */
export const anonymous: User = { name: "system:anonymous", uid: "", groups: ["system:unauthenticated"], extra: {} };
/** How browsers send a token, since they cannot set headers on a WebSocket (apiserver pkg/authentication/request/websocket/protocol.go). */
const bearerProtocol = "base64url.bearer.authorization.k8s.io.";

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { enabled, conditions } = options.anonymous ?? { enabled: true, conditions: undefined };
  const paths = conditions === undefined ? undefined : new Set(conditions.map(({ path }) => path));
  const isOpen = (target: string): boolean => enabled && (paths === undefined || paths.has(target.split("?", 1)[0]!));
  return {
    async authenticate(request, notes) {
      // Its faults are told whoever asks.
      const bearer = request.headers["authorization"] === undefined ? undefined : bearerToken(request.headers, notes);
      const user = byFrontProxy(request, options.frontProxyNames) ?? byCertificate(request);
      if (user !== undefined) return user;
      const token = bearer ?? webSocketToken(request);
      if (token !== undefined) {
        const verdict = await options.review(token, [], notes);
        return verdict.authenticated ? verdict.user : undefined;
      }
      if (request.peer.certificate !== undefined || request.peer.badCertificate !== undefined) return undefined;
      return isOpen(request.target) ? anonymous : undefined;
    },
    async reviewToken(token, audiences, notes) {
      return options.review(token, audiences, notes);
    },
  };
}

const warnBeforeMs = 60 * 86_400_000;

/** Said with every answer to a client certificate in its last 60 days: a copy that somebody took away is renewed by nobody (P27). */
export function expiryWarning({ certificate }: HttpRequest["peer"], now: number): string | undefined {
  if (certificate === undefined || certificate.notAfterMs - now >= warnBeforeMs) return undefined;
  return `the client certificate of ${certificate.commonName} expires on ${new Date(certificate.notAfterMs).toISOString().slice(0, 10)}; "timonier up" renews the one in the kubeconfig`;
}

/** X-Remote-* from an aggregating proxy: believed only with a certificate of the front-proxy authority (rule M). */
function byFrontProxy({ peer, headers }: HttpRequest, names: readonly string[]): User | undefined {
  if (peer.certificate?.ca !== "front-proxy" || !names.includes(peer.certificate.commonName)) return undefined;
  const name = all(headers, "x-remote-user").find(value => value !== "");
  if (name === undefined) return undefined;
  return authenticated({ name, uid: all(headers, "x-remote-uid")[0] ?? "", groups: all(headers, "x-remote-group"), extra: extraOf(headers, "x-remote-extra-") });
}

/** CN is the user, each O a group (apiserver pkg/authentication/request/x509/x509.go). */
function byCertificate({ peer }: HttpRequest): User | undefined {
  const { certificate } = peer;
  if (certificate?.ca !== "client" || certificate.commonName === "") return undefined;
  return authenticated({
    name: certificate.commonName, uid: certificate.uid ?? "", groups: certificate.organizations,
    extra: { "authentication.kubernetes.io/credential-id": [`X509SHA256=${certificate.fingerprint}`] },
  });
}

function bearerToken(headers: Headers, notes: Notes | undefined): string | undefined {
  const [scheme = "", token = "", more] = (all(headers, "authorization")[0] ?? "").trim().split(" ", 3);
  if (scheme.toLowerCase() !== "bearer") return undefined;
  if (token === "" && more !== undefined) notes?.warn("the provided Authorization header contains extra space before the bearer token, and is ignored");
  return token === "" ? undefined : token;
}

function webSocketToken({ headers, upgrade }: HttpRequest): string | undefined {
  if (!upgrade) return undefined;
  const found = all(headers, "sec-websocket-protocol").flatMap(value => value.split(",")).map(value => value.trim()).filter(value => value.startsWith(bearerProtocol));
  if (found.length === 0) return undefined;
  const bytes = found.length === 1 ? decodeBase64Url(found[0]!.slice(bearerProtocol.length)) : undefined;
  // Not readable is still a credential, and a wrong one.
  return bytes === undefined ? "" : new TextDecoder().decode(bytes);
}

/** `x-remote-extra-acme.com%2fproject: a` is `acme.com/project: [a]`; keys are lower case. */
export function extraOf(headers: Headers, prefix: string): User["extra"] {
  const extra = new Map<string, readonly string[]>();
  for (const name of Object.keys(headers)) if (name.startsWith(prefix)) {
    const key = unescape(name.slice(prefix.length)).toLowerCase();
    extra.set(key, [...(extra.get(key) ?? []), ...all(headers, name)]);
  }
  return Object.fromEntries(extra);
}

/** A key that is not percent-encoded rightly counts as it stands. */
function unescape(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}

/** Every value of a header. The host joins none of the headers read here. */
export function all(headers: Headers, name: string): readonly string[] {
  const value = headers[name];
  return value === undefined ? [] : typeof value === "string" ? [value] : value;
}

/** Adds the group of everybody who proved who they are; the anonymous user asserted by a proxy did not. */
function authenticated(user: User): User {
  if (user.name === anonymous.name || user.groups.includes(allAuthenticated) || user.groups.includes("system:unauthenticated")) return user;
  return { ...user, groups: [...user.groups, allAuthenticated] };
}
