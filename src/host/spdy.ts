/** Header decompression for SPDY: zlib with the protocol's dictionary, one inflater for a whole connection. */
import { createInflate } from "node:zlib";
import { spdyDictionary } from "../node/streaming/spdy-dictionary.ts";
import type { Inflate } from "../node/streaming/spdy-session.ts";

// A block holds four short headers; this stops one that was made to grow.
const blockBytesMax = 64 * 1024;

/** Call it for one block after another, never twice at once. */
export function createHeaderInflater(): { readonly inflate: Inflate; close(): void } {
  const zlib = createInflate({ dictionary: spdyDictionary() });
  let chunks: Buffer[] = [];
  let size = 0;
  let failure: Error | undefined;
  zlib.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > blockBytesMax) zlib.destroy(failure = new Error(`a header block is larger than ${blockBytesMax} bytes`));
    else chunks.push(chunk);
  });
  zlib.on("error", error => { failure = error; });
  return {
    inflate: block => new Promise((resolve, reject) => {
      chunks = [];
      size = 0;
      const fail = (): void => reject(failure ?? new Error("the connection's header blocks cannot be read any more"));
      if (zlib.destroyed) return fail();
      zlib.once("close", fail);
      zlib.write(block, error => {
        zlib.off("close", fail);
        if (error || failure) return fail();
        resolve(Buffer.concat(chunks, size));
      });
    }),
    close: () => void zlib.destroy(),
  };
}
