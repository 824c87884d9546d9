/** The only source of chance. Tests and the simulator hand in a seeded one. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** A random (version 4) UUID. */
  uuid(): string;
  /** `length` unpredictable bytes; cryptographic in production. */
  bytes(length: number): Uint8Array;
}

// Upstream's alphabet for generated names: no vowels, no digits that look like letters (apimachinery util/rand).
const alphabet = "bcdfghjklmnpqrstvwxz2456789";

/** A name suffix of `length` characters, as upstream's `generateName` and pod names use. */
export function suffix(random: Random, length = 5): string {
  let text = "";
  for (let i = 0; i < length; i++) text += alphabet[Math.floor(random.next() * alphabet.length)];
  return text;
}
