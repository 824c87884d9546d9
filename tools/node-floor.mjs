// Runs on any Node: says in one line what is missing instead of failing somewhere inside.
const major = Number(process.versions.node.split(".")[0]);
if (major < 26) {
  console.error(`timonier needs Node 26 or later, this is ${process.versions.node}: run "npm ci" without --omit=optional (it brings Node 26 along), then use "npm test" or ./timonier`);
  process.exit(1);
}
