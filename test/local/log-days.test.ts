/** How long logs are kept, as the embedded control plane is told: its program, in this process. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { main } from "@muster/local/main.ts";
import { afterEach, expect, test, vi } from "vitest";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test.each(["0", "-1", "3651", "1.5", "a week", ""])("'%s' is no number of days, and nothing is served", async given => {
  const home = mkdtempSync(join(tmpdir(), "muster-days-"));
  const said: unknown[] = [];
  vi.stubEnv("MUSTER_LOG_DAYS", given);
  vi.spyOn(process.stderr, "write").mockImplementation(text => said.push(text) > 0);
  expect(await main(["--home", home], { agent: ["true"] })).toBe(1);
  expect(String(said)).toContain(`MUSTER_LOG_DAYS is a number of days from 1 to 3650, not '${given}'`);
  rmSync(home, { recursive: true });
});
