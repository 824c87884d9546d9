/** How the server's seats are divided among the priority levels (apiserver pkg/util/flowcontrol/apf_controller.go, conc_alloc.go). */
import type { LevelSpec } from "./objects.ts";

/** Seats of the whole server: upstream's --max-requests-inflight plus --max-mutating-requests-inflight. */
export const serverSeats = 400 + 200;
/** One list may take this part of its level's seats. */
const requestSeatsPart = 0.15;

/** Seats of one level: its nominal share, what it keeps when all lend, and the most it can borrow up to. */
export type Limits = { readonly nominal: number; readonly min: number; readonly max: number };

export const sharesOf = ({ limited, exempt }: LevelSpec): number => (limited !== undefined ? (limited.nominalConcurrencyShares ?? 30) : (exempt?.nominalConcurrencyShares ?? 0));

/** Every level's limits from everybody's shares. */
export function limitsOf(spec: LevelSpec, shareSum: number, total = serverSeats): Limits {
  const nominal = shareSum === 0 ? 0 : Math.ceil((total * sharesOf(spec)) / shareSum);
  const lendable = Math.round((nominal * (spec.limited?.lendablePercent ?? spec.exempt?.lendablePercent ?? 0)) / 100);
  const percent = spec.limited?.borrowingLimitPercent;
  return { nominal, min: nominal - lendable, max: nominal + (percent === undefined ? total : Math.round((nominal * percent) / 100)) };
}

/** Seats that one request of the level may take; 0: as many as a request may take at all. */
export function requestSeatsMax(spec: LevelSpec, nominal: number): number {
  const queuing = spec.limited?.limitResponse.queuing;
  return queuing === undefined ? 0 : Math.max(1, Math.min(Math.ceil(nominal * requestSeatsPart), Math.floor(nominal / queuing.handSize)));
}

export type Claim = { readonly target: number; readonly lower: number; readonly upper: number };
/** A target smaller than this counts as this much, so that nothing is divided by zero. */
const targetMin = 0.001;

/**
 * The one division of `sum` seats in which everybody gets the same fraction of its target, but at least `lower` and at most `upper`;
 * `undefined` when the bounds allow none.
 */
export function divide(sum: number, claims: readonly Claim[]): { readonly seats: readonly number[]; readonly fraction: number } | undefined {
  const targets = claims.map(({ target }) => Math.max(target, targetMin));
  const at = (fraction: number): readonly number[] => claims.map(({ lower, upper }, i) => Math.min(upper, Math.max(lower, fraction * targets[i]!)));
  const sumAt = (fraction: number): number => at(fraction).reduce((a, b) => a + b, 0);
  // Between two neighbouring bounds the sum grows in a straight line.
  const bends = [...new Set([0, ...claims.flatMap(({ lower, upper }, i) => [lower / targets[i]!, upper / targets[i]!])])].sort((a, b) => a - b);
  const slack = 1e-7;
  if (claims.length === 0 || sumAt(0) > sum + slack || sumAt(bends.at(-1)!) < sum - slack) return undefined;
  const next = bends.findIndex(bend => sumAt(bend) >= sum - slack);
  const [high, low] = [bends[next]!, bends[Math.max(0, next - 1)]!];
  const [highSum, lowSum] = [sumAt(high), sumAt(low)];
  const fraction = highSum - lowSum < slack ? high : low + ((high - low) * (sum - lowSum)) / (highSum - lowSum);
  return { seats: at(fraction), fraction };
}

/** What one level asked for in the last period, and what it is. */
export type Borrower = { readonly exempt: boolean; readonly limits: Limits; readonly highest: number; readonly smoothed: number; readonly current: number };
export type Allotment = { readonly seats: readonly number[]; readonly targets: readonly number[]; readonly fraction: number };

/** Seats of each level for the next period: exempt ones take what they used, the others lend and borrow within their limits. */
export function allot(levels: readonly Borrower[]): Allotment {
  const least = levels.map(({ exempt, limits, highest }) => Math.max(limits.min, exempt ? highest : Math.min(limits.nominal, highest)));
  const targets = levels.map(({ smoothed }, i) => Math.max(least[i]!, smoothed));
  const nominalSum = levels.reduce((sum, { limits }) => sum + limits.nominal, 0);
  const limited = levels.map((_, i) => i).filter(i => !levels[i]!.exempt);
  const exemptSum = levels.reduce((sum, { exempt }, i) => sum + (exempt ? least[i]! : 0), 0);
  const remaining = nominalSum - exemptSum;
  const minSum = limited.reduce((sum, i) => sum + levels[i]!.limits.min, 0);
  const leastSum = limited.reduce((sum, i) => sum + least[i]!, 0);
  const seats = [...least];
  let fraction = 0;
  if (remaining <= minSum) for (const i of limited) seats[i] = levels[i]!.limits.min;
  else if (remaining <= leastSum) {
    const part = (remaining - minSum) / (leastSum - minSum);
    for (const i of limited) seats[i] = levels[i]!.limits.min + Math.round((least[i]! - levels[i]!.limits.min) * part);
  } else {
    const divided = divide(nominalSum, limited.map(i => ({ target: targets[i]!, lower: least[i]!, upper: levels[i]!.limits.max })));
    fraction = divided?.fraction ?? 0;
    limited.forEach((i, at) => (seats[i] = divided === undefined ? levels[i]!.current : Math.round(divided.seats[at]!)));
  }
  return { seats, targets, fraction };
}
