/** Why a part of the catalog could not be made. Pure. */

import { problemOf } from "@muster/aws/catalog/problem.ts";
import { Fault } from "@muster/aws/fault.ts";
import { expect, test } from "vitest";
import * as z from "zod";

const fault = (code: string, kind: Fault["kind"]) =>
  new Fault({ code, kind, operation: "GetProducts", message: "said AWS", status: 400, body: {} });

test.each([
  ["AccessDeniedException", "refused", "allow pricing:GetProducts to the role of the function cron"],
  ["UnauthorizedOperation", "refused", "allow pricing:GetProducts to the role of the function cron"],
  ["ExpiredTokenException", "refused", "renew the credentials"],
  ["OptInRequired", "refused", "enable the region for the account"],
  ["ThrottlingException", "throttled", "it is asked again within the hour"],
  ["InternalError", "unknown", "it is asked again within the hour"],
] as const)("%s comes with what to do", (code, kind, fix) => {
  const message = `prices on demand could not be read: GetProducts: ${code}: said AWS`;
  expect(problemOf("prices", fault(code, kind))).toEqual({ part: "prices", message, fix });
});

test("what nobody can mend comes without", () => {
  expect(problemOf("prices", fault("InvalidParameterException", "refused"))).not.toHaveProperty("fix");
  expect(problemOf("spot", new Error("broken"))).toEqual({
    part: "spot",
    message: "spot prices could not be read: broken",
  });
});

test("an answer of another form is named as such", () => {
  const read = z.object({ Quotas: z.array(z.string()) }).safeParse({ Quotas: 1 });
  const problem = problemOf("quotas", read.error);
  expect(problem.message).toMatch(/^quotas could not be read: AWS answered in another form than expected \(.*Quotas/s);
});
