/** POSTs JSON to webhooks: the connection goes to exactly the given address, the certificate must be the named host's, redirects are not followed. */
import { request } from "node:https";
import { isIP } from "node:net";
import type { PostJson } from "../api/webhook.ts";
import { dialText } from "./dial-text.ts";
import { trusting } from "./trust.ts";
import { wholeAnswer } from "./whole-answer.ts";

const answerBytesMax = 3 * 1024 * 1024;

export const postJson: PostJson = async ({ url, address, ca, body, timeoutMs, answerBytesMax: bytesMax = answerBytesMax }) => {
  const target = new URL(url);
  const refused = (why: string): Error => new Error(`Post ${JSON.stringify(url)}: ${why}`);
  if (target.protocol !== "https:") throw refused("webhooks are called over https only");
  const name = target.hostname.replace(/^\[|\]$/g, "");
  const host = address?.host ?? name;
  const port = address?.port ?? (target.port === "" ? 443 : Number(target.port));
  const outgoing = request({
    method: "POST", host, port, path: `${target.pathname}${target.search}`, servername: isIP(name) === 0 ? name : "", // an address has no server name in TLS: the certificate must be for the address
    ...trusting(ca), headers: { host: target.host, "content-type": "application/json", accept: "application/json, */*", "content-length": Buffer.byteLength(body), "user-agent": "kube-apiserver-admission" },
  });
  const answer = await wholeAnswer(outgoing, body, { timeoutMs, late: "context deadline exceeded", bytesMax }).catch((error: NodeJS.ErrnoException) => { throw refused(dialText(error, `${isIP(host) === 6 ? `[${host}]` : host}:${port}`)); });
  return { status: answer.status, body: answer.body, contentType: answer.headers["content-type"] ?? "" };
};
