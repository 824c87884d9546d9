/** A chunked body as it arrives: where it ends, and its bytes with or without the framing. Extensions and trailers are left out. */
import { BadMessage } from "./ingress-fields.ts";

const lineBytesMax = 256;
const trailerBytesMax = 16 * 1024;
const cr = 13;
const lf = 10;

type Place = "size" | "extension" | "size-lf" | "data" | "data-cr" | "data-lf" | "trailer" | "trailer-line" | "trailer-lf" | "end-lf" | "done";

export class Chunks {
  readonly #framed: boolean;
  #place: Place = "size";
  #size = 0;
  #digits = 0;
  #line = 0;
  #trailers = 0;
  /** Bytes of the content so far. */
  length = 0;

  /** `framed`: what comes out is chunked as well, fit to be sent on. */
  constructor(framed: boolean) {
    this.#framed = framed;
  }

  get done(): boolean { return this.#place === "done"; }

  /** Hands each run of bytes to `out` and says how many of `bytes` belonged to the body. Throws BadMessage. */
  feed(bytes: Buffer, out: (part: Buffer) => void): number {
    // Where the run that may be sent on began; -1 outside of one.
    let from = this.#framed && (this.#place === "size" || this.#place === "size-lf" || this.#place === "data" || this.#place === "data-cr" || this.#place === "data-lf") ? 0 : -1;
    const cut = (to: number): void => { if (from >= 0 && to > from) out(bytes.subarray(from, to)); from = -1; };
    let i = 0;
    for (; i < bytes.length && this.#place !== "done"; ) {
      const byte = bytes[i]!;
      switch (this.#place) {
        case "size": {
          const digit = byte >= 48 && byte <= 57 ? byte - 48 : (byte | 32) >= 97 && (byte | 32) <= 102 ? (byte | 32) - 87 : -1;
          if (digit >= 0) {
            if (++this.#digits > 12) throw new BadMessage("a chunk that is too large");
            this.#size = this.#size * 16 + digit;
          } else if (this.#digits === 0) throw new BadMessage("a chunk without a size");
          else if (byte === cr) this.#place = "size-lf";
          else if (byte === 59 /* ; */) { cut(i); this.#place = "extension"; this.#line = 0; }
          else throw new BadMessage("a chunk size that is no number");
          i++;
          break;
        }
        case "extension":
          if (byte === cr) { this.#place = "size-lf"; if (this.#framed) from = i; }
          else if (byte === lf || (byte < 32 && byte !== 9) || byte === 127 || ++this.#line > lineBytesMax) throw new BadMessage("a chunk extension that is malformed or too long");
          i++;
          break;
        case "size-lf":
          if (byte !== lf) throw new BadMessage("a chunk size that does not end in CRLF");
          i++;
          if (this.#size > 0) this.#place = "data";
          else { this.#place = "trailer"; cut(i); }
          break;
        case "data": {
          const take = Math.min(this.#size, bytes.length - i);
          if (!this.#framed) out(bytes.subarray(i, i + take));
          this.length += take;
          this.#size -= take;
          i += take;
          if (this.#size === 0) this.#place = "data-cr";
          break;
        }
        case "data-cr":
          if (byte !== cr) throw new BadMessage("a chunk that is longer than it says");
          this.#place = "data-lf";
          i++;
          break;
        case "data-lf":
          if (byte !== lf) throw new BadMessage("a chunk that does not end in CRLF");
          this.#place = "size";
          this.#digits = 0;
          i++;
          break;
        case "trailer":
          if (byte === cr) this.#place = "end-lf";
          else { this.#place = "trailer-line"; continue; }
          i++;
          break;
        case "trailer-line":
          if (++this.#trailers > trailerBytesMax) throw new BadMessage("trailers that are too long", 431);
          if (byte === cr) this.#place = "trailer-lf";
          else if (byte === lf || byte === 0) throw new BadMessage("a trailer that is malformed");
          i++;
          break;
        case "trailer-lf":
          if (byte !== lf) throw new BadMessage("a trailer that does not end in CRLF");
          this.#place = "trailer";
          i++;
          break;
        case "end-lf":
          if (byte !== lf) throw new BadMessage("a chunked body that does not end in CRLF");
          this.#place = "done";
          i++;
          if (this.#framed) out(lastLine);
          break;
      }
    }
    if (this.#framed && from >= 0) cut(i);
    return i;
  }
}
const lastLine = Buffer.from("\r\n");
