import type { Metrics } from "./metrics.ts";

export type Build = { readonly gitVersion: string; readonly gitCommit: string; readonly buildDate: string; readonly platform: string; readonly runtime: string };

/** What was built of what, as /version says it; `gitVersion` begins with the Kubernetes version. */
export function versionOf({ gitVersion, gitCommit, buildDate, platform, runtime }: Build) {
  const [, major = "1", minor = "36"] = /^v([0-9]+)\.([0-9]+)/.exec(gitVersion) ?? [];
  return { major, minor, emulationMajor: major, emulationMinor: minor, minCompatibilityMajor: major, minCompatibilityMinor: String(Number(minor) - 1), gitVersion, gitCommit, gitTreeState: "clean", buildDate, goVersion: runtime, compiler: "v8", platform };
}

/** The same as a figure (component-base metrics/prometheus/version). */
export function addBuildInfo(metrics: Metrics, build: Build): void {
  const { major, minor, gitVersion, gitCommit, gitTreeState, buildDate, goVersion, compiler, platform } = versionOf(build);
  metrics.gauge("kubernetes_build_info", "What this was built of. Always 1.", ["major", "minor", "git_version", "git_commit", "git_tree_state", "build_date", "go_version", "compiler", "platform"]).set(1, major, minor, gitVersion, gitCommit, gitTreeState, buildDate, goVersion, compiler, platform);
}
