/** The outside of worlds that have none. */
import { MusterError } from "@muster/core/error.ts";
import type { Outbound } from "@muster/core/ports/outbound.ts";
import type { TaskFiles } from "@muster/core/ports/task-files.ts";

const outbound: Outbound = {
  check: () => undefined,
  send: async () => {
    throw new MusterError("unavailable", "there is no network");
  },
};

const taskFiles: TaskFiles = {
  read: () => {
    throw new MusterError("unsupported", "there are no task files");
  },
};

export const nowhere = { outbound, taskFiles };
