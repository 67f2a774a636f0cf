/** Writes to a table from a process of its own: transactions without end, or a number of increments. */
import { writeSync } from "node:fs";
import { WriteConflict } from "@muster/core/ports/table.ts";
import { openTable } from "@muster/local/table/table.ts";
import { createDigest } from "@muster/node/digest.ts";

const [verb, path = "", first = "0"] = process.argv.slice(2);
const table = openTable({ path, digest: createDigest("a key of these tests, 32 bytes long, or more") });

/** Each transaction adds five items, and moves one that all of them share. The acknowledgement is a line. */
async function transactions(): Promise<void> {
  for (let n = Number(first); ; n++) {
    const items = ["A", "B", "C", "D", "E"].map(part => ({ pk: `PART#${part}`, sk: String(n).padStart(8, "0") }));
    const shared = await table.get({ pk: "SHARED", sk: "LAST" });
    await table.write([
      ...items.map(key => ({
        put: { ...key, type: "part", data: { n, filler: "x".repeat(500) } },
        expect: "absent" as const,
      })),
      { put: { pk: "SHARED", sk: "LAST", type: "last", data: { n } }, expect: shared?.version ?? "absent" },
    ]);
    writeSync(1, `${n}\n`);
  }
}

async function increments(): Promise<void> {
  for (let done = 0; done < Number(first); ) {
    const item = await table.get({ pk: "COUNTER", sk: "COUNTER" });
    const put = { pk: "COUNTER", sk: "COUNTER", type: "counter", data: { n: Number(item?.data.n ?? 0) + 1 } };
    try {
      await table.write([{ put, expect: item?.version ?? "absent" }]);
      done++;
    } catch (error) {
      if (!(error instanceof WriteConflict)) throw error;
    }
  }
}

await (verb === "transactions" ? transactions() : increments());
table.close();
