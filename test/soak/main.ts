/** 1,000 lines a second for a minute, followed as the CLI does: nothing lost, in order, and how far the follower lags. */
import { chatter, followed } from "../support/chatter.ts";
import { openPlane } from "../support/plane.ts";

const seconds = 60;
const perSecond = 1000;
const plane = await openPlane();
const { lines, lags } = await followed(plane, chatter({ seconds, perSecond }));
await plane.close();

const lost = seconds * perSecond - new Set(lines).size;
const doubled = lines.length - new Set(lines).size;
const disordered = lines.filter((line, index) => index > 0 && line !== (lines[index - 1] ?? 0) + 1).length;
const sorted = lags.toSorted((a, b) => a - b);
const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
console.log(
  `${lines.length} lines in ${lags.length} chunks: ${lost} lost, ${doubled} doubled, ${disordered} out of order`,
);
console.log(`lag behind the job: median ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`);
const ok = lost + doubled + disordered === 0;
console.log(ok ? "1 passed, 0 failed" : "0 passed, 1 failed");
process.exit(ok ? 0 : 1);
