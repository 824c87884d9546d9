/** The API server that is fuzzed: composed as `main/server.ts` does it, but for what needs a disk or a network. */
import { generateKeyPairSync } from "node:crypto";
import { certificateAdmission } from "../../src/api/admission/certificates.ts";
import { nodeRestriction } from "../../src/api/admission/node-restriction.ts";
import { resourceQuota } from "../../src/api/admission/resource-quota.ts";
import { serviceAccountAdmission } from "../../src/api/admission/service-account.ts";
import { issuer } from "../../src/api/authn/service-account-token.ts";
import { createTokenIssuer } from "../../src/api/authn/token-issuer.ts";
import { authorizerChain, privileged } from "../../src/api/authz/authorizer.ts";
import { escalationCheck } from "../../src/api/authz/escalation.ts";
import { Rbac } from "../../src/api/authz/rbac.ts";
import { celWith } from "../../src/api/cel-library.ts";
import type { ApiServerOptions } from "../../src/api/server.ts";
import type { WebhookCall } from "../../src/api/webhook.ts";
import { decodeBase64 } from "../../src/base/base64.ts";
import { stringifyJson } from "../../src/base/json-codec.ts";
import { signingKey } from "../../src/host/jwt.ts";
import { parseCertificateRequest } from "../../src/host/pki-csr.ts";
import { celHost, compilePattern } from "../../src/host/regex.ts";
import { parseYaml } from "../../src/host/yaml.ts";
import { bodyOf, settle, TestClock, type Harness } from "../transcripts/harness.ts";
import { definition } from "./seeds.ts";
import { anything, pick, type Random } from "./values.ts";

const key = signingKey(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);

export function composition(random: Random): Partial<ApiServerOptions> {
  const rbac = new Rbac();
  const chain = authorizerChain(privileged, rbac);
  // Admission waits for accounts to appear; nobody makes them here, so it need not wait long.
  const hasty = Object.assign(new TestClock(), { sleep: async () => undefined });
  const readRequest = (bytes: Uint8Array) => parseCertificateRequest(Buffer.from(bytes).toString("latin1"));
  const chance = { next: random, uuid: () => "", bytes: (length: number) => new Uint8Array(length) };
  return {
    tokens: createTokenIssuer({ address: "192.0.2.7:6443", keys: () => [key], now: () => Date.UTC(2026, 0), random: chance, audiences: [issuer] }),
    parseYaml, compilePattern, loadCel: async () => celWith(celHost), postJson: call => answerOf(call, random), authorizer: () => chain,
    admission: [
      serviceAccountAdmission({ clock: hasty, random: chance }), nodeRestriction(chain, request => readRequest(decodeBase64(request) ?? new Uint8Array()).commonName),
      ...certificateAdmission({ authorizer: chain, decode: decodeBase64, read: readRequest }), escalationCheck(rbac, chain), resourceQuota(),
    ],
  };
}

/** What a webhook may say, and what none should. */
async function answerOf({ body }: WebhookCall, random: Random): Promise<{ status: number; body: string }> {
  const { uid } = (JSON.parse(body) as { request: { uid: string } }).request;
  const response = (more: object): string => JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: { uid, allowed: true, ...more } });
  const patch = (operations: unknown): object => ({ patchType: "JSONPatch", patch: Buffer.from(stringifyJson(operations)).toString("base64") });
  const said = pick(random, [
    () => response({}), () => response({ allowed: false, status: { message: "no", code: 403 } }), () => response({ warnings: ["careful", "x".repeat(5_000)] }), () => response(patch([{ op: "add", path: "/metadata/labels/hook", value: "x" }])),
    () => response(patch([{ op: "remove", path: "/metadata" }])), () => response(patch([{ op: "replace", path: pick(random, ["", "/spec", "/metadata/name", "/data", "/kind"]), value: anything(random, 2) }])), () => response({ patch: "%%%", patchType: "JSONPatch" }), () => response({ patchType: 9 }),
    () => response({ uid: "other" }), () => response({ allowed: "yes" }), () => stringifyJson(anything(random, 3)) ?? "null", () => "{", () => "",
  ])();
  if (random() < 0.05) throw new Error("connection refused");
  return { status: pick(random, [200, 200, 200, 200, 500]), body: said };
}

/** Makes a definition and waits until its kind is served. */
export async function settleDefinition(harness: Harness, plural: string, kind: string): Promise<void> {
  const { metadata, spec } = definition(plural, kind);
  const made = await harness.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", { headers: { "content-type": "application/json" }, body: stringifyJson({ metadata, spec }) });
  for (let turns = 0; turns < 50 && !harness.api.registry.kinds().some(served => served.plural === plural); turns++) {
    await settle();
    await harness.clock.advance(100);
  }
  if (!harness.api.registry.kinds().some(served => served.plural === plural)) throw new Error(`${plural} are not served: ${made.status} ${String(await bodyOf(made))}`);
}
