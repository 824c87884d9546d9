/** Whom a TLS client of ours believes. */
import { rootCertificates } from "node:tls";

/**
 * The options that trust the PEM certificates in `ca` as Go's `x509.CertPool` does: every one of them, be it an authority, an intermediate or the very
 * certificate that the server shows (CloudNativePG's webhooks say that one as their `caBundle`). Without `ca`, the authorities that Node brings.
 */
export function trusting(ca: string | undefined): { readonly ca: string | string[]; readonly allowPartialTrustChain: true } {
  return { ca: ca ?? [...rootCertificates], allowPartialTrustChain: true };
}
