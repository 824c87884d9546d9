/** Signs the certificates that CertificateSigningRequests ask for, with the cluster's own authorities. Loaded when the first request comes. */
import { X509Certificate } from "node:crypto";
import type { CertificateSigner } from "../controllers/certificate-signer.ts";
import type { Pki } from "../host/pki.ts";
import { parseCertificateRequest } from "../host/pki-csr.ts";
import { pem } from "../host/pki-der.ts";

const text = (base64: string): string => Buffer.from(base64, "base64").toString("latin1");

export function certificateSigner(pki: Pki): CertificateSigner {
  return {
    read: request => parseCertificateRequest(text(request)),
    sign({ request, usages, seconds, authority }) {
      const { key, subject, alternativeNames } = parseCertificateRequest(text(request));
      const der = pki.issue(authority, {
        key, subject, alternativeNames, seconds, usage: (["server", "client"] as const).filter(use => usages.includes(`${use} auth`)), keyEncipherment: usages.includes("key encipherment"),
      });
      return Buffer.from(pem("CERTIFICATE", der)).toString("base64");
    },
    notAfter: certificate => new X509Certificate(text(certificate)).validToDate.getTime(),
  };
}
