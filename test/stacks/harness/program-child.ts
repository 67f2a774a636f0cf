/** Builds a config's program for many to run: `node program-child.ts <config> <stage> <out>`. Says in the file what it made. */
import { writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { programOf } from "./program.ts";

const [config = "", stage = "", out = ""] = process.argv.slice(2);
writeFileSync(out, JSON.stringify(await programOf(config, stage, `sst.config.${basename(dirname(out))}`)));
process.exit(0);
