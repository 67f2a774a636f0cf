/** docs/lifecycles.md, written from the lifecycle tables. Run as a program it writes the file. */
import { writeFileSync } from "node:fs";
import { life as array } from "@muster/core/array/life.ts";
import { life as attempt } from "@muster/core/attempt/life.ts";
import { life as cluster } from "@muster/core/cluster/life.ts";
import { life as host } from "@muster/core/host/life.ts";
import { life as image } from "@muster/core/image/life.ts";
import { life as job } from "@muster/core/job/life.ts";
import { life as jobGroup } from "@muster/core/jobgroup/life.ts";
import { diagram } from "@muster/core/lifecycle.ts";

const sections = [
  [
    cluster,
    "A cluster ends as `terminated`, or as `failed` when it could not be what it was asked to be; both only when no machine is left.",
  ],
  [job, "A job that was accepted ends in one of four ways, and stays there."],
  [array, "Many runs of one task. It ends when all of them have, and counts those that never began."],
  [
    jobGroup,
    "Tasks of several kinds at the same time. It ends as its primary tasks do; meanwhile the others are ended.",
  ],
  [attempt, "One node's part in one try of a job."],
  [host, "One machine, as its agent registers it. A stopped cluster's hosts are expected again."],
  [
    image,
    "A stopped cluster's disk, kept for others to start from. It is `removed` when nothing of it is left at the provider.",
  ],
] as const;

export function lifecyclePage(): string {
  const parts = sections.map(
    ([life, text]) => `## ${life.noun}\n\n${text}\n\n\`\`\`mermaid\n${diagram(life)}\n\`\`\`\n`,
  );
  return `# Lifecycles\n\nWritten from the tables in \`packages/core/src/*/life.ts\` by \`npm run lifecycles\`.\n\n${parts.join("\n")}`;
}

if (import.meta.main) writeFileSync("docs/lifecycles.md", lifecyclePage());
