/**
 * `node tools/beside.ts [options]`: sends the same made-up requests to upstream's kube-apiserver and to ours, and prints what differs in the answers.
 *
 *   --upstream FILE --ours FILE   kubeconfigs of two running, empty clusters; else both are started: etcd and kube-apiserver from --binaries (`tools/conformance.ts --build` makes the latter)
 *   --binaries FOLDER             default ~/.cache/timonier-conformance/bin; programs that are not there are looked for in PATH
 *   --count N --seed N            how many requests, and which (20,000 of seed 1 unless told)
 *   --kinds A,B                   only these
 *   --examples N                  how many requests are shown of each difference (1 unless told)
 *
 * Objects are valid ones of every kind and of a definition with rules, with one or several fields changed, sent as creates, updates, writes of subresources, patches and applies of all types in JSON and YAML, deletions of one and of many,
 * all as dry runs beside objects that stay; lists, logs and streams are asked for with parameters of all sorts.
 * An answer that differs is asked for again, since upstream walks maps in any order. Exit code 1 when anything differs.
 */
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { stringifyJson } from "../src/base/json-codec.ts";
import { kinds } from "../src/kinds/index.ts";
import { apiVersionOf } from "../src/kinds/kind.ts";
import { seeded } from "../test/crash/workload.ts";
import { customDefinition, customTarget, makeCase, pathOf, prerequisites, targets, type Target } from "./beside/cases.ts";
import { differences } from "./beside/differences.ts";
import { connect, startBoth } from "./beside/servers.ts";

const triesMax = 6;
const ports = [17443, 17379, 17380, 17444] as const;
const { values: options } = parseArgs({ options: { upstream: { type: "string" }, ours: { type: "string" }, binaries: { type: "string", default: join(homedir(), ".cache/timonier-conformance/bin") }, count: { type: "string", default: "20000" }, seed: { type: "string", default: "1" }, kinds: { type: "string", default: "" }, examples: { type: "string", default: "1" } } });

const started = options.upstream === undefined || options.ours === undefined ? await startBoth(options.binaries, ports) : { upstream: options.upstream, ours: options.ours, stop() {} };
try {
  await compare();
} finally {
  started.stop();
}

async function compare(): Promise<void> {
  const [upstream, ours] = [connect(started.upstream), connect(started.ours)];
  const only = options.kinds.split(",").filter(each => each !== "");
  const all = [...targets(only), ...[customTarget()].filter(({ kind }) => only.length === 0 || only.includes(kind.kind))];
  const existing = await prepare(all);
  const random = seeded(Number(options.seed));
  const groups = new Map<string, { times: number; readonly examples: string[] }>();
  let different = 0;
  for (let i = 0; i < Number(options.count); i++) {
    const { kind, verb, method, target, contentType, body } = makeCase(all, existing, random);
    const text = body === undefined ? undefined : stringifyJson(body), sent = text ?? "";
    const mine = await ours(method, target, contentType, text);
    let found = differences(await upstream(method, target, contentType, text), mine, sent, verb !== "status");
    for (let tries = 1; found.length > 0 && tries < triesMax; tries++) {
      const again = differences(await upstream(method, target, contentType, text), mine, sent, verb !== "status");
      if (again.length < found.length || again.every(({ cause }) => cause.startsWith("order"))) found = again;
    }
    if (found.length === 0) continue;
    different++;
    for (const { cause, detail } of found) {
      const key = `${kind} ${cause}`;
      const group = groups.get(key) ?? { times: 0, examples: [] };
      groups.set(key, group);
      group.times++;
      if (group.examples.length < Number(options.examples)) group.examples.push(`  ${verb}: ${method} ${target} ${sent.length > 6_000 ? `${sent.slice(0, 6_000)}…` : sent}\n    ${detail}`);
    }
  }
  for (const [key, { times, examples }] of [...groups].sort()) console.log(`${times} × ${key}\n${examples.join("\n")}`);
  console.log(`${options.count} requests of seed ${options.seed}: ${Number(options.count) - different} answered alike, ${different} not, ${groups.size} causes`);
  await Promise.all([upstream, ours].map(async send => {
    for (const [target, objects] of existing) for (const { metadata } of objects) await send("DELETE", pathOf(target, metadata.name));
  }));
  process.exitCode = different > 0 ? 1 : 0;

  /** Makes what is changed later, and says what only one of the two took. */
  async function prepare(all: readonly Target[]): Promise<ReadonlyMap<Target, readonly any[]>> {
    for (const object of [...prerequisites, customDefinition]) {
      const kind = kinds.find(each => each.kind === object.kind && apiVersionOf(each) === object.apiVersion)!;
      for (const send of [upstream, ours]) await send("POST", pathOf({ kind, apiVersion: object.apiVersion }), "application/json", stringifyJson(object));
    }
    // Claims without a class get the default one.
    for (const { metadata: { name, annotations }, ...rest } of JSON.parse((await ours("GET", "/apis/storage.k8s.io/v1/storageclasses")).body).items) await upstream("POST", "/apis/storage.k8s.io/v1/storageclasses", "application/json", stringifyJson({ ...rest, metadata: { name, annotations } }));
    for (const send of [upstream, ours]) while ((await send("GET", pathOf(all.at(-1)!))).status === 404) await sleep(100);
    const existing = new Map<Target, readonly any[]>();
    for (const target of all.filter(({ kind }) => kind.virtual !== true)) {
      const living: any[] = [];
      for (const base of target.bases) {
        const [theirs, mine] = await Promise.all([upstream, ours].map(send => send("POST", pathOf(target), "application/json", stringifyJson(base))));
        if (theirs!.status === 201 && mine!.status === 201 || theirs!.status === 409) living.push(base);
        else console.log(`not made: ${target.apiVersion} ${target.kind.kind} ${base.metadata.name}: upstream ${theirs!.status} ${JSON.parse(theirs!.body).message}\n  ours ${mine!.status} ${JSON.parse(mine!.body).message}`);
      }
      existing.set(target, living);
    }
    return existing;
  }
}
