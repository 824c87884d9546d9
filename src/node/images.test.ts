import assert from "node:assert/strict";
import { test } from "node:test";
import { credentialsFor, withTag } from "./images.ts";

const references = [
  ["nginx", "nginx:latest"], ["nginx:1.25", "nginx:1.25"], ["127.0.0.1:5000/hello:v1", "127.0.0.1:5000/hello:v1"], ["localhost:5000/a/b", "localhost:5000/a/b:latest"],
  [`quay.io/a/b@sha256:${"0".repeat(64)}`, `quay.io/a/b@sha256:${"0".repeat(64)}`], ["Nginx", undefined], ["nginx:", undefined], ["", undefined], ["a//b", undefined], ["a b", undefined],
  ["UPPER.example.com/x", "UPPER.example.com/x:latest"], ["x@sha256:12", undefined], ["registry:5000/x", "registry:5000/x:latest"], ["a__b/c-d.e", "a__b/c-d.e:latest"], ["a___b", undefined],
] as const;
for (const [given, want] of references)
  test(`image "${given}" is ${want ?? "not a reference"}`, () => assert.equal(withTag(given), want));

const secrets = ["https://index.docker.io/v1/", "quay.io", "*.example.com", "quay.io/team", "10.0.0.1:5000"].map(registry => ({ registry, credentials: { username: registry } }));
const pulls = [
  ["nginx:latest", ["https://index.docker.io/v1/"]], ["quay.io/team/app:1", ["quay.io/team", "quay.io"]], ["quay.io/other/app:1", ["quay.io"]], ["eu.example.com/a:1", ["*.example.com"]],
  ["a.b.example.com/a:1", []], ["10.0.0.1:5000/a:1", ["10.0.0.1:5000"]], ["10.0.0.1:5001/a:1", []], ["notquay.io/a:1", []],
] as const;
for (const [image, want] of pulls)
  test(`pulling ${image} uses ${want.join(" then ") || "no credentials"}`, () => assert.deepEqual(credentialsFor(image, secrets).map(({ username }) => username), want));
