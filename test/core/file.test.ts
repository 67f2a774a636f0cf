/** What a machine fetches when it boots; blobs are a map in memory. */
import { file } from "@muster/core/agent/file.ts";
import * as Keys from "@muster/core/keys.ts";
import { expect, test } from "vitest";
import { code } from "../support/requests.ts";
import { memoryBlobs, testWorld } from "../support/world.ts";

const ACCOUNT = "123456789012";
const callerOf = (role: string, session: string, account = ACCOUNT) => ({
  arn: `arn:aws:sts::${account}:assumed-role/${role}/${session}`,
  account,
});
const SUM = "a".repeat(64);

async function worldWithFile() {
  const blobs = memoryBlobs();
  await blobs.put(Keys.runtime(SUM), Buffer.from("node"));
  return { ...testWorld(), blobs, trust: { account: ACCOUNT, hostRole: "muster-prod-host" } };
}

test("hosts are told where the agent and its runtime are, and nobody else is: downloads cost", async () => {
  const world = await worldWithFile();
  const host = callerOf("muster-prod-host", "i-0123456789abcdef0");
  expect((await file(world, host, SUM)).url).toContain(Keys.runtime(SUM));
  expect(await code(file(world, host, "b".repeat(64)))).toBe("not_found");
  const strangers = [
    callerOf("admin", "i-0123456789abcdef0"),
    callerOf("muster-dev-host", "i-0123456789abcdef0"),
    callerOf("muster-prod-host", "i-0123456789abcdef0", "210987654321"),
    { arn: `arn:aws:iam::${ACCOUNT}:user/ada`, account: ACCOUNT },
  ];
  for (const stranger of strangers) expect(await code(file(world, stranger, SUM))).toBe("unauthenticated");
  expect(await code(file({ ...world, trust: undefined as never }, host, SUM))).toBe("unauthenticated");
});
