/** What is answered to bodies and patches that say wrongly what they are, or hold values of other types: as kube-apiserver 1.36.3 answered. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, startHarness } from "../../test/transcripts/harness.ts";

const configmaps = "/api/v1/namespaces/default/configmaps", jobs = "/apis/batch/v1/namespaces/default/jobs", pods = "/api/v1/namespaces/default/pods", crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const merge = "application/merge-patch+json", json = "application/json-patch+json";
const patched = (start: string, why: string): string => ` "" is invalid: patch: Invalid value: "${start}…": ${why}`;
const scheme = 'in scheme "pkg/api/legacyscheme/scheme.go:30"';
type Row = readonly [method: string, path: string, body: string, expected: string | number, type?: string];

const rows: readonly Row[] = [
  ["POST", configmaps, '{"apiVersion":5,"metadata":{"name":"b"}}', "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: json: cannot unmarshal number into Go struct field .apiVersion of type string ({\"apiVersion\":5,\"metadata\":{\"n ...)"],
  ["POST", configmaps, '{"kind":[],"metadata":{}}', "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: json: cannot unmarshal array into Go struct field .kind of type string ({\"kind\":[],\"metadata\":{}})", "application/yaml"],
  ["POST", configmaps, '{"apiVersion":"a/b/c","metadata":{"name":"b"}}', "the object provided is unrecognized (must be of type ConfigMap): unexpected GroupVersion string: a/b/c ({\"apiVersion\":\"a/b/c\",\"metadat ...)"],
  ["POST", configmaps, '{"apiVersion":"\\u0000","metadata":{"name":"b"}}', `ConfigMap in version "\\x00" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version "\\x00" ${scheme}`],
  ["POST", configmaps, '{"apiVersion":"/v1","kind":null,"metadata":{"name":"b"}}', 201],
  ["POST", jobs, '{"apiVersion":"batch/","kind":"Status","metadata":{"name":"b"}}', 'Status in version "v1" cannot be handled as a Job: converting (v1.Status) to (batch.Job): unknown conversion'],
  ["PATCH", `${configmaps}/a`, '{"kind":true}', patched('{\\"apiVersion\\":\\"v1\\",\\"kind\\":true', "couldn't get version/kind; json parse error: json: cannot unmarshal bool into Go struct field .kind of type string"), merge],
  ["PATCH", `${configmaps}/a`, '{"apiVersion":"apps/v1"}', patched('{\\"apiVersion\\":\\"apps/v1\\"', `no kind "ConfigMap" is registered for version "apps/v1" ${scheme}`), merge],
  ["PATCH", `${configmaps}/a`, '[{"op":"replace","path":"/kind","value":"Pod"}]', patched('{\\"apiVersion\\":\\"v1\\",\\"kind\\":\\"Pod\\"', "converting (v1.Pod) to (core.ConfigMap): unknown conversion"), json],
  ["PATCH", `${configmaps}/a`, '[{"op":{"toString":5},"path":"/kind"}]', "the server rejected our request due to an error in our request", json],
  ["PATCH", `${configmaps}/a`, '{"apiVersion":null}', "the name of the object (a based on URL) was undeterminable: name must be provided", merge],
  ["PATCH", `${configmaps}/a?fieldValidation=Strict`, '{"apiVersion":null}', patched('{\\"kind\\":\\"ConfigMap\\",\\"metadata\\":{\\"name\\":\\"a\\"', 'strict decoding error: unknown field "metadata"'), merge],
  ["PATCH", `${configmaps}/a`, '{"immutable":5,"data":{"z":"1","b":"2"}}', patched('{\\"apiVersion\\":\\"v1\\",\\"data\\":{\\"b\\":\\"2\\",\\"z\\":\\"1\\"},\\"immutable\\":5', "json: cannot unmarshal number into Go struct field ConfigMap.immutable of type bool"), merge],
  ["POST", jobs, '{"spec":{"parallelism":1.0}}', 'Job in version "v1" cannot be handled as a Job: json: cannot unmarshal number 1.0 into Go struct field JobSpec.spec.parallelism of type int32'],
  ["POST", jobs, '{"spec":{"completionMode":[]}}', 'Job in version "v1" cannot be handled as a Job: json: cannot unmarshal array into Go struct field JobSpec.spec.completionMode of type v1.CompletionMode'],
  ["POST", pods, '{"spec":{"containers":[{"resources":{"limits":5}}]}}', 'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal number into Go struct field ResourceRequirements.spec.containers.resources.limits of type v1.ResourceList'],
  ["POST", pods, '{"spec":{"containers":[{"securityContext":{"capabilities":{"add":[1]}}}]}}', 'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal number into Go struct field Capabilities.spec.containers.securityContext.capabilities.add of type v1.Capability'],
  ["POST", pods, '{"spec":{"containers":[{"env":[{"valueFrom":{"secretKeyRef":{"name":5}}}]}]}}', 'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal number into Go struct field SecretKeySelector.spec.containers.env.valueFrom.secretKeyRef.LocalObjectReference.name of type string'],
  ["POST", crds, '{"spec":{"versions":[{"schema":{"openAPIV3Schema":{"additionalProperties":5}}}]}}', 'CustomResourceDefinition in version "v1" cannot be handled as a CustomResourceDefinition: boolean or JSON schema expected'],
];

test("bodies and patches of the wrong type", async t => {
  const harness = await startHarness();
  const send = (method: string, path: string, body: string, type = "application/json") => harness.send(method, path, { headers: { "content-type": type }, body });
  await send("POST", "/api/v1/namespaces", '{"metadata":{"name":"default"}}');
  await send("POST", configmaps, '{"metadata":{"name":"a"}}');
  for (const [method, path, body, expected, type] of rows) await t.test(`${method} ${path.slice(path.lastIndexOf("/") + 1)} ${body}`, async () => {
    const answer = await send(method, path, body, type), { message } = JSON.parse(String(await bodyOf(answer)));
    if (typeof expected === "number") return assert.equal(answer.status, expected);
    // What stands between is the rest of the object.
    const [start, end = ""] = expected.split("…");
    assert.ok(message.startsWith(start) && message.endsWith(end) && (expected.includes("…") || message === start), message);
  });
  await harness.close();
});
