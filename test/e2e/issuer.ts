/** A small issuer of OpenID Connect tokens that also takes audit events and judges requests (leases may be listed, events may not), run beside e2e tests: `node issuer.ts FOLDER PORT`. */
import { createSign, generateKeyPairSync } from "node:crypto";
import { appendFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import { testAuthority } from "../certificates.ts";

const [folder = "", port = ""] = process.argv.slice(2);
const url = `https://localhost:${port}`;
const authority = testAuthority("authority of the issuer");
const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
createServer({ ...authority.leaf("issuer", "server", [], ["localhost"]) }, (request, response) => {
  let body = "";
  // Reviewers are told with the question how long they have.
  const path = request.url?.replace(/\?timeout=.*/, "");
  request.on("data", chunk => (body += String(chunk))).on("end", () => {
    if (path === "/audit") appendFileSync(join(folder, "audited"), `${body}\n`);
    response.setHeader("content-type", "application/json");
    if (path === "/authorize") return void response.end(JSON.stringify(judged(JSON.parse(body))));
    response.end(JSON.stringify(path === "/keys" ? { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "one", use: "sig" }] } : { issuer: url, jwks_uri: `${url}/keys` }));
  });
}).listen(Number(port), "127.0.0.1", () => console.log("ready"));

function judged({ apiVersion, kind, spec }: { apiVersion: string; kind: string; spec: { resourceAttributes?: { resource?: string } } }): object {
  appendFileSync(join(folder, "asked"), `${JSON.stringify(spec)}\n`);
  const resource = spec.resourceAttributes?.resource;
  return { apiVersion, kind, status: resource === "leases" ? { allowed: true, reason: "leases are for all" } : resource === "events" ? { allowed: false, denied: true, reason: "not even you" } : { allowed: false } };
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const claims = { iss: url, aud: "kubernetes", exp: Math.floor(Date.now() / 1000) + 3600, email: "jane@corp.example", email_verified: true, groups: ["devs"] };
const input = `${part({ alg: "RS256", kid: "one" })}.${part(claims)}`;
writeFileSync(join(folder, "token"), `${input}.${createSign("sha256").update(input).sign(privateKey).toString("base64url")}`);
writeFileSync(join(folder, "ca.pem"), authority.ca);
writeFileSync(join(folder, "authentication.yaml"), `apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer:
    url: ${url}
    audiences: [kubernetes]
    certificateAuthority: ${JSON.stringify(authority.ca)}
  claimMappings:
    username: { claim: email, prefix: "oidc:" }
    groups: { claim: groups, prefix: "oidc:" }
  userValidationRules:
  - expression: "!user.username.startsWith('system:')"
`);
writeFileSync(join(folder, "audit-policy.yaml"), `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: RequestResponse
  users: ["oidc:jane@corp.example"]
- level: None
`);
writeFileSync(join(folder, "audit-webhook.kubeconfig"), `apiVersion: v1
kind: Config
clusters:
- name: audit
  cluster: { server: "${url}/audit", certificate-authority: ca.pem }
`);
writeFileSync(join(folder, "authorization.yaml"), `apiVersion: apiserver.config.k8s.io/v1
kind: AuthorizationConfiguration
authorizers:
- type: Node
  name: node
- type: Webhook
  name: people
  webhook:
    timeout: 3s
    subjectAccessReviewVersion: v1
    matchConditionSubjectAccessReviewVersion: v1
    failurePolicy: Deny
    connectionInfo: { type: KubeConfigFile, kubeConfigFile: people.kubeconfig }
    matchConditions:
    - expression: request.user.startsWith('oidc:')
- type: RBAC
  name: rbac
`);
writeFileSync(join(folder, "people.kubeconfig"), `apiVersion: v1
kind: Config
clusters:
- name: people
  cluster: { server: "${url}/authorize", certificate-authority: ca.pem }
`);
