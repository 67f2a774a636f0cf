/** A job that prints numbered lines with the time of each, and somebody who follows its log as the CLI does. */
import type { TaskInput } from "@muster/core/task/task.ts";
import { launch, type Plane } from "./plane.ts";

/** Prints `perSecond` lines a second, in bursts of 10 ms, each line `<number> <epoch ms>`. */
export function chatter({ seconds, perSecond }: { seconds: number; perSecond: number }): TaskInput {
  const program = [
    "const { writeSync } = require('node:fs');",
    "const start = Date.now();",
    "let line = 0;",
    "const beat = setInterval(() => {",
    `  const due = Math.min(Math.floor((Date.now() - start) * ${perSecond / 1000}), ${seconds * perSecond});`,
    "  let text = '';",
    "  while (line < due) text += line++ + ' ' + Date.now() + '\\n';",
    "  if (text) writeSync(1, text);",
    `  if (line === ${seconds * perSecond}) clearInterval(beat);`,
    "}, 10);",
  ].join("\n");
  return { run: `cat > chatter.cjs <<'END'\n${program}\nEND\nnode chatter.cjs` };
}

/** Pause between two looks of a follower, in ms; the CLI's own. */
const LOOK = 100;

/** Launches the task and follows it to its end. `lags`: ms from printing to reading, of the last line of each chunk. */
export async function followed(plane: Plane, task: TaskInput) {
  const job = await launch(plane, "chatter", task);
  const texts: string[] = [];
  const lags: number[] = [];
  let cursor: string | undefined;
  for (;;) {
    const page = await plane.api.jobs.logs({
      params: { job: job.id },
      query: { follow: "true", ...(cursor !== undefined && { cursor }) },
    });
    for (const chunk of page.chunks) {
      const text = await (await fetch(chunk.url)).text();
      texts.push(text);
      lags.push(Date.now() - Number(text.trimEnd().split("\n").at(-1)?.split(" ")[1]));
    }
    if (page.done) break;
    cursor = page.cursor;
    await new Promise(resolve => setTimeout(resolve, LOOK));
  }
  const lines = texts
    .join("")
    .trimEnd()
    .split("\n")
    .map(line => Number(line.split(" ")[0]));
  return { job, lines, lags };
}
