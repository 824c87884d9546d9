/** Shuffle sharding: each flow is dealt a few of the level's queues, so that two flows seldom share all of them (apiserver pkg/util/shufflesharding). */

/** Flows of one level whose hands are remembered; beyond them all are dealt again. */
const handsMax = 2_000;

/** `handSize` different queues of `deckSize`, from 60 bits of hash. */
export function deal(hash: bigint, deckSize: number, handSize: number): readonly number[] {
  const hand: number[] = [];
  let rest = hash;
  for (let i = 0; i < handSize; i++) {
    const left = BigInt(deckSize - i);
    let card = Number(rest % left);
    rest /= left;
    // The n-th of the cards still in the deck: every lower one already dealt moves it up by one.
    for (const taken of [...hand].sort((a, b) => a - b)) if (card >= taken) card++;
    hand.push(card);
  }
  return hand;
}

/** Hands of flows, remembered. */
export class Dealer {
  readonly #hash: (text: string) => Uint8Array;
  readonly #deckSize: number;
  readonly #handSize: number;
  readonly #hands = new Map<string, readonly number[]>();

  constructor(hash: (text: string) => Uint8Array, deckSize: number, handSize: number) {
    this.#hash = hash;
    this.#deckSize = deckSize;
    this.#handSize = Math.min(handSize, deckSize);
  }

  hand(schema: string, distinguisher: string): readonly number[] {
    const flow = `${schema}\0${distinguisher}`;
    const known = this.#hands.get(flow);
    if (known !== undefined) return known;
    const bytes = this.#hash(flow);
    const hand = deal(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true), this.#deckSize, this.#handSize);
    if (this.#hands.size >= handsMax) this.#hands.clear();
    this.#hands.set(flow, hand);
    return hand;
  }
}
