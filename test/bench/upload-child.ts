/** One upload of a folder in a process of its own, as a command makes it: told on stdout with what it took. */
import { client } from "@muster/api/client.ts";
import * as Inputs from "../../packages/cli/src/inputs.ts";
import { output } from "../../packages/cli/src/output.ts";

const [, , endpoint = "", token = "", folder = ""] = process.argv;
const out = output({}, { CI: "true" });
const begun = performance.now();
const draft = { workdir: folder, fileMounts: [], buckets: [], task: { packages: [], secrets: {} } };
const inputs = Inputs.find(process.cwd(), draft);
const means = { out, client: client({ endpoint, token, version: "bench" }), ask: { yes: true, interactive: false } };
const sent = await Inputs.send(means, inputs);
const packs = sent.workdir !== undefined && "packs" in sent.workdir ? sent.workdir.packs.length : 0;
const ms = performance.now() - begun;
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
// maxRSS is in kilobytes, the times are in microseconds.
console.log(JSON.stringify({ ms, packs, rss: maxRSS / 1024, cpu: (userCPUTime + systemCPUTime) / 1000 }));
process.exit(0);
