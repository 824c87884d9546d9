import { LabelSelector } from "../meta/labelselector.ts";
import * as t from "../../schema/t.ts";

export const MetricTarget = t.object("io.k8s.api.autoscaling.v2.MetricTarget", {
  averageUtilization: t.int32().pb(4).pointer().doc("Average over the pods, in percent of what they request."),
  averageValue: t.quantity().pb(3).pointer().doc("Average over the pods."),
  type: t.string().pb(1).required().always("zero").doc("Utilization, Value or AverageValue."),
  value: t.quantity().pb(2).pointer().doc("The value itself."),
});
export interface MetricTarget extends t.Stored<typeof MetricTarget> {}

export const MetricIdentifier = t.object("io.k8s.api.autoscaling.v2.MetricIdentifier", {
  name: t.string().pb(1).required().always("zero").doc("Name of the metric."),
  selector: LabelSelector.pb(2).doc("Labels that narrow it down."),
});
export interface MetricIdentifier extends t.Stored<typeof MetricIdentifier> {}

export const CrossVersionObjectReference = t.object("io.k8s.api.autoscaling.v2.CrossVersionObjectReference", {
  apiVersion: t.string().pb(3).doc("API version of the object."),
  kind: t.string().pb(1).required().always("zero").doc("Kind of the object."),
  name: t.string().pb(2).required().always("zero").doc("Its name."),
});
export interface CrossVersionObjectReference extends t.Stored<typeof CrossVersionObjectReference> {}

export const MetricValueStatus = t.object("io.k8s.api.autoscaling.v2.MetricValueStatus", {
  averageUtilization: t.int32().pb(3).pointer().doc("Average over the pods, in percent of what they request."),
  averageValue: t.quantity().pb(2).pointer().doc("Average over the pods."),
  value: t.quantity().pb(1).pointer().doc("The value itself."),
});
export interface MetricValueStatus extends t.Stored<typeof MetricValueStatus> {}
