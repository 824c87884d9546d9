/** Metrics as autoscaling/v1 writes them into annotations, flatter than autoscaling/v2 has them, and back (kubernetes pkg/apis/autoscaling/v1/conversion.go). */
import { isObject } from "../../base/json.ts";

type Fields = { readonly [name: string]: any };
const without = (object: Fields): Fields => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
const reference = ({ kind = "", name = "", apiVersion }: Fields = {}): Fields => without({ kind, name, apiVersion });
/** Of a target its fields begin with `target`, of a status with `current`; a status always has an average. */
type Part = "target" | "current";

const flat: { readonly [source: string]: (source: Fields, part: Part) => Fields } = {
  object: ({ describedObject, metric, ...rest }, part) => ({ target: reference(describedObject), metricName: metric.name ?? "", [`${part}Value`]: rest[part].value ?? "0", selector: metric.selector, averageValue: rest[part].averageValue }),
  pods: ({ metric, ...rest }, part) => ({ metricName: metric.name ?? "", [`${part}AverageValue`]: rest[part].averageValue ?? "0", selector: metric.selector }),
  resource: ({ name, ...rest }, part) => ({ name, [`${part}AverageUtilization`]: rest[part].averageUtilization, [`${part}AverageValue`]: rest[part].averageValue ?? (part === "current" ? "0" : undefined) }),
  containerResource: ({ name, container = "", ...rest }, part) => ({ ...flat["resource"]!({ name, ...rest }, part), container }),
  external: ({ metric, ...rest }, part) => ({ metricName: metric.name ?? "", metricSelector: metric.selector, [`${part}Value`]: rest[part].value ?? (part === "current" ? "0" : undefined), [`${part}AverageValue`]: rest[part].averageValue }),
};
const deep: { readonly [source: string]: (source: Fields, part: Part) => Fields } = {
  object: ({ target, metricName: name, selector, averageValue, ...rest }, part) => ({
    describedObject: reference(target), metric: { name, selector },
    // One that cannot be left out, and is not meant beside an average.
    [part]: { type: averageValue === undefined ? "Value" : "AverageValue", value: part === "target" && averageValue !== undefined && /^[-+0.]*[a-zA-Z]*$/.test(rest["targetValue"] ?? "0") ? undefined : rest[`${part}Value`] ?? "0", averageValue },
  }),
  pods: ({ metricName: name, selector, ...rest }, part) => ({ metric: { name, selector }, [part]: { type: "AverageValue", averageValue: rest[`${part}AverageValue`] ?? "0" } }),
  resource: ({ name, ...rest }, part) => ({ name, [part]: { type: rest[`${part}AverageUtilization`] === undefined ? "AverageValue" : "Utilization", averageValue: rest[`${part}AverageValue`] ?? (part === "current" ? "0" : undefined), averageUtilization: rest[`${part}AverageUtilization`] } }),
  containerResource: ({ container, ...rest }, part) => ({ ...deep["resource"]!(rest, part), container }),
  external: ({ metricName: name, metricSelector: selector, ...rest }, part) => ({ metric: { name, selector }, [part]: { type: rest[`${part}Value`] === undefined ? "AverageValue" : "Value", value: rest[`${part}Value`] ?? (part === "current" ? "0" : undefined), averageValue: rest[`${part}AverageValue`] } }),
};

function each(metrics: readonly Fields[], change: (name: string, source: Fields) => Fields): Fields[] {
  return metrics.map(({ type = "", ...sources }) => without({ type, ...Object.fromEntries(Object.keys(flat).map(name => [name, !isObject(sources[name]) ? undefined : change(name, sources[name])])) }));
}
export const toV1Metrics = (metrics: readonly Fields[], part: Part): readonly Fields[] => each(metrics, (name, source) => without(flat[name]!(source, part)));
export const fromV1Metrics = (metrics: readonly Fields[], part: Part): readonly Fields[] => each(metrics, (name, source) => {
  const made = deep[name]!(source, part), { type, ...rest } = made[part];
  return without({ ...made, ...(made["metric"] === undefined ? {} : { metric: without(made["metric"]) }), [part]: without(part === "target" ? { type, ...rest } : rest) });
});
