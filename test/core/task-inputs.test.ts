/** What a task may say of its inputs, by its schema. */
import { Task } from "@muster/core/task/task.ts";
import { expect, test } from "vitest";

test("a task, which stands in the table as it is, has no password in the address of a repository", () => {
  const url = "https://me:s3cret@git.example/a.git";
  const issues = Task.safeParse({
    run: "true",
    workdir: { url },
    packages: [
      { method: "pip", source: url },
      { method: "pip", source: `git+${url}@main` },
      { method: "pip", source: `https://${"t".repeat(20)}@git.example/a.git` },
      { method: "pip", source: "torch", args: ["--index-url", "https://me:s3cret@pypi.example/simple"] },
    ],
  }).error?.issues;
  expect(issues?.map(({ path }) => path.join("."))).toEqual([
    "workdir.url",
    "packages.0.source",
    "packages.1.source",
    "packages.2.source",
    "packages.3.args.1",
  ]);
  expect(JSON.stringify(issues)).toContain("GIT_TOKEN");
  expect(JSON.stringify(issues)).not.toContain("s3cret");
  for (const good of ["https://me@git.example/a.git", "ssh://git@git.example:22/a.git", "git@git.example:a/b.git"]) {
    const task = { run: "true", workdir: { url: good }, packages: [{ method: "pip", source: good }] };
    expect(Task.safeParse(task).error, good).toBeUndefined();
  }
});
