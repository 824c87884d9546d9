/** A private key with its certificate, as one file holds them. */
import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";

export type Identity = {
  readonly key: KeyObject;
  /** PEM. */
  readonly certificate: string;
  readonly x509: X509Certificate;
  /** PEM of the authority that the holder trusts, if the file says so. */
  readonly trusted: string | undefined;
  readonly notBefore: number;
  readonly notAfter: number;
};

/** Reads `key, certificate[, trusted authority]`; `undefined` if there is no such file. Throws, naming the file, if it is damaged. */
export async function readIdentity(path: string): Promise<Identity | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const [key, certificate, trusted] = text.match(/-----BEGIN [A-Z ]+-----[^-]+-----END [A-Z ]+-----\n?/g) ?? [];
  if (key === undefined || certificate === undefined) throw new Error(`${path} does not hold a private key and a certificate; restore it, or remove it to have a new one made`);
  try {
    const privateKey = createPrivateKey(key);
    const x509 = new X509Certificate(certificate);
    if (!x509.checkPrivateKey(privateKey)) throw new Error("the key is not the certificate's");
    return { key: privateKey, certificate, x509, trusted, notBefore: x509.validFromDate.getTime(), notAfter: x509.validToDate.getTime() };
  } catch (error) {
    throw new Error(`${path} is damaged; restore it, or remove it to have a new one made`, { cause: error });
  }
}

/** RSA keys in PKCS #1, the form that every client reads. */
export function privateKeyPem(key: KeyObject): string {
  return key.export({ type: key.asymmetricKeyType === "rsa" ? "pkcs1" : "pkcs8", format: "pem" }) as string;
}

/**
 * Calls `renewed` when another process replaced the file with a renewed identity, until the returned function is called.
 * This is how the node agent follows the server's renewals without a restart.
 */
export function watchIdentity(path: string, renewed: (identity: Identity) => void, failed: (error: unknown) => void): () => void {
  let last = "";
  const watcher = watch(dirname(path), { persistent: false }, (_, file) => {
    if (file !== basename(path)) return;
    readIdentity(path).then(identity => {
      if (identity === undefined || identity.certificate === last) return;
      last = identity.certificate;
      renewed(identity);
    }).catch(failed);
  });
  watcher.on("error", failed);
  return () => watcher.close();
}
