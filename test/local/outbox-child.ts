/** A process that is killed right after a commit: nobody in it was told of the event. Its argument is the table's file. */
import { isNews } from "@muster/local/run/outbox.ts";
import { openTable } from "@muster/local/table/table.ts";
import { createDigest } from "@muster/node/digest.ts";
import { eventWrite } from "./outbox-support.ts";

const table = openTable({
  path: process.argv[2] ?? "",
  digest: createDigest("a key for tests, 32 bytes or more"),
  isNews,
  // As soon as the commit is there, before anything else has its turn.
  onCommit: () => void process.kill(process.pid, "SIGKILL"),
});
await table.write([eventWrite(1)]);
