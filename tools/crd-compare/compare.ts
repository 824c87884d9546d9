/**
 * Compares what ours and upstream's own code make of made-up objects of custom resources, creates and updates: `node tools/crd-compare/compare.ts JUDGE OBJECTS SEED FILE…`.
 * JUDGE is `main.go` beside this file, built (`cd tools/crd-compare && go build -mod=mod -o /tmp/judge .`); FILEs hold definitions as YAML or JSON. `RECORD=file` keeps upstream's verdicts
 * for `test/upstream/custom-verdicts.test.ts`.
 */
import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { gzipSync } from "node:zlib";
import { compilePattern } from "../../src/host/regex.ts";
import { SeededRandom } from "../../test/sim/random.ts";
import { customKind, judged, sorted, type Verdict } from "../../test/upstream/custom.ts";

const [program = "", count = "2000", seed = "1", ...files] = process.argv.slice(2);
const random = new SeededRandom(Number(seed));
const chance = (p: number): boolean => random.next() < p;
const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)]!;

const examples: { readonly [format: string]: readonly string[] } = {
  "date-time": ["2026-01-02T03:04:05Z", "2026-01-02t03:04:05.5+01:00"], date: ["2026-02-28", "2026-02-30"], byte: ["aGVsbG8=", ""], duration: ["1h", "3 days", "1m30s"], ipv4: ["10.0.0.1", "010.0.0.1", "::ffff:1.2.3.4"], ipv6: ["fd00::1", "::ffff:1.2.3.4"], cidr: ["10.0.0.0/8", "fd00::/64"],
  mac: ["01:23:45:67:89:ab", "0123.4567.89ab", "01-23-45-67-89-ab-cd-ef"], uuid: ["123e4567-e89b-12d3-a456-426614174000", "123e4567e89b12d3a456426614174000"], uuid4: ["123e4567-e89b-42d3-a456-426614174000"], hostname: ["example.com", "a-b", "my-host-name"], uri: ["https://example.com/x", "/path", "mailto:a@b"],
  email: ["a@example.com", "A <a@b.c>"], isbn: ["0321751043", "978-0321751041"], creditcard: ["4111-1111-1111-1111"], ssn: ["123-45-6789"], hexcolor: ["#fff", "00ff00"], rgbcolor: ["rgb(1, 2,255)"], bsonobjectid: ["507f1f77bcf86cd799439011"], "k8s-short-name": ["a-b", "-a"], "k8s-long-name": ["a.b-c", "A.b"],
};
const words = ["abc", "a", "10s", "1h", "100Mi", "2", "https://example.com/x", "/path", "example.com", "10.0.0.1", "A-b_c", "0", "", "app=web", "10%"];
const wrongs: readonly unknown[] = [null, "", "Zz/!", -1, 1e12, 1.5, true, {}, [], ["x"], { a: "b" }, "x".repeat(300), 70_000, 2_147_483_648, 65, "2026-13-45", "::1", "1.2.3.4/33"];

/** A value that the schema likely takes. */
function make(schema: any, depth: number, fill: number): any {
  if (schema.enum !== undefined) return pick(schema.enum);
  if (schema["x-kubernetes-int-or-string"] === true) return pick<unknown>([5, "10%", "x", 80]);
  switch (schema.type) {
    case "boolean": return chance(0.5);
    case "integer": return Math.round(Math.min(schema.maximum ?? 1e9, Math.max(schema.minimum ?? 0, pick([0, 1, 5, 80, 443, 3600]))));
    case "number": return pick([0, 1, 1.5, 2]);
    case "string": return text(schema);
    case "array": return Array.from({ length: Math.min(Math.max(schema.minItems ?? 0, depth > 9 ? 0 : pick([0, 1, 2])), schema.maxItems ?? 9) }, () => make(schema.items ?? { type: "string" }, depth + 1, fill));
    default: return object(schema, depth, fill);
  }
}
function text({ format, pattern, minLength = 0, maxLength = 1e9 }: any): string {
  if (format in examples && chance(0.85)) return pick(examples[format]!);
  const matches = pattern === undefined ? () => true : compilePattern(pattern);
  const fits = words.filter(word => word.length >= minLength && word.length <= maxLength && matches(word));
  return fits.length > 0 ? pick(fits) : "x".repeat(Math.max(1, minLength));
}
function object(schema: any, depth: number, fill: number): any {
  const out: any = schema["x-kubernetes-embedded-resource"] === true && chance(0.8) ? { apiVersion: pick(["v1", "a/b", "a/b/c"]), kind: pick(["Pod", "x_y"]), ...(chance(0.5) ? { metadata: { name: pick(["a", "A/b"]), labels: { a: "b" }, nobody: 1 } } : {}) } : {};
  for (const [name, each] of Object.entries<any>(schema.properties ?? {})) if (schema.required?.includes(name) || (depth < 10 && chance(fill))) out[name] = make(each, depth + 1, fill * 0.85);
  if (schema.additionalProperties !== undefined) for (let n = pick([0, 1, 2]); n > 0; n--) out[pick(["a", "b", "app.kubernetes.io/name", "constructor"])] = make(schema.additionalProperties, depth + 1, fill);
  if (schema["x-kubernetes-preserve-unknown-fields"] === true && chance(0.5)) out.anything = pick<unknown>([1, "x", { y: [1, null] }, null]);
  return out;
}

/** Changes one place. */
function mutate(value: any, depth = 0): any {
  if (Array.isArray(value) && value.length > 0 && chance(0.8)) {
    const at = Math.floor(random.next() * value.length);
    return chance(0.15) ? [...value, value[at]] : value.map((each, i) => (i === at ? mutate(each, depth + 1) : each));
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) return pick(wrongs);
  const keys = Object.keys(value).filter(key => depth > 0 || !["apiVersion", "kind", "metadata"].includes(key));
  if (keys.length === 0 || chance(0.15)) return depth === 0 ? { ...value, extra: 1 } : pick<unknown>([{ ...value, unknownField: { a: 1 } }, null, "text", [], 3, {}]);
  const key = pick(keys), { [key]: before, ...rest } = value;
  return chance(0.08) ? rest : { ...value, [key]: mutate(before, depth + 1) };
}

const definitions: any[] = JSON.parse(spawnSync(program, files, { env: { ...process.env, DEFINITIONS: "1" }, maxBuffer: 1 << 30, encoding: "utf8" }).stdout);
const targets = (await Promise.all(definitions.flatMap(({ metadata, spec, ...rest }) => spec.versions.filter((version: any) => version.schema?.openAPIV3Schema !== undefined).map(async (version: any) => ({
  of: `${metadata.name}/${version.name}`, apiVersion: `${spec.group}/${version.name}`, kind: spec.names.kind, schema: version.schema.openAPIV3Schema,
  node: await customKind({ ...rest, metadata, spec: { ...spec, conversion: undefined, versions: [{ ...version, served: true, storage: true }] } }),
})))));
console.log(`${definitions.length} definitions, ${targets.length} versions`);

const judge = spawn(program, files, { stdio: ["pipe", "pipe", "ignore"] });
const answers = createInterface({ input: judge.stdout })[Symbol.asyncIterator]();
const recorded: Verdict[] = [], differs = new Map<string, number>();
let [same, valid] = [0, 0];
for (let i = 0; i < Number(count); i++) {
  const { of, apiVersion, kind, schema, node } = pick(targets);
  let made: any = { ...make(schema, 0, pick([0.1, 0.3, 0.6, 0.9])), apiVersion, kind, metadata: { name: "a" } };
  for (let n = pick([0, 0, 1, 1, 2]); n > 0; n--) made = mutate(made);
  const old = chance(0.4) ? made : undefined;
  if (old !== undefined) for (let n = pick([0, 1, 1, 2]); n > 0; n--) made = mutate(made);
  judge.stdin.write(`${JSON.stringify({ Of: of, Object: made, ...(old === undefined ? {} : { Old: old }) })}\n`);
  const { refused, errors, unknown, object: kept } = JSON.parse((await answers.next()).value as string);
  const { metadata: _, ...content } = kept ?? {};
  const theirs: Verdict = refused !== undefined ? { refused: true } : { errors, ...(old === undefined ? { unknown: (unknown ?? []).map((path: string) => path.replace(/^\./, "")), content } : {}) };
  const ours = judged(node, made, old, old !== undefined);
  if (errors?.length === 0) valid++;
  recorded.push({ object: made, ...(old === undefined ? {} : { old }), ...theirs });
  if (JSON.stringify(ours) === JSON.stringify(sorted(theirs))) { same++; continue; }
  differs.set(of, (differs.get(of) ?? 0) + 1);
  if (differs.get(of)! <= 2) console.log(`--- ${of}\nobject ${JSON.stringify(made)}\nold    ${JSON.stringify(old)}\nours   ${JSON.stringify(ours)}\ntheirs ${JSON.stringify(sorted(theirs))}`);
}
console.log(`${same} the same, ${Number(count) - same} not; ${valid} valid`);
for (const [of, times] of differs) console.log(`${times} of ${of}`);
if (process.env["RECORD"] !== undefined) writeFileSync(process.env["RECORD"], gzipSync(JSON.stringify(recorded), { level: 9 }));
process.exit(differs.size > 0 ? 1 : 0);
