import { main } from "../src/main/cli.ts";

process.exitCode = await main(process.argv.slice(2));
