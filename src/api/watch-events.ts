/** What watchers are told of changes: made once for all who ask for the same in the same form. */
import type { ApiError } from "../base/api-error.ts";
import type { Change } from "../store/store.ts";
import type { Core } from "./core.ts";
import { splice, withVersion } from "./objects.ts";
import type { Selection } from "./select.ts";

export type EventType = "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
/** How one client gets its events. Encoders with the same `form` write the same bytes for the same change. */
export type EventEncoder = {
  readonly form: string;
  readonly contentType: string;
  encode(type: EventType, object: any, text: () => string): string | Uint8Array;
  bookmark(revision: number, initialEventsEnd: boolean): string | Uint8Array;
  error(error: ApiError): string | Uint8Array;
};

/** One change as a watcher with this selection sees it: entering is ADDED, leaving is DELETED with the last matching state. */
export function eventOf(core: Core, selection: Selection, change: Change): { readonly type: EventType; readonly object: any; readonly text: () => string } | undefined {
  const { previous, entry, revision } = change;
  const was = previous !== undefined && (selection.all || selection.matches(core.objects.object(previous)));
  if (change.type === "delete") return was || (previous === undefined && (selection.all || selection.matches(core.objects.object(entry)))) ? { type: "DELETED", object: core.objects.object(entry), text: () => core.objects.text(entry) } : undefined;
  const is = selection.all || selection.matches(core.objects.object(entry));
  if (is) return { type: was ? "MODIFIED" : "ADDED", object: core.objects.object(entry), text: () => core.objects.text(entry) };
  if (!was) return undefined;
  const left = withVersion(core.objects.object(previous!), String(revision));
  return { type: "DELETED", object: left, text: () => splice(previous!.value, revision) };
}

/** What one watcher is told of some changes; neighbouring texts are one part. */
export type Told = { readonly count: number; readonly parts: readonly (string | Uint8Array)[] };
type Text = { readonly type: EventType; readonly form: string; readonly text: string | Uint8Array };

const changesMax = 256;
const joinedPartsMax = 64;
const toldMax = 64;

/**
 * Event texts of recent changes. The places for them are made once and used again and again: in a `Map` with so much coming and going, V8's outgrown tables
 * would keep each other, and all that was ever in them, until the next full collection.
 */
export class EventTexts {
  readonly #changes = new Array<Change | undefined>(changesMax);
  readonly #texts: Text[][] = Array.from({ length: changesMax }, () => []);
  // Everybody who watches the same things hears of the same changes, one after another.
  #batch: readonly Change[] = [];
  #told = new Map<string, Told>();
  // Those who chose differently most often got the same.
  #parts: readonly string[] = [];
  #joined = "";
  // So do all who are told at the same time how far they are.
  #revision = 0;
  #bookmarks = new Map<string, string | Uint8Array>();

  /** `undefined`: nothing. `key` stands for selection and encoder together; an empty one is nobody else's. */
  told(changes: readonly Change[], key: string, core: Core, selection: Selection, encoder: EventEncoder): Told | undefined {
    if (key === "") return this.#make(changes, core, selection, encoder);
    if (changes !== this.#batch) {
      this.#batch = changes;
      this.#told = new Map();
    }
    let told = this.#told.get(key);
    // Who is told nothing is not remembered: thousands of nodes watch their own pods alone.
    if (told === undefined && (told = this.#make(changes, core, selection, encoder)) !== undefined && this.#told.size < toldMax) this.#told.set(key, told);
    return told;
  }

  bookmark(revision: number, encoder: EventEncoder): string | Uint8Array {
    if (encoder.form === "") return encoder.bookmark(revision, false);
    if (revision !== this.#revision) {
      this.#revision = revision;
      this.#bookmarks = new Map();
    }
    let bookmark = this.#bookmarks.get(encoder.form);
    if (bookmark === undefined) this.#bookmarks.set(encoder.form, (bookmark = encoder.bookmark(revision, false)));
    return bookmark;
  }

  #make(changes: readonly Change[], core: Core, selection: Selection, encoder: EventEncoder): Told | undefined {
    const texts: string[] = [];
    let count = 0;
    const parts: (string | Uint8Array)[] = [];
    for (const change of changes) {
      const event = eventOf(core, selection, change);
      if (event === undefined) continue;
      count++;
      const text = this.#text(change, encoder.form, event.type, () => encoder.encode(event.type, event.object, event.text));
      if (typeof text === "string") texts.push(text);
      else parts.push(text);
    }
    if (texts.length > 0) parts.push(this.#join(texts));
    return count === 0 ? undefined : { count, parts };
  }

  #text(change: Change, form: string, type: EventType, make: () => string | Uint8Array): string | Uint8Array {
    if (form === "") return make();
    const place = change.revision % changesMax;
    if (this.#changes[place] !== change) {
      this.#changes[place] = change;
      this.#texts[place] = [];
    }
    const texts = this.#texts[place]!;
    for (const known of texts) if (known.type === type && known.form === form) return known.text;
    const text = make();
    texts.push({ type, form, text });
    return text;
  }

  /** The same string for watchers that get the same texts one after another, so that it is encoded once. */
  #join(texts: readonly string[]): string {
    if (texts.length === 1) return texts[0]!;
    if (texts.length > joinedPartsMax) return texts.join("");
    if (texts.length !== this.#parts.length || !texts.every((text, i) => text === this.#parts[i])) {
      this.#parts = texts;
      this.#joined = texts.join("");
    }
    return this.#joined;
  }
}
