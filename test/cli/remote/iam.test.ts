/** The grants that the command line prints: the command as a process, which asks nobody. */
import { grants, roles } from "@muster/aws/grants.ts";
import { FUNCTIONS, ROLES } from "@muster/aws/places.ts";
import { afterAll, describe, expect, test, vi } from "vitest";
import { Home } from "../support/muster.ts";

vi.setConfig({ testTimeout: 60_000 });

const admin = new Home();
afterAll(() => admin[Symbol.asyncDispose]());

describe("iam print", () => {
  test("every function's grants, each with its reason", async () => {
    await using home = new Home();
    const { code, out } = await home.run("iam", "print");
    expect(code).toBe(0);
    const text = out.replaceAll(/\s+/g, " ");
    for (const name of FUNCTIONS) {
      expect(out).toMatch(new RegExp(`^${name} +role of the function DEPLOYMENT-${name}, in /muster/$`, "m"));
      for (const { why, actions } of grants[name]) {
        expect(text).toContain(why);
        expect(text).toContain(actions.join(" "));
      }
    }
  });

  test("the roles that are no function's, each with its reasons", async () => {
    await using home = new Home();
    const { out } = await home.run("iam", "print");
    const text = out.replaceAll(/\s+/g, " ");
    for (const name of ROLES) {
      expect(text).toContain(`DEPLOYMENT-${name} role of ${roles[name].of}, in /muster/`);
      for (const { why, actions } of roles[name].grants) expect(text).toContain(`${why} ${actions.join(" ")}`);
    }
    const where = [
      "--account",
      "123456789012",
      "--region",
      "eu-west-1",
      "--deployment",
      "muster-prod",
      "--api",
      "abc1",
    ];
    const [host, ...more] = await home.json<{ policy: { Statement: unknown[] } }[]>(
      ...["iam", "print", "--role", "host", ...where],
    );
    expect(more).toEqual([]);
    expect(host).toMatchObject({ role: "host", name: "muster-prod-host", service: "ec2.amazonaws.com" });
    expect(host?.policy.Statement).toContainEqual({
      Effect: "Allow",
      Action: ["execute-api:Invoke"],
      Resource: expect.arrayContaining(["arn:aws:execute-api:eu-west-1:123456789012:abc1/*/POST/v1/agent/register"]),
    });
  });

  test("as policies of one deployment", async () => {
    await using home = new Home();
    const where = ["--account", "123456789012", "--region", "us-gov-west-1", "--deployment", "muster-prod"];
    const [cron, ...more] = await home.json<{ policy: { Version: string; Statement: Record<string, unknown>[] } }[]>(
      ...["iam", "print", "--function", "cron", ...where, "--table", "records", "--bucket", "blobs"],
    );
    expect(more).toEqual([]);
    expect(cron?.policy.Version).toBe("2012-10-17");
    expect(cron?.policy.Statement).toContainEqual({
      Effect: "Allow",
      Action: ["ec2:StartInstances", "ec2:StopInstances", "ec2:TerminateInstances", "ec2:ModifyInstanceAttribute"],
      Resource: ["arn:aws-us-gov:ec2:us-gov-west-1:123456789012:instance/*"],
      Condition: { StringEquals: { "aws:ResourceTag/muster:deployment": ["muster-prod"] } },
    });
    expect(JSON.stringify(cron)).toContain("arn:aws-us-gov:s3:::blobs/catalog/*");
    expect(JSON.stringify(cron?.policy)).not.toMatch(/ACCOUNT|REGION|DEPLOYMENT|TABLE|BUCKET/);
    expect((await home.run("iam", "print", "--account", "12")).err).toContain("Write it like 123456789012.");
  });
});
