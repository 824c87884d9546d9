/** What `/version`, `timonier version` and the nodes say. */
export const version = { timonier: "0.1.0", kubernetes: "v1.36.0", major: "1", minor: "36" } as const;
