/** Who asks, what for, and the two questions every request must pass: who are you, and may you? */
import type { HttpRequest } from "./http.ts";
import type { Json } from "../base/json.ts";

/** A caller as the authenticator established it. `extra` keys are lower case. */
export type User = {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: { readonly [key: string]: readonly string[] };
};

/** What an authorizer judges. For a non-resource request `resource` is "" and `path` tells; `verb` is then the lower-case HTTP method. */
export type RequestAttributes = {
  /** get list watch create update patch delete deletecollection, or a special one such as impersonate, bind, escalate. */
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** The URL's path without its query. */
  readonly path: string;
  /** False for /healthz, /version, /apis and the like. */
  readonly resourceRequest: boolean;
  /** Of a list, watch or deletecollection, as sent. */
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
};

/** The user and everything the request is about to do on its behalf, as admission and storage see it. */
export type Caller = { readonly user: User; readonly userAgent: string };

export interface Authenticator {
  /**
   * Who sends this request. `undefined`: credentials were given but are not valid, answered with 401. Without credentials:
   * system:anonymous in system:unauthenticated. Impersonation headers are not its business: the request path handles them after authentication.
   * `notes` gets what is to be said with the answer, and kept of the request.
   */
  authenticate(request: HttpRequest, notes?: Notes): Promise<User | undefined>;
  /** TokenReview's question. */
  reviewToken(token: string, audiences: readonly string[], notes?: Notes): Promise<TokenVerdict>;
}
/** Where remarks go: `Warning` headers, annotations of the audit event. */
export type Notes = { warn(text: string): void; annotate(key: string, value: string): void };
export type TokenVerdict =
  | { readonly authenticated: true; readonly user: User; readonly audiences: readonly string[] }
  | { readonly authenticated: false; readonly error?: string };

/** Ours read only memory and answer at once; an administrator's webhook takes its time. */
export interface Authorizer {
  authorize(user: User, attributes: RequestAttributes): Decision | Promise<Decision>;
  /** SelfSubjectRulesReview's question: everything the user may do in the namespace. */
  rules(user: User, namespace: string): UserRules;
}
/** `allowed: false` without `denied` is "no opinion", which is a no at the end of the chain. `reason` goes to the client; `error` says what kept an authorizer from judging. */
export type Decision = { readonly allowed: boolean; readonly denied?: boolean; readonly reason?: string; readonly error?: string };
export type UserRules = {
  readonly resourceRules: readonly { readonly verbs: readonly string[]; readonly apiGroups?: readonly string[]; readonly resources?: readonly string[]; readonly resourceNames?: readonly string[] }[];
  readonly nonResourceRules: readonly { readonly verbs: readonly string[]; readonly nonResourceURLs?: readonly string[] }[];
  readonly incomplete: boolean;
  readonly evaluationError?: string;
};

/** Issues a service account's token: POST …/serviceaccounts/x/token. `request` is the decoded TokenRequest; the answer is the same with `status` filled in. */
export interface TokenIssuer {
  issue(serviceAccount: { readonly namespace: string; readonly name: string; readonly uid: string }, request: { readonly [key: string]: Json }, read: Reader): Promise<{ readonly request: { readonly [key: string]: Json }; /** Of the token, for the audit. */ readonly id: string }>;
  /** /.well-known/openid-configuration, as JSON text. */
  configuration(): string;
  /** /openid/v1/jwks, as JSON text. */
  keys(): string;
  /** The token that a Secret of type kubernetes.io/service-account-token holds: good as long as the Secret is there. */
  legacy(serviceAccount: { readonly namespace: string; readonly name: string; readonly uid: string }, secret: string): string;
}

/** The newest stored objects, read from memory; shared and frozen. `resource` is the plural: `read.get("", "serviceaccounts", "default", "web")`. */
export interface Reader {
  get(group: string, resource: string, namespace: string, name: string): any;
  /** `namespace` "" reads all of them. */
  list(group: string, resource: string, namespace: string): readonly any[];
}
