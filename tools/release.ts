/**
 * The release: the program bundled by rolldown into `dist/` (heavy parts stay separate chunks that load when asked for).
 * `node tools/release.ts build` makes it (npm pack does so by itself); `--try` packs, installs in an empty folder and starts a cluster there.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { rolldown } from "rolldown";

const root = new URL("../", import.meta.url).pathname;
const bundlesKept = 3;

if (process.argv[2] === "build") await build(process.argv[3] ?? join(root, "dist"));
else if (process.argv[2] === "--try") tryRelease();
else throw new Error("usage: node tools/release.ts build | --try");

/** Into a folder beside the final one, then renamed: whoever looks sees a whole bundle or none. */
async function build(folder: string): Promise<void> {
  const making = `${folder}.${process.pid}`;
  const bundle = await rolldown({ input: { timonier: join(root, "bin/timonier.ts"), "sqlite-worker": join(root, "src/host/sqlite-worker.ts") }, platform: "node", logLevel: "warn", external: ["bufferutil", "utf-8-validate"] });
  await bundle.write({ dir: making, format: "esm", entryFileNames: ({ name }) => (name === "timonier" ? "[name].mjs" : "[name].js"), chunkFileNames: "[name]-[hash].mjs", minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } }, plugins: [{ name: "builtins", renderChunk: withoutFacades }] });
  await bundle.close();
  for (const name of readdirSync(making)) inAscii(join(making, name));
  rmSync(folder, { recursive: true, force: true });
  renameSync(making, folder);
  removeOld(dirname(folder));
  const size = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  console.error(`${folder}: ${(size / 1e6).toFixed(1)} MB`);
}

/**
 * Asks for Node's modules directly instead of importing them: the ES module facade of `node:http` reads every export, lazy ones included,
 * and so loads undici, a fifth of the start and megabytes in each process.
 */
function withoutFacades(code: string): string {
  return code.replaceAll(/^import (?:\* as )?(\w+|\{[^}]*\}) from "(node:[\w/]+)";$/gm, (_, names: string, module: string) => `const ${names.replaceAll(" as ", ": ")} = process.getBuiltinModule("${module}");`);
}

/** One character outside Latin-1 makes V8 keep the whole file at two bytes a character. Our code has them only in strings, templates and regular expressions, where an escape says the same. */
function inAscii(path: string): void {
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace(/[^\0-\x7f]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`));
}

/** Bundles of earlier states of the sources (the launcher's `bundle-…`), except the newest few and those that a running cluster still loads parts of. */
function removeOld(cache: string): void {
  const bundles = readdirSync(cache).filter(name => name.startsWith("bundle-")).map(name => join(cache, name)).sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  const commands = readdirSync("/proc").filter(name => /^\d+$/.test(name)).map(commandLine).join("\n");
  for (const path of bundles.slice(bundlesKept)) if (!commands.includes(path)) rmSync(path, { recursive: true, force: true });
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return ""; // it ended meanwhile, or is not ours to read: then it runs no bundle of this folder
  }
}

/** What a stranger does: install the tarball where nothing is, start a cluster, ask it something, delete it. */
function tryRelease(): void {
  const folder = mkdtempSync(join(tmpdir(), "timonier-release-"));
  try {
    run("npm", ["pack", "--silent", "--pack-destination", folder], root);
    const tarball = readdirSync(folder).find(name => name.endsWith(".tgz"))!;
    console.log(`${tarball}: ${(statSync(join(folder, tarball)).size / 1e6).toFixed(1)} MB`);
    run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", folder, join(folder, tarball)], folder);
    const env = { ...process.env, HOME: folder, KUBECONFIG: join(folder, "kubeconfig"), PATH: (process.env["PATH"] ?? "").split(":").filter(part => !part.includes("node_modules")).join(":") };
    const timonier = join(folder, "node_modules/.bin/timonier");
    try {
      run(timonier, ["version"], folder, env);
      run(timonier, ["up", "--runtime", "simulated", "--nodes", "2", "--name", "release"], folder, env);
      run(timonier, ["status", "--name", "release"], folder, env);
    } finally {
      run(timonier, ["delete", "--name", "release"], folder, env);
    }
    console.log("release: 4 passed, 0 failed");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = process.env): void {
  console.log(`$ ${program.split("/").at(-1)} ${args.join(" ")}`);
  const { status } = spawnSync(program, args, { cwd, env, stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}`);
}
