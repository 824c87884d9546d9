/** What judging other issuers' tokens needs of the outside: their documents over HTTPS, their keys, and a webhook's connection. */
import { createPublicKey, constants, verify, type JsonWebKeyInput, type KeyObject } from "node:crypto";
import { Agent, request, type RequestOptions } from "node:https";
import type { FetchText, ReadJwk } from "../api/authn/oidc/issuer.ts";
import type { PostReview } from "../api/ask-review.ts";
import { getOwn, isObject, type Json, type JsonObject } from "../base/json.ts";
import { believing, certificatesOf, trusting } from "./trust.ts";
import { wholeAnswer, type WholeAnswer } from "./whole-answer.ts";

const reviewBytesMax = 1024 * 1024;

export const fetchText: FetchText = ({ url, ca, timeoutMs, bytesMax }) => exchange(url, { method: "GET", ...trusting(ca), headers: { accept: "application/json, */*", "user-agent": "kube-apiserver" } }, undefined, timeoutMs, bytesMax);

/** The webhook of a kubeconfig's current context, or of its only cluster and user. `read` gives the files that it names; `connections`: how many are kept, for those that are asked often. Throws an `Error` naming the field. */
export async function webhookOf(kubeconfig: Json, read: (path: string) => Promise<string>, connections = 0): Promise<PostReview> {
  const named = (list: string, name: Json | undefined): JsonObject => {
    const items = isObject(kubeconfig) ? getOwn(kubeconfig, list) : undefined;
    const all = Array.isArray(items) ? items.filter(isObject) : [];
    const found = name === undefined && all.length === 1 ? all[0] : all.find(item => getOwn(item, "name") === name);
    const value = found === undefined ? undefined : getOwn(found, list === "users" ? "user" : list.slice(0, -1));
    if (!isObject(value)) throw new Error(`${list}: none of the name ${JSON.stringify(name ?? "")}`);
    return value;
  };
  const current = isObject(kubeconfig) ? getOwn(kubeconfig, "current-context") : undefined;
  const context = typeof current === "string" && current !== "" ? named("contexts", current) : undefined;
  const cluster = named("clusters", context === undefined ? undefined : getOwn(context, "cluster"));
  const hasUser = context !== undefined ? getOwn(context, "user") !== undefined : Array.isArray(getOwn(kubeconfig as JsonObject, "users"));
  const user = hasUser ? named("users", context === undefined ? undefined : getOwn(context, "user")) : {};
  const server = getOwn(cluster, "server");
  if (typeof server !== "string" || !URL.canParse(server) || new URL(server).protocol !== "https:") throw new Error(`clusters: server: ${JSON.stringify(server)}: expected an https URL`);
  const pem = async (from: JsonObject, field: string): Promise<string | undefined> => {
    const data = getOwn(from, `${field}-data`);
    if (typeof data === "string") return Buffer.from(data, "base64").toString("utf8");
    const path = getOwn(from, field);
    return typeof path === "string" ? read(path) : undefined;
  };
  const [ca, cert, key] = await Promise.all([pem(cluster, "certificate-authority"), pem(user, "client-certificate"), pem(user, "client-key")]);
  const token = getOwn(user, "token");
  const options: RequestOptions = { method: "POST", ...trusting(ca, connections === 0 ? undefined : believing(new Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections }))), ...(cert === undefined ? {} : { cert, key }) };
  const headers = { "content-type": "application/json", accept: "application/json, */*", "user-agent": "kube-apiserver", ...(typeof token === "string" ? { authorization: `Bearer ${token}` } : {}) };
  // The time that there is goes with the question (client-go rest).
  const asked = (timeoutMs: number): string => `${server}${server.includes("?") ? "&" : "?"}timeout=${timeoutMs < 1000 ? `${timeoutMs}ms` : `${timeoutMs / 1000}s`}`;
  return (body, timeoutMs) => exchange(asked(timeoutMs), { ...options, headers: { ...headers, "content-length": Buffer.byteLength(body) } }, body, timeoutMs, reviewBytesMax);
}

/** One exchange, on a connection of its own unless there is an agent, as most are rare. */
async function exchange(url: string, options: RequestOptions, body: string | undefined, timeoutMs: number, bytesMax: number): Promise<WholeAnswer> {
  return wholeAnswer(request(url, options), body, { timeoutMs, late: "no answer in time", bytesMax })
    .catch((error: Error) => { throw new Error(`${options.method ?? "GET"} ${url}: ${error.message}`, { cause: error }); });
}

/** RSA of 2048 bits and more, and the three curves: the key says what it may be used with, never the token. */
export const readJwk: ReadJwk = jwk => {
  const use = getOwn(jwk, "use");
  if (use !== undefined && use !== "sig") return undefined;
  const key = publicKeyOf(jwk);
  const algorithms = key === undefined ? [] : algorithmsOf(key);
  const alg = getOwn(jwk, "alg");
  const allowed = typeof alg === "string" ? algorithms.filter(each => each === alg) : algorithms;
  if (key === undefined || allowed.length === 0) return undefined;
  return { kid: String(getOwn(jwk, "kid") ?? ""), algorithms: new Set(allowed), verify: (algorithm, input, signature) => verifies(key, algorithm, input, signature) };
};

function publicKeyOf(jwk: JsonObject): KeyObject | undefined {
  if (getOwn(jwk, "kty") === "oct" || getOwn(jwk, "d") !== undefined) return undefined;
  try {
    return createPublicKey({ key: jwk as JsonWebKeyInput["key"], format: "jwk" });
  } catch (error) {
    // A key that cannot be read verifies nothing; the issuer's other keys still count.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

const curves = new Map([["prime256v1", "ES256"], ["secp384r1", "ES384"], ["secp521r1", "ES512"]]);
function algorithmsOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): readonly string[] {
  if (type === "rsa") return (details?.modulusLength ?? 0) < 2048 ? [] : ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
  const curve = type === "ec" ? curves.get(details?.namedCurve ?? "") : undefined;
  return curve === undefined ? [] : [curve];
}

function verifies(key: KeyObject, algorithm: string, input: string, signature: Uint8Array): boolean {
  const hash = `sha${algorithm.slice(2)}`;
  const data = Buffer.from(input, "ascii");
  switch (algorithm.slice(0, 2)) {
    case "RS": return verify(hash, data, key, signature);
    case "PS": return verify(hash, data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }, signature);
    default: return verify(hash, data, { key, dsaEncoding: "ieee-p1363" }, signature);
  }
}

/** Whether a PEM text holds certificates, and nothing that is none. */
export function isAuthority(pem: string): boolean {
  try {
    return certificatesOf(pem).length > 0;
  } catch {
    // One of them is none; whoever asks says so.
    return false;
  }
}
