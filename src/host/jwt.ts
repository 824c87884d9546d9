/** The keys that sign service-account tokens: one file, newest first; the first signs, all verify. */
import { createHash, createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { SigningKey, VerificationKey } from "../api/authn/jwt.ts";
import type { JsonObject } from "../base/json.ts";
import { writeFileAtomic } from "./files.ts";

/** Loads the keys, making the first one (ECDSA P-256) if there is none. */
export async function openSigningKeys(path: string): Promise<readonly [SigningKey, ...SigningKey[]]> {
  let text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  if (text === "") {
    text = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }) as string;
    await writeFileAtomic(path, text);
  }
  const [first, ...more] = (text.match(/-----BEGIN [A-Z ]+-----[^-]+-----END [A-Z ]+-----/g) ?? []).map(pem => signingKey(createPrivateKey(pem)));
  if (first === undefined) throw new Error(`${path} holds no private key; restore it, or remove it to make a new one (which ends every service account's token)`);
  return [first, ...more];
}

export function signingKey(key: KeyObject): SigningKey {
  const verification = verificationKey(createPublicKey(key));
  return { ...verification, sign: input => sign("sha256", Buffer.from(input, "ascii"), options(key)) };
}

/** ES256 for P-256, RS256 for RSA of 2048 bits and more: the key alone decides. */
export function verificationKey(key: KeyObject): VerificationKey {
  const isRsa = key.asymmetricKeyType === "rsa";
  const details = key.asymmetricKeyDetails;
  if (isRsa ? (details?.modulusLength ?? 0) < 2048 : details?.namedCurve !== "prime256v1") throw new Error("a token key must be ECDSA P-256, or RSA of at least 2048 bits");
  const alg = isRsa ? "RS256" : "ES256";
  const kid = createHash("sha256").update(key.export({ type: "spki", format: "der" })).digest("base64url");
  return {
    kid, alg,
    jwk: { use: "sig", kid, alg, ...(key.export({ format: "jwk" }) as JsonObject) },
    verify: (input, signature) => (isRsa || signature.length === 64) && verify("sha256", Buffer.from(input, "ascii"), options(key), signature),
  };
}

/** JOSE writes an ECDSA signature as r and s side by side, not as DER. */
function options(key: KeyObject): { key: KeyObject; dsaEncoding: "ieee-p1363" } {
  return { key, dsaEncoding: "ieee-p1363" };
}

/** A JSON web signature (HS256) without its content (RFC 7515 appendix F), as bootstrap tokens make them. */
export function detachedSignature(content: string, id: string, secret: string): string {
  const header = Buffer.from(JSON.stringify({ alg: "HS256", kid: id })).toString("base64url");
  return `${header}..${createHmac("sha256", secret).update(`${header}.${Buffer.from(content).toString("base64url")}`).digest("base64url")}`;
}
