/** From the number that the metrics ask for to the number that is set: bounds, rates and stabilization (pkg/controller/podautoscaler/horizontal.go, normalizeDesiredReplicas…). */
import type { HorizontalPodAutoscaler, HPAScalingRules } from "../kinds/autoscaling/horizontalpodautoscaler.ts";

/** What an autoscaler has lately recommended and done. A restart of the controller forgets it, as upstream's does. */
export type Recently = {
  readonly recommendations: readonly { readonly replicas: number; readonly atMs: number }[];
  readonly up: readonly Change[];
  readonly down: readonly Change[];
};
/** `by` is never negative. */
type Change = { readonly by: number; readonly atMs: number };
export const nothingYet: Recently = { recommendations: [], up: [], down: [] };

/** How long back a lower number is not believed (--horizontal-pod-autoscaler-downscale-stabilization). */
export const downscaleWindowMs = 300_000;
/** Nobody looks further back than the longest window or period that validation allows. */
const memoryMs = 3_600_000;

export type Verdict = { readonly type: "AbleToScale" | "ScalingLimited"; readonly status: "True" | "False"; readonly reason: string; readonly message: string };
export type Limited = { readonly desired: number; readonly conditions: readonly Verdict[]; readonly recently: Recently };

const ready: Verdict = { type: "AbleToScale", status: "True", reason: "ReadyForNewScale", message: "recommended size matches current size" };
const higher = "recent recommendations were higher than current one, applying the highest recent recommendation";
const lower = "recent recommendations were lower than current one, applying the lowest recent recommendation";

export function limitReplicas({ behavior, maxReplicas }: HorizontalPodAutoscaler["spec"], minReplicas: number, current: number, wanted: number, recently: Recently, now: number): Limited {
  const recommendations = [...recently.recommendations.filter(({ atMs }) => now - atMs <= memoryMs), { replicas: wanted, atMs: now }];
  const kept = { ...recently, recommendations };
  if (behavior === undefined) {
    const stable = Math.max(wanted, ...recently.recommendations.filter(({ atMs }) => atMs >= now - downscaleWindowMs).map(({ replicas }) => replicas));
    const able: Verdict = stable === wanted ? ready : { type: "AbleToScale", status: "True", reason: "ScaleDownStabilized", message: higher };
    const [desired, reason, message] = withinBounds(current, stable, minReplicas, maxReplicas);
    return { desired, conditions: [able, limited(desired === stable, reason, message)], recently: kept };
  }
  const scaleUp = behavior.scaleUp ?? {};
  const scaleDown = behavior.scaleDown ?? {};
  const stable = stabilized(scaleUp, scaleDown, current, wanted, recently, now);
  const able: Verdict = stable === wanted ? ready : { type: "AbleToScale", status: "True", ...(wanted >= current ? { reason: "ScaleUpStabilized", message: lower } : { reason: "ScaleDownStabilized", message: higher }) };
  const [desired, reason, message] = withinRates(scaleUp, scaleDown, current, stable, minReplicas, maxReplicas, recently, now);
  return { desired, conditions: [able, limited(desired === stable, reason, message)], recently: kept };
}

/** After the scale was set: what the rates of the next minutes count. */
export function remember(recently: Recently, before: number, after: number, now: number): Recently {
  const change = { by: Math.abs(after - before), atMs: now };
  const fresh = (changes: readonly Change[]): readonly Change[] => changes.filter(({ atMs }) => now - atMs <= memoryMs);
  return after > before ? { ...recently, up: [...fresh(recently.up), change] } : { ...recently, down: [...fresh(recently.down), change] };
}

function limited(free: boolean, reason: string, message: string): Verdict {
  return { type: "ScalingLimited", status: free ? "False" : "True", reason, message };
}

type Outcome = readonly [desired: number, reason: string, message: string];
const inRange = (desired: number): Outcome => [desired, "DesiredWithinRange", "the desired count is within the acceptable range"];
const tooMany = (most: number): Outcome => [most, "TooManyReplicas", "the desired replica count is more than the maximum replica count"];
const tooFew = (least: number): Outcome => [least, "TooFewReplicas", "the desired replica count is less than the minimum replica count"];
const tooFast = (most: number): Outcome => [most, "ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate"];
const tooFastDown = (least: number): Outcome => [least, "ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate"];

/** Without a behavior: at most twice as many, or four. */
function withinBounds(current: number, desired: number, least: number, most: number): Outcome {
  const rate = Math.max(2 * current, 4);
  if (desired < least) return tooFew(least);
  if (desired > Math.min(most, rate)) return most > rate ? tooFast(rate) : tooMany(most);
  return inRange(desired);
}

function stabilized(scaleUp: HPAScalingRules, scaleDown: HPAScalingRules, current: number, wanted: number, { recommendations }: Recently, now: number): number {
  const since = (seconds: number): readonly number[] => recommendations.filter(({ atMs }) => atMs > now - seconds * 1000).map(({ replicas }) => replicas);
  const up = Math.min(wanted, ...since(scaleUp.stabilizationWindowSeconds ?? 0));
  const down = Math.max(wanted, ...since(scaleDown.stabilizationWindowSeconds ?? downscaleWindowMs / 1000));
  return Math.min(Math.max(current, up), down);
}

function withinRates(scaleUp: HPAScalingRules, scaleDown: HPAScalingRules, current: number, desired: number, least: number, most: number, recently: Recently, now: number): Outcome {
  if (desired > current) {
    const rate = Math.max(current, upLimit(scaleUp, current, recently, now));
    if (desired > Math.min(most, rate)) return most > rate ? tooFast(rate) : tooMany(most);
  } else if (desired < current) {
    const rate = Math.min(current, downLimit(scaleDown, current, recently, now));
    if (desired < Math.max(least, rate)) return least < rate ? tooFastDown(rate) : tooFew(least);
  }
  return inRange(desired);
}

function upLimit({ selectPolicy, policies = [] }: HPAScalingRules, current: number, recently: Recently, now: number): number {
  if (selectPolicy === "Disabled") return current;
  // Rounded up: a small percentage must still come to one more.
  const proposals = policies.map(({ type, value, periodSeconds }) => {
    const start = atStart(current, recently, periodSeconds, now);
    return type === "Pods" ? start + value : Math.ceil(start * (1 + value / 100));
  });
  return selectPolicy === "Min" ? Math.min(...proposals) : Math.max(...proposals);
}
function downLimit({ selectPolicy, policies = [] }: HPAScalingRules, current: number, recently: Recently, now: number): number {
  if (selectPolicy === "Disabled") return current;
  const proposals = policies.map(({ type, value, periodSeconds }) => {
    const start = atStart(current, recently, periodSeconds, now);
    return type === "Pods" ? start - value : Math.trunc(start * (1 - value / 100));
  });
  return selectPolicy === "Min" ? Math.max(...proposals) : Math.min(...proposals);
}
/** How many there were when the period began. */
function atStart(current: number, { up, down }: Recently, periodSeconds: number, now: number): number {
  const sum = (changes: readonly Change[]): number => changes.filter(({ atMs }) => atMs > now - periodSeconds * 1000).reduce((total, { by }) => total + by, 0);
  return current - sum(up) + sum(down);
}
