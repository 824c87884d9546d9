/**
 * `node tools/conformance.ts [options]`: upstream's own end-to-end suite, unmodified, against a cluster of ours, and a table of what passed.
 *
 *   --build                 fetch Kubernetes' module and build e2e.test, ginkgo, agnhost … (needs Go and its module proxy; about ten minutes)
 *   --images                make the suite's images and push them to a registry on 127.0.0.1:5000 (needs root)
 *   --up NAME               start a cluster NAME for it that finds them there, and delete it afterwards; else --kubeconfig FILE
 *   --nodes N               how many nodes that cluster has (1 unless told; two tests want two)
 *   --zones                 each of these nodes is a zone of its own (for the tests of topology)
 *   --focus REGEX --skip REGEX   which tests; `--focus '\[Conformance\]'` unless told
 *   --procs N               tests at a time (2 unless told; serial tests always run alone)
 *   --out FOLDER            reports and logs
 *
 * The suite and its images are test material of the machine it runs on: nothing of it is in the repository or in the package.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { pushConformanceImages } from "./images/conformance.ts";
import { startRegistry } from "./images/registry.ts";

const version = "1.36.3";
const { values: options } = parseArgs({
  options: {
    build: { type: "boolean" }, images: { type: "boolean" }, zones: { type: "boolean" }, up: { type: "string" }, kubeconfig: { type: "string" }, focus: { type: "string", default: "\\[Conformance\\]" },
    skip: { type: "string", default: "" }, procs: { type: "string", default: "2" }, nodes: { type: "string", default: "1" }, out: { type: "string" }, cache: { type: "string" },
  },
});
const cache = options.cache ?? join(homedir(), ".cache/timonier-conformance");
const sources = join(cache, "src");
const binaries = join(cache, "bin");

if (options.build) build();
if (options.images) {
  const registry = await startRegistry(join(cache, "registry"));
  console.log((await pushConformanceImages(registry.address, join(cache, "debs"), binaries, sources)).join("\n"));
}
if (options.up) {
  const environment = { ...process.env, TIMONIER_DATA_DIR: join(cache, "clusters"), KUBECONFIG: join(cache, `${options.up}.kubeconfig`) };
  const registries = join(cache, "registries.yaml");
  writeFileSync(registries, "mirrors: {registry.k8s.io: {endpoint: [\"http://127.0.0.1:5000\"]}}\n");
  execFileSync("./timonier", ["up", "--name", options.up, "--nodes", options.nodes, "--registries", registries], { env: environment, stdio: "inherit" });
  try {
    if (options.zones) {
      const kubectl = (...args: string[]): string => execFileSync(join(binaries, "kubectl"), args, { env: environment, encoding: "utf8" });
      for (const node of kubectl("get", "nodes", "-o", "name").trim().split("\n")) kubectl("label", node, `topology.kubernetes.io/zone=${node.replace("node/", "zone-")}`);
    }
    suite(environment.KUBECONFIG);
  } finally {
    execFileSync("./timonier", ["delete", "--name", options.up], { env: environment, stdio: "inherit" });
  }
} else if (options.kubeconfig) suite(options.kubeconfig);

/** Kubernetes' repository as a module: its staging modules are replaced by the published ones of the same version. */
function build(): void {
  const env = { ...process.env, GOFLAGS: "-mod=mod", CGO_ENABLED: "0" };
  const go = (...args: string[]): void => void execFileSync("go", args, { cwd: sources, env, stdio: "inherit" });
  if (!existsSync(sources)) {
    const fetch = join(cache, "fetch");
    mkdirSync(fetch, { recursive: true });
    writeFileSync(join(fetch, "go.mod"), "module fetch\ngo 1.26\n");
    const { Dir: folder } = JSON.parse(execFileSync("go", ["mod", "download", "-json", `k8s.io/kubernetes@v${version}`], { cwd: fetch, env, encoding: "utf8" })) as { Dir: string };
    cpSync(folder, sources, { recursive: true, filter: path => !/\/(vendor|go\.work|go\.work\.sum)$/.test(path) });
    execFileSync("chmod", ["-R", "u+w", sources]);
    const module = readFileSync(join(sources, "go.mod"), "utf8");
    writeFileSync(join(sources, "go.mod"), module.replaceAll(/(k8s\.io\/[a-z0-9-]+) v0\.0\.0$/gm, `$1 v0.${version.slice(2)}`).replaceAll(/^\s*(replace )?k8s\.io\/\S+ => .*$/gm, "").replace(/replace \(\s*\)/, ""));
  }
  mkdirSync(binaries, { recursive: true });
  const flags = `-s -w -X k8s.io/component-base/version.gitVersion=v${version} -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36`;
  const programs = { kubectl: "./cmd/kubectl", "kube-apiserver": "./cmd/kube-apiserver", ginkgo: "github.com/onsi/ginkgo/v2/ginkgo", agnhost: "./test/images/agnhost", "sample-apiserver": "k8s.io/sample-apiserver", "regression-issue-74839": "./test/images/regression-issue-74839", "resource-consumer": "./test/images/resource-consumer", "consume-cpu": "./test/images/resource-consumer/consume-cpu" };
  for (const [name, path] of Object.entries(programs)) go("build", "-ldflags", flags, "-o", join(binaries, name), path);
  go("test", "-c", "-ldflags", flags, "-o", join(binaries, "e2e.test"), "./test/e2e");
}

type Report = { readonly SpecReports: readonly { readonly State: string; readonly LeafNodeType: string; readonly LeafNodeText: string; readonly ContainerHierarchyTexts: readonly string[] | null; readonly RunTime: number; readonly Failure?: { readonly Message: string } }[] | null };

/** Runs what may run beside others, then what may not, and prints a row per area. */
function suite(kubeconfig: string): void {
  const out = options.out ?? join(tmpdir(), "timonier-conformance");
  mkdirSync(out, { recursive: true });
  const alone = "Serial || Disruptive";
  const specs = [...run("parallel", Number(options.procs), `!(${alone})`), ...run("serial", 1, alone)];
  const areas = new Map<string, { passed: number; failed: string[] }>();
  for (const { area, name, passed } of specs) {
    const row = areas.get(area) ?? { passed: 0, failed: [] };
    areas.set(area, row);
    if (passed) row.passed++;
    else row.failed.push(name);
  }
  console.log("| area | passed | of |\n|---|---|---|");
  for (const [area, { passed, failed }] of [...areas].sort()) console.log(`| ${area} | ${passed} | ${passed + failed.length} |`);
  for (const [area, { failed }] of areas) for (const name of failed) console.log(`failed: [${area}] ${name}`);
  process.exitCode = [...areas.values()].some(({ failed }) => failed.length > 0) ? 1 : 0;

  function run(name: string, procs: number, labels: string): readonly { area: string; name: string; passed: boolean }[] {
    const report = join(out, `${name}.json`);
    rmSync(report, { force: true });
    const flags = [`--procs=${procs}`, `--label-filter=${labels}`, `--focus=${options.focus}`, ...(options.skip === "" ? [] : [`--skip=${options.skip}`]), "--timeout=24h", "--no-color", `--output-dir=${out}`, `--json-report=${name}.json`];
    const log = openSync(join(out, `${name}.log`), "w");
    spawnSync(join(binaries, "ginkgo"), [...flags, join(binaries, "e2e.test"), "--", `--kubeconfig=${kubeconfig}`, "--provider=skeleton", "--disable-log-dump", `--report-dir=${out}`], {
      stdio: ["ignore", log, log], env: { ...process.env, KUBECONFIG: kubeconfig, PATH: `${binaries}:${process.env["PATH"]}` },
    });
    if (!existsSync(report)) throw new Error(`the suite made no report; see ${join(out, `${name}.log`)}`);
    const suites = JSON.parse(readFileSync(report, "utf8")) as readonly Report[];
    return suites.flatMap(one => one.SpecReports ?? []).filter(spec => spec.LeafNodeType === "It" && spec.State !== "skipped" && spec.State !== "pending").map(spec => {
      const text = [...(spec.ContainerHierarchyTexts ?? []), spec.LeafNodeText].join(" ");
      return { area: /^\[(sig-[a-z-]+)\]/.exec(text)?.[1] ?? "others", name: text, passed: spec.State === "passed" };
    });
  }
}
