/** Rules of events in both groups (kubernetes pkg/apis/core/validation/events.go). Those with an eventTime come from the newer library and are held to more. */
import * as grammar from "../../schema/grammar.ts";
import { invalidValue, type Problem, required } from "../../schema/problem.ts";
import type { ObjectReference } from "./references.ts";

type EventLike = {
  readonly metadata: { readonly namespace?: string | undefined };
  readonly involvedObject: ObjectReference;
  readonly eventTime?: string | undefined; readonly reportingComponent: string; readonly reportingInstance: string;
  readonly action?: string | undefined; readonly reason?: string | undefined; readonly message?: string | undefined; readonly type?: string | undefined;
};
const nameMax = 128;
const messageMax = 1024;

export function eventRules(event: EventLike): readonly Problem[] {
  const problems: Problem[] = [];
  const { namespace = "" } = event.metadata;
  const object = event.involvedObject.namespace ?? "";
  const isNew = event.eventTime !== undefined && event.eventTime !== null;
  const wrong = isNew ? object === "" && namespace !== "default" && namespace !== "kube-system" : object === "" ? namespace !== "" && namespace !== "default" : namespace !== object;
  if (wrong) problems.push(invalidValue("involvedObject.namespace", object, "does not match event.namespace"));
  if (!isNew) return problems;
  if (event.reportingComponent === "") problems.push(required("reportingComponent"));
  for (const detail of grammar.qualifiedName(event.reportingComponent)) problems.push(invalidValue("reportingComponent", event.reportingComponent, detail));
  const short = (name: string, value: string | undefined): void => {
    if (!value) problems.push(required(name));
    else if (grammar.byteLength(value) > nameMax) problems.push(invalidValue(name, "", `can have at most ${nameMax} characters`));
  };
  short("reportingInstance", event.reportingInstance);
  short("action", event.action);
  short("reason", event.reason);
  if (grammar.byteLength(event.message ?? "") > messageMax) problems.push(invalidValue("message", "", `can have at most ${messageMax} characters`));
  return problems;
}
