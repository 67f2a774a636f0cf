#!/usr/bin/env node
// Plain JavaScript that any Node can read: it must be able to say which Node is needed.
import { existsSync } from "node:fs";
import * as nodeModule from "node:module";

const NEEDED = 24;
if (Number(process.versions.node.split(".")[0]) < NEEDED) {
  process.stderr.write(
    `muster: needs Node ${NEEDED} or newer; this is ${process.version} (${process.execPath}).\n` +
      "  In a clone, `npx muster` brings its own. Elsewhere, install Node 24 from https://nodejs.org and try again.\n",
  );
  process.exit(125);
}
nodeModule.enableCompileCache?.();
const source = new URL("../src/entry.ts", import.meta.url);
await import(existsSync(source) ? source.href : new URL("../dist/muster.js", import.meta.url).href);
