/** POSTs JSON to webhooks: the connection goes to exactly the given address, the certificate must be the named host's, redirects are not followed. */
import { request } from "node:https";
import { rootCertificates } from "node:tls";
import type { PostJson } from "../api/webhook.ts";

const answerBytesMax = 3 * 1024 * 1024;

export const postJson: PostJson = ({ url, address, ca, body, timeoutMs, answerBytesMax: bytesMax = answerBytesMax }) => new Promise((resolve, reject) => {
  const target = new URL(url);
  const refuse = (why: string): void => reject(new Error(`Post ${JSON.stringify(url)}: ${why}`));
  if (target.protocol !== "https:") return refuse("webhooks are called over https only");
  const outgoing = request({
    method: "POST", host: address?.host ?? target.hostname, port: address?.port ?? (target.port === "" ? 443 : Number(target.port)), path: `${target.pathname}${target.search}`, servername: target.hostname,
    ca: ca === undefined ? [...rootCertificates] : ca, agent: false, headers: { host: target.host, "content-type": "application/json", accept: "application/json, */*", "content-length": Buffer.byteLength(body), "user-agent": "kube-apiserver-admission" },
  });
  const timer = setTimeout(() => outgoing.destroy(new Error(`context deadline exceeded`)), timeoutMs);
  outgoing.on("error", error => {
    clearTimeout(timer);
    refuse(error.message);
  });
  outgoing.on("response", incoming => {
    const chunks: Buffer[] = [];
    let size = 0;
    incoming.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= bytesMax) return void chunks.push(chunk);
      // Refused before the connection is: a small answer may have ended already.
      clearTimeout(timer);
      refuse(`the answer is larger than ${bytesMax} bytes`);
      outgoing.destroy();
    });
    incoming.on("error", error => {
      clearTimeout(timer);
      refuse(error.message);
    });
    incoming.on("end", () => {
      clearTimeout(timer);
      resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") });
    });
  });
  outgoing.end(body);
});
