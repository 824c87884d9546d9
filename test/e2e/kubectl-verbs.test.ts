/**
 * Every verb of kubectl against simulated nodes, compared with what was recorded for that version of kubectl (`kubectl-1.20.txt` is Debian's;
 * `UPDATE=1` records). Another version than the recorded ones must at least end with the same exit codes as the nearest one.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { kubectlPath, Scratch } from "./harness.ts";
import { script } from "./kubectl-script.ts";

const scratch = new Scratch();
before(() => {
  const result = scratch.timonier("up", "--name", "verbs", "--runtime", "simulated", "--nodes", "3");
  assert.equal(result.code, 0, result.err + result.out);
});
after(async () => {
  scratch.timonier("delete", "--name", "verbs");
  await scratch.close();
});

test("every verb of kubectl answers as recorded", async () => {
  const [, version = "?"] = /"minor": ?"(\d+)/.exec(scratch.k("version --client -o json")) ?? [];
  const golden = new URL(`kubectl-1.${version}.txt`, import.meta.url).pathname;
  const said: string[] = [];
  for (const step of script) {
    const [command, input] = typeof step === "string" ? [step, undefined] : step;
    if (command.startsWith("~")) {
      await scratch.until(command, () => scratch.kubectl(...arguments_(command.slice(1))).code === 0, 60);
      continue;
    }
    const edit = /^EDIT (.*)\|(.*) (edit .*)$/.exec(command);
    if (edit) scratch.env["KUBE_EDITOR"] = editor(edit[1]!, edit[2]!);
    const result = scratch.run(kubectlPath(), arguments_(edit?.[3] ?? command), input);
    said.push(`$ kubectl ${command}${input === undefined ? "" : " <"}\n${plain(result.out)}${plain(result.err).replaceAll(/^(?=.)/gm, "! ")}${result.code === 0 ? "" : `exit ${result.code}\n`}`);
  }
  if (process.env["UPDATE"]) writeFileSync(golden, said.join("\n"));
  assert.ok(existsSync(golden), `nothing is recorded for kubectl 1.${version}; record it with UPDATE=1`);
  const expected = readFileSync(golden, "utf8").split("\n\n$ ");
  const actual = said.join("\n").split("\n\n$ ");
  for (const [index, text] of expected.entries()) {
    assert.equal(settled(actual[index]), settled(text));
    const names = (pattern: RegExp): readonly string[] => [...(actual[index] ?? "").matchAll(pattern)].map(([, name = ""]) => name).sort();
    assert.deepEqual(names(/^pod\/(\S+) evicted$/gm), names(/evicting pod \S+\/(\S+)$/gm), "whichever pods were there are gone");
  }
  assert.equal(actual.length, expected.length);
});

/** A script that puts one text in another's place, as a user's editor would. */
function editor(from: string, to: string): string {
  const path = join(scratch.folder, "editor");
  writeFileSync(path, `#!/bin/sh\nsed -i 's/${from}/${to}/' "$1"\n`, { mode: 0o755 });
  return path;
}
/** Which pods a drain meets is the scheduler's choice, and so chance. */
function settled(text: string | undefined): string | undefined {
  return text?.startsWith("kubectl drain") ? text.split("\n").filter(line => !line.includes("evict") && !line.startsWith("! Warning: deleting")).join("\n") : text;
}
function arguments_(line: string): string[] {
  return [...line.matchAll(/(?:[^\s']|'[^']*')+/g)].map(([word]) => word.replaceAll("'", ""));
}
/** Without what differs from run to run: times, ages, names and identities made by chance, ports, folders. */
function plain(text: string): string {
  return text
    .replaceAll(scratch.folder, "FOLDER").replaceAll(/127\.0\.0\.1:(?!5000)\d+/g, "127.0.0.1:PORT").replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME").replaceAll(/[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]+ [+-]\d{4}/g, "TIME")
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "UID").replaceAll(/resourceVersion: "\d+"/g, 'resourceVersion: "N"').replaceAll(/"resourceVersion": "\d+"/g, '"resourceVersion": "N"')
    .replaceAll(/\b10\.\d+\.\d+\.\d+\b/g, "ADDRESS").replaceAll(/kubectl-edit-\S+\.yaml/g, "kubectl-edit-N.yaml").replaceAll(/(shop|tool|nightly|now|once)-[bcdf0-9]{8,10}(-[a-z0-9]{5})?/g, "$1-HASH").replaceAll(/pod-template-hash[=:] ?\S+/g, "pod-template-hash=HASH")
    .replaceAll(/\b(\d+[smhd])+\b/g, "AGE").replaceAll(/<invalid>/g, "AGE").replaceAll(/\(x\d+ over AGE\)/g, "(xN over AGE)").replaceAll(/(LIVE|MERGED)-\d+/g, "$1-N").replaceAll(/once-[a-z0-9]{5}\b/g, "once-HASH").replaceAll(/[\d-]{10} [\d:.]{18} \+0000/g, "TIME").replaceAll(/[ \t]+/g, " ").replaceAll(/ $/gm, "").replaceAll(/Resource Version: \d+/g, "Resource Version: N");
}
