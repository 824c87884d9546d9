/** What `/version`, `timonier version` and the nodes say. */
export const version = { timonier: "0.1.0", kubernetes: "v1.36.0", major: "1", minor: "36" } as const;
export const build = { gitVersion: `${version.kubernetes}+timonier${version.timonier}`, gitCommit: "", buildDate: "1970-01-01T00:00:00Z", platform: `linux/${process.arch === "x64" ? "amd64" : process.arch}`, runtime: process.version } as const;
