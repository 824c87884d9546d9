/** Cryptography, which the core does not have. `request` is spec.request. */
export interface CertificateSigner {
  /** Throws when the request cannot be read. */
  read(request: string): RequestFacts;
  /** The certificate as status.certificate has it. */
  sign(what: { readonly request: string; readonly usages: readonly string[]; readonly seconds: number | undefined; readonly authority: "client" | "serving" }): string;
  notAfter(certificate: string): number;
}
export type RequestFacts = {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
};
