import { main } from "../src/main/cli.ts";

// Whatever a component may have left behind must not keep a process that is done: output to files, pipes and terminals is written by now.
process.exit(await main(process.argv.slice(2)));
