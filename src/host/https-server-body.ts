/** Reads a request's body whole, within bounds, and never hands out half of one. */
import type { Readable } from "node:stream";
import { ApiError } from "../base/api-error.ts";
import type { Headers } from "../api/http.ts";
import type { ServerLimits } from "./https-server-limits.ts";

const nothing = new Uint8Array(0);

/**
 * `cut` says, once the stream has ended, whether the client went away in the middle: after a dropped upload Node still reports an orderly
 * end on HTTP/2, and a truncated body that happens to parse would be stored. `upload`, where there is one, already hears of the stream's errors and its end,
 * and tells us: two listeners more on every stream would cost as much as reading it.
 */
export function readBody(stream: Readable, headers: Headers, limits: ServerLimits, cut: () => boolean, upload?: { gone: ((error?: Error) => void) | undefined }): Promise<Uint8Array> {
  const encoding = headers["content-encoding"];
  // Upstream does not decode request bodies either: it would fail to parse them. We say why.
  if (encoding !== undefined && encoding !== "" && encoding !== "identity")
    return Promise.reject(new ApiError("UnsupportedMediaType", `the body of the request has the content encoding "${String(encoding)}"; only unencoded bodies are accepted`));
  const declared = headers["content-length"] === undefined ? undefined : Number(headers["content-length"]);
  if (declared !== undefined && declared > limits.bodyBytes) return Promise.reject(tooLarge(limits));
  if (stream.readableEnded) return Promise.resolve(nothing);
  if (stream.destroyed) return Promise.reject(new Error("the client went away before its request had arrived"));

  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => finish(new ApiError("Timeout", "the request's body did not arrive in time")), limits.bodyMs);
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size > limits.bodyBytes) return finish(tooLarge(limits));
      chunks.push(chunk);
    };
    const onEnd = () => {
      if (cut() || (declared !== undefined && size !== declared)) finish(new Error("the client went away in the middle of its request"));
      else finish(undefined);
    };
    const onClose = (error?: Error) => finish(new Error("the client went away in the middle of its request", error === undefined ? undefined : { cause: error }));
    const finish = (error: Error | undefined) => {
      clearTimeout(timer);
      stream.off("data", onData).off("end", onEnd);
      if (upload === undefined) stream.off("close", onClose).off("error", onClose);
      else upload.gone = undefined;
      if (error === undefined) return resolve(chunks.length === 1 ? chunks[0] as Buffer : Buffer.concat(chunks, size));
      stream.pause();
      reject(error);
    };
    if (upload === undefined) stream.on("close", onClose).on("error", onClose);
    else {
      const { gone } = upload;
      upload.gone = error => { gone?.(error); onClose(error); };
    }
    stream.on("data", onData).on("end", onEnd);
  });
}

function tooLarge(limits: ServerLimits): ApiError {
  return new ApiError("RequestEntityTooLarge", `Request entity too large: limit is ${limits.bodyBytes}`);
}
