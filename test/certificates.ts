/** Throw-away certificate authorities and leaves for tests that speak TLS. */
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { issueCertificate, pem } from "../src/host/pki-der.ts";

export type Leaf = { readonly cert: string; readonly key: string };
export type TestAuthority = { readonly ca: string; leaf(commonName: string, usage: "server" | "client", organizations?: readonly string[], names?: readonly string[], lifeMs?: number): Leaf };

export function testAuthority(name: string): TestAuthority {
  const key = newKey();
  const now = Date.now();
  const der = issueCertificate({ commonName: name, key, notBefore: now - 60_000, notAfter: now + 3_600_000, usage: "ca" }, { key, certificate: undefined });
  return {
    ca: pem("CERTIFICATE", der),
    leaf(commonName, usage, organizations = [], names = [], lifeMs = 3_600_000) {
      const leafKey = newKey();
      const certificate = issueCertificate(
        { commonName, organizations, key: leafKey, notBefore: now - 60_000, notAfter: now + lifeMs, usage: [usage], names },
        { key, certificate: der },
      );
      return { cert: pem("CERTIFICATE", certificate), key: leafKey.export({ type: "pkcs8", format: "pem" }) as string };
    },
  };
}

function newKey() {
  return createPrivateKey(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }));
}
