/**
 * Service-account tokens: what is in them, and whether one still counts. A token is bound to its ServiceAccount's uid and perhaps to a pod,
 * a secret or a node; it dies with them at once, because every use looks them up in memory. Claims and texts as upstream's
 * (pkg/serviceaccount/claims.go).
 */
import { getOwn, isObject, type Json, type JsonObject } from "../../base/json.ts";
import { msOf } from "../../base/time.ts";
import type { Notes, Reader, TokenVerdict, User } from "../context.ts";
import { parseLegacyClaims, reviewLegacyToken, legacyIssuer, type LegacyClaims, type UsedSecret } from "./legacy-token.ts";
import { InvalidToken, peekIssuer, verifyJwt, type VerificationKey } from "./jwt.ts";

export const issuer = "https://kubernetes.default.svc.cluster.local";
/** Times count with this much latitude, for clocks that differ. */
const leewayMs = 60_000;
/** Verified signatures remembered, so that a busy pod's token costs one verification. */
const verifiedMax = 4096;

export type TokenOptions = {
  readonly keys: () => readonly VerificationKey[];
  readonly read: Reader;
  readonly now: () => number;
  /** Audiences of the API server itself. */
  readonly audiences: readonly string[];
  /** Told of the Secret that a long-lived token comes from, at each use. */
  readonly used?: UsedSecret;
};

type Reference = { readonly name: string; readonly uid: string };
type Claims = {
  readonly expMs: number;
  readonly nbfMs: number | undefined;
  readonly iatMs: number | undefined;
  readonly warnAfterMs: number | undefined;
  readonly audiences: readonly string[];
  readonly id: string | undefined;
  readonly namespace: string;
  readonly account: Reference;
  readonly pod: Reference | undefined;
  readonly secret: Reference | undefined;
  readonly node: Reference | undefined;
};

export class ServiceAccountTokens {
  readonly #options: TokenOptions;
  /** By the token itself; oldest out first. Only signature and shape are remembered, everything that can change is judged every time. */
  readonly #verified = new Map<string, Claims | LegacyClaims>();

  constructor(options: TokenOptions) {
    this.#options = options;
  }

  /** Judges a bearer token; `audiences` empty means the API server's own. */
  review(token: string, audiences: readonly string[] = [], notes?: Notes): TokenVerdict {
    try {
      // A token whose signature held is of this issuer: reading it again would cost more than all the rest of a request.
      const from = this.#verified.has(token) ? issuer : peekIssuer(token);
      if (from !== issuer && from !== legacyIssuer) return { authenticated: false, error: "invalid bearer token" };
      const claims = this.#claimsOf(token, from);
      const wanted = audiences.length === 0 ? this.#options.audiences : audiences;
      const good = "secretName" in claims ? this.#options.audiences : claims.audiences;
      const granted = wanted.filter(audience => good.includes(audience));
      if (granted.length === 0) throw new InvalidToken(`token audiences ${goList(good)} is invalid for the target audiences ${goList(wanted)}`);
      if ("secretName" in claims) {
        notes?.annotate("authentication.k8s.io/legacy-token", `system:serviceaccount:${claims.namespace}:${claims.account.name}`);
        reviewLegacyToken(token, claims, this.#options.read, notes, this.#options.used);
        return { authenticated: true, user: serviceAccountUser(claims.namespace, claims.account.name, claims.account.uid), audiences: granted };
      }
      this.#checkTimes(claims);
      this.#checkObjects(claims);
      const late = claims.warnAfterMs === undefined ? 0 : Math.floor(this.#options.now() / 1000) - claims.warnAfterMs / 1000;
      if (late > 0) notes?.annotate("authentication.k8s.io/stale-token", `subject: system:serviceaccount:${claims.namespace}:${claims.account.name}, seconds after warning threshold: ${late}`);
      return { authenticated: true, user: userOf(claims), audiences: granted };
    } catch (error) {
      if (error instanceof InvalidToken) return { authenticated: false, error: `[invalid bearer token, ${error.message}]` };
      throw error;
    }
  }

  #claimsOf(token: string, from: string): Claims | LegacyClaims {
    const known = this.#verified.get(token);
    if (known !== undefined) return known;
    const payload = verifyJwt(token, new Map(this.#options.keys().map(key => [key.kid, key])));
    const claims = from === legacyIssuer ? parseLegacyClaims(payload) : parseClaims(payload);
    if (this.#verified.size >= verifiedMax) this.#verified.delete(this.#verified.keys().next().value!);
    this.#verified.set(token, claims);
    return claims;
  }

  /** Forgets verified signatures, for when a key is withdrawn. */
  forget(): void {
    this.#verified.clear();
  }

  #checkTimes({ expMs, nbfMs, iatMs }: Claims): void {
    const now = this.#options.now();
    if (nbfMs !== undefined && now + leewayMs < nbfMs) throw new InvalidToken("service account token is not valid yet");
    if (now - leewayMs > expMs) throw new InvalidToken("service account token has expired");
    if (iatMs !== undefined && now + leewayMs < iatMs) throw new InvalidToken("service account token is issued in the future");
  }

  #checkObjects({ namespace, account, pod, secret, node }: Claims): void {
    const { read } = this.#options;
    const serviceAccount = read.get("", "serviceaccounts", namespace, account.name);
    if (serviceAccount === undefined) throw new InvalidToken(`serviceaccounts ${JSON.stringify(account.name)} not found`);
    if (this.#isGone(serviceAccount)) throw new InvalidToken(`service account ${namespace}/${account.name} has been deleted`);
    if (serviceAccount.metadata.uid !== account.uid) throw new InvalidToken(`service account UID (${serviceAccount.metadata.uid}) does not match claim (${account.uid})`);
    this.#checkBound("secret", read.get("", "secrets", namespace, secret?.name ?? ""), secret);
    this.#checkBound("pod", read.get("", "pods", namespace, pod?.name ?? ""), pod);
    // A pod's node is only reported; a token bound to a node alone dies with it.
    if (pod === undefined) this.#checkBound("node", read.get("", "nodes", "", node?.name ?? ""), node);
  }

  #checkBound(kind: string, object: Stored | undefined, reference: Reference | undefined): void {
    if (reference === undefined) return;
    if (object === undefined || this.#isGone(object)) throw new InvalidToken("service account token has been invalidated");
    if (object.metadata.uid !== reference.uid) throw new InvalidToken(`${kind} UID (${object.metadata.uid}) does not match service account ${kind} ref claim (${reference.uid})`);
  }

  #isGone(object: Stored): boolean {
    const deleted = msOf(object.metadata.deletionTimestamp);
    return deleted !== undefined && deleted < this.#options.now() - leewayMs;
  }
}
type Stored = { readonly metadata: { readonly uid: string; readonly deletionTimestamp?: string } };

/** The user that a service account's requests come from (apiserver pkg/authentication/serviceaccount/util.go). */
export function serviceAccountUser(namespace: string, name: string, uid = "", extra: User["extra"] = {}): User {
  return { name: `system:serviceaccount:${namespace}:${name}`, uid, groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"], extra };
}

function userOf({ namespace, account, pod, node, id }: Claims): User {
  const extra = new Map<string, readonly string[]>();
  const add = (key: string, value: string | undefined): void => { if (value !== undefined) extra.set(`authentication.kubernetes.io/${key}`, [value]); };
  add("credential-id", id === undefined ? undefined : `JTI=${id}`);
  add("node-name", node?.name);
  add("node-uid", node?.uid === "" ? undefined : node?.uid);
  add("pod-name", pod?.name);
  add("pod-uid", pod?.uid);
  return serviceAccountUser(namespace, account.name, account.uid, Object.fromEntries(extra));
}

function parseClaims(payload: JsonObject): Claims {
  const kubernetes = getOwn(payload, "kubernetes.io");
  const audience = getOwn(payload, "aud");
  const audiences = typeof audience === "string" ? [audience] : audience;
  const expMs = seconds(getOwn(payload, "exp"));
  const namespace = isObject(kubernetes) ? getOwn(kubernetes, "namespace") : undefined;
  const account = isObject(kubernetes) ? reference(getOwn(kubernetes, "serviceaccount")) : undefined;
  if (getOwn(payload, "iss") !== issuer) throw new InvalidToken("token issuer is invalid");
  if (!isObject(kubernetes) || typeof namespace !== "string" || account === undefined || expMs === undefined || !isStrings(audiences))
    throw new InvalidToken("service account token claims could not be validated due to unexpected private claim");
  if (getOwn(payload, "sub") !== `system:serviceaccount:${namespace}:${account.name}`) throw new InvalidToken("service account token claims could not be validated: the subject is not the service account");
  const id = getOwn(payload, "jti");
  return {
    expMs, nbfMs: optional(payload, "nbf", seconds), iatMs: optional(payload, "iat", seconds), warnAfterMs: optional(kubernetes, "warnafter", seconds), audiences, id: typeof id === "string" ? id : undefined, namespace, account,
    pod: optional(kubernetes, "pod", reference), secret: optional(kubernetes, "secret", reference), node: optional(kubernetes, "node", nodeReference),
  };
}

/** An absent claim is fine, a malformed one is not. */
function optional<T>(object: JsonObject, name: string, read: (value: Json | undefined) => T | undefined): T | undefined {
  const value = getOwn(object, name);
  if (value === undefined) return undefined;
  const parsed = read(value);
  if (parsed === undefined) throw new InvalidToken("service account token claims could not be validated due to unexpected private claim");
  return parsed;
}

function reference(value: Json | undefined): Reference | undefined {
  if (!isObject(value)) return undefined;
  const [name, uid] = [getOwn(value, "name"), getOwn(value, "uid")];
  return typeof name === "string" && name !== "" && typeof uid === "string" && uid !== "" ? { name, uid } : undefined;
}

/** A pod may name a node that does not exist: then there is no uid, and nothing to check it against. */
function nodeReference(value: Json | undefined): Reference | undefined {
  if (isObject(value) && getOwn(value, "uid") === undefined) return typeof value["name"] === "string" && value["name"] !== "" ? { name: value["name"], uid: "" } : undefined;
  return reference(value);
}

function seconds(value: Json | undefined): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value * 1000 : undefined;
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every(item => typeof item === "string");
}

/** A list as Go's %q prints it. */
function goList(list: readonly string[]): string {
  return `[${list.map(item => JSON.stringify(item)).join(" ")}]`;
}
