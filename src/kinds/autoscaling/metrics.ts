import { LabelSelector } from "../meta/labelselector.ts";
import * as t from "../../schema/t.ts";

export const MetricTarget = t.object("io.k8s.api.autoscaling.v2.MetricTarget", {
  averageUtilization: t.int32().pb(4).pointer(),
  averageValue: t.quantity().pb(3).pointer(),
  type: t.string().pb(1).required().always("zero"),
  value: t.quantity().pb(2).pointer(),
});
export interface MetricTarget extends t.Stored<typeof MetricTarget> {}

export const MetricIdentifier = t.object("io.k8s.api.autoscaling.v2.MetricIdentifier", {
  name: t.string().pb(1).required().always("zero"),
  selector: LabelSelector.pb(2),
});
export interface MetricIdentifier extends t.Stored<typeof MetricIdentifier> {}

export const CrossVersionObjectReference = t.object("io.k8s.api.autoscaling.v2.CrossVersionObjectReference", {
  apiVersion: t.string().pb(3),
  kind: t.string().pb(1).required().always("zero"),
  name: t.string().pb(2).required().always("zero"),
});
export interface CrossVersionObjectReference extends t.Stored<typeof CrossVersionObjectReference> {}

export const MetricValueStatus = t.object("io.k8s.api.autoscaling.v2.MetricValueStatus", {
  averageUtilization: t.int32().pb(3).pointer(),
  averageValue: t.quantity().pb(2).pointer(),
  value: t.quantity().pb(1).pointer(),
});
export interface MetricValueStatus extends t.Stored<typeof MetricValueStatus> {}
