/** P19 by command: `node tools/linear.ts [NAME]` gives hostile texts to our regular expressions and to everything that reads what others write; exit code 1 if more text takes disproportionately more processor time. */
import { readers, slowTexts } from "../test/linear/parsers.ts";
import { patternsOf, slowText } from "../test/linear/patterns.ts";

/** Quadratic, and never given more than a few characters: numbers and names that we or the administrator wrote, or that were measured before. */
const onShortTexts = new Set(["src/base/duration.ts /0+$/", "src/schema/cel/time.ts /0+$/", "src/schema/cel/format-text.ts /\\B(?=(?:\\d{3})+$)/", "src/host/pki-der.ts /(\\d+)\\.(\\d+)\\.(\\d+)\\.(\\d+)$/", "src/kinds/openapi/operations.ts /(V\\d\\w*?)(Namespaced|)$/", "src/node/sandbox-config.ts /[-.]+$/", "src/cli/cluster.ts /[-.]+$/", "src/api/authn/oidc/config.ts /\\/+$/"]);

const [only] = process.argv.slice(2);
const patterns = patternsOf().filter(({ path, pattern }) => !onShortTexts.has(`${path} /${pattern.source}/`));
const chosen = readers.filter(({ name }) => only === undefined || name.includes(only));
let problems = 0;
const tell = (problem: string): void => { problems++; console.log(problem); };
if (only === undefined) for (const pattern of patterns) { const problem = slowText(pattern); if (problem !== undefined) tell(problem); }
for (const reader of chosen) for (const problem of slowTexts(reader)) tell(problem);
console.log(`${only === undefined ? patterns.length : 0} patterns, ${chosen.length} readers, ${problems} problems`);
process.exitCode = problems > 0 ? 1 : 0;
