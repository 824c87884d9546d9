/** One request, one whole answer, within limits: what our own calls of webhooks, issuers and other API servers have in common. */
import type { ClientRequest, IncomingHttpHeaders } from "node:http";

export type AnswerLimits = { readonly timeoutMs: number; /** The error's text after that. */ readonly late: string; readonly bytesMax: number };
export type WholeAnswer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string };

/** Sends `body` and resolves to the answer, read as UTF-8; rejects with the connection's error, or one that names the limit. */
export function wholeAnswer(outgoing: ClientRequest, body: string | undefined, { timeoutMs, late, bytesMax }: AnswerLimits): Promise<WholeAnswer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => outgoing.destroy(new Error(late)), timeoutMs);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    outgoing.on("error", fail);
    outgoing.on("response", incoming => {
      const chunks: Buffer[] = [];
      let size = 0;
      incoming.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size <= bytesMax) return void chunks.push(chunk);
        // Refused before the connection is: a small answer may have ended already, and would pass for whole.
        fail(new Error(`the answer is larger than ${bytesMax} bytes`));
        outgoing.destroy();
      });
      incoming.on("error", fail);
      incoming.on("end", () => {
        clearTimeout(timer);
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks).toString("utf8") });
      });
    });
    outgoing.end(body);
  });
}
