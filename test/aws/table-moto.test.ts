/**
 * Ran against: moto's DynamoDB, with the defects mended that support/moto_dynamodb.py names. Its indexes never lag.
 *
 * Besides, when MUSTER_TEST_DYNAMODB names one, on another: `http://127.0.0.1:8000/muster-test` for a server such as
 * DynamoDB Local, where the table is made if need be, or the name of a table on AWS, with AWS_REGION and the usual
 * credentials in the environment. The suite leaves items of its own behind there.
 */
import { randomUUID } from "node:crypto";
import { lambdaCredentials } from "@muster/aws/call/aws.ts";
import { openTable, type TableOptions } from "@muster/aws/table/table.ts";
import { INDEXES, type Table } from "@muster/core/ports/table.ts";
import { expect } from "vitest";
import { tableContract } from "../contract/table.ts";
import { startMoto } from "./support/moto.ts";
import { awsAt, makeTable } from "./table-support.ts";

tableContract(
  "DynamoDB on moto",
  async setup => {
    const moto = await startMoto();
    await makeTable(moto.url, "muster");
    return { table: openTable({ aws: awsAt(moto.url), name: "muster", ...setup }), close: () => moto.close() };
  },
  { runs: 50 },
);

const named = process.env.MUSTER_TEST_DYNAMODB;
if (named !== undefined)
  tableContract(
    `DynamoDB at ${named}`,
    async setup => {
      const table = openTable({ ...(await find(named)), ...setup });
      return { table, settle: () => settle(table), close: () => undefined };
    },
    { runs: 30 },
  );

async function find(place: string): Promise<Pick<TableOptions, "aws" | "name">> {
  if (!place.startsWith("http")) {
    const region = process.env.AWS_REGION ?? "us-east-1";
    return { aws: { region, credentials: lambdaCredentials(process.env) }, name: place };
  }
  const { origin, pathname } = new URL(place);
  const name = pathname.slice(1);
  await makeTable(origin, name).catch((error: unknown) => {
    if (!(error instanceof Error && error.name === "ResourceInUseException")) throw error;
  });
  return { aws: awsAt(origin), name };
}

/** Writes one more item and waits until all indexes show it. AWS promises no order, but what came before is likely there. */
async function settle(table: Table): Promise<void> {
  const pk = `settle#${randomUUID()}`;
  const indexes = Object.fromEntries(INDEXES.map(name => [name, { pk, sk: "A" }]));
  await table.write([{ put: { pk, sk: "A", type: "mark", data: {}, indexes }, expect: "absent" }]);
  const seen = async (index: (typeof INDEXES)[number]) => (await table.query({ pk, index })).items.length;
  for (const index of INDEXES) await expect.poll(() => seen(index), { interval: 20 }).toBe(1);
}
