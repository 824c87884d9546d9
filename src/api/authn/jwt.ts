/**
 * JSON web tokens in compact form, as service accounts have them (RFC 7515, 7519; rules of RFC 8725). The key decides the algorithm, never the
 * token; a header may hold `alg`, `kid` and `typ` and nothing else, so whatever could name a key or change what is signed is refused.
 * Cryptography is a parameter: `host/jwt.ts`.
 */
import { decodeBase64Url, encodeBase64Url } from "../../base/base64.ts";
import { getOwn, isObject, type Json, type JsonObject } from "../../base/json.ts";
import { JsonError, parseJson, stringifyJson } from "../../base/json-codec.ts";

/** A public key that tokens may be signed with. `kid` is base64url(SHA-256 of the key's SPKI), as upstream derives it. */
export type VerificationKey = {
  readonly kid: string;
  readonly alg: "ES256" | "RS256";
  /** The key as a JWK, for the discovery document. */
  readonly jwk: JsonObject;
  verify(signingInput: string, signature: Uint8Array): boolean;
};
export type SigningKey = VerificationKey & { sign(signingInput: string): Uint8Array };

/** Tokens longer than this are refused unread; ours are about a thousand characters. */
export const tokenCharsMax = 16 * 1024;
const headerFields: ReadonlySet<string> = new Set(["alg", "kid", "typ"]);

/** Why a token is not valid, in words that may be shown to whoever reviews it. */
export class InvalidToken extends Error {
  override name = "InvalidToken";
}

export function signJwt(claims: Json, key: SigningKey): string {
  const encoder = new TextEncoder();
  const part = (value: Json): string => encodeBase64Url(encoder.encode(stringifyJson(value)));
  const input = `${part({ alg: key.alg, kid: key.kid })}.${part(claims)}`;
  return `${input}.${encodeBase64Url(key.sign(input))}`;
}

/** The payload of a token whose signature holds under one of `keys`. Throws `InvalidToken`. Says nothing yet of times, issuer or audience. */
export function verifyJwt(token: string, keys: ReadonlyMap<string, VerificationKey>): JsonObject {
  if (token.length > tokenCharsMax) throw new InvalidToken("token is too long");
  const parts = token.split(".");
  if (parts.length !== 3) throw new InvalidToken("token is not a compact JSON web token");
  const [head, body, tail] = parts as [string, string, string];
  const header = objectOf(head);
  for (const field of Object.keys(header)) if (!headerFields.has(field)) throw new InvalidToken("token header has an unexpected parameter");
  const typ = getOwn(header, "typ");
  if (typ !== undefined && (typeof typ !== "string" || typ.toUpperCase() !== "JWT")) throw new InvalidToken("token is not of type JWT");
  const kid = getOwn(header, "kid");
  const key = typeof kid === "string" ? keys.get(kid) : undefined;
  if (key === undefined) throw new InvalidToken("invalid signature, no keys found");
  if (getOwn(header, "alg") !== key.alg) throw new InvalidToken("token is not signed with its key's algorithm");
  if (!key.verify(`${head}.${body}`, bytesOf(tail))) throw new InvalidToken("invalid signature");
  return objectOf(body);
}

/** The parts of a compact token, read but not judged. Throws `InvalidToken`. */
export function partsOf(token: string): { readonly header: JsonObject; readonly claims: JsonObject; readonly input: string; readonly signature: Uint8Array } {
  if (token.length > tokenCharsMax) throw new InvalidToken("token is too long");
  const [head, body, tail, ...more] = token.split(".");
  if (head === undefined || body === undefined || tail === undefined || more.length > 0) throw new InvalidToken("token is not a compact JSON web token");
  return { header: objectOf(head), claims: objectOf(body), input: `${head}.${body}`, signature: bytesOf(tail) };
}

/** The claims as they stand, not verified: only to tell whose token this would be. `undefined` if it is no token at all. */
export function peekIssuer(token: string): string | undefined {
  if (token.length > tokenCharsMax) return undefined;
  try {
    const parts = token.split(".");
    const issuer = parts.length === 3 ? getOwn(objectOf(parts[1]!), "iss") : undefined;
    return typeof issuer === "string" ? issuer : undefined;
  } catch (error) {
    if (error instanceof InvalidToken) return undefined;
    throw error;
  }
}

function objectOf(part: string): JsonObject {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytesOf(part));
  } catch (error) {
    if (error instanceof InvalidToken) throw error;
    throw new InvalidToken("token is not UTF-8", { cause: error });
  }
  try {
    const { value, duplicates } = parseJson(text);
    if (!isObject(value) || duplicates.length > 0) throw new InvalidToken("token is not a JSON object with distinct keys");
    return value;
  } catch (error) {
    if (error instanceof JsonError) throw new InvalidToken("token is not JSON", { cause: error });
    throw error;
  }
}

/** Only the one canonical spelling of each byte string: no padding, no stray bits, so that a token cannot be varied and stay valid. */
function bytesOf(part: string): Uint8Array {
  const bytes = decodeBase64Url(part);
  if (bytes === undefined || bytes.length === 0 || encodeBase64Url(bytes) !== part) throw new InvalidToken("token is not base64url");
  return bytes;
}
