/** Containers, as Muster's own form, SkyPilot's and Oumi's have them. Pure. */
import { Container } from "@muster/core/task/container.ts";
import { describe, expect, test } from "vitest";
import { problems, read } from "./support.ts";

const containerOf = (text: string) => {
  const { draft, unsupported } = read(`${text}\n`);
  expect(unsupported).toEqual([]);
  return draft.task.container;
};

describe("what a task may say", () => {
  test.each([
    ["container: ubuntu:24.04", { image: "ubuntu:24.04", options: [] }],
    ["container: docker:ubuntu", { image: "ubuntu", options: [] }],
    ["container: { image: a/b, options: '--shm-size 8g -e \"A=b c\"' }", ["--shm-size", "8g", "-e", "A=b c"]],
    ["container: { image: a/b, options: ['--env=X=''a''', -v /a:/b] }", ["--env=X=a", "-v", "/a:/b"]],
    ["resources: { image_id: docker:a/b:1 }", { image: "a/b:1", options: [] }],
    ["resources: { image_id: Docker:a/b:1 }", { image: "a/b:1", options: [] }],
    ["resources: { image_id: { us-east-1: docker:a, eu-west-1: docker:a } }", { image: "a", options: [] }],
    ["resources: { image_id: docker:a/b }\ncontainer: a/b", { image: "a/b", options: [] }],
    ["resources: { any_of: [{ infra: aws, image_id: docker:a }, { infra: gcp, image_id: docker:a }] }", { image: "a" }],
    ["resources: { image_id: docker:a }\nconfig: { docker: { run_options: --shm-size=1g } }", ["--shm-size=1g"]],
    [
      "resources: { image_id: docker:a }\nconfig: { docker: { run_options: [-v /a:/b, --privileged] } }",
      ["-v", "/a:/b", "--privileged"],
    ],
  ])("%s", (text, wanted) => {
    expect(containerOf(text)).toMatchObject(Array.isArray(wanted) ? { options: wanted } : wanted);
  });

  test("a machine's image and a container are both kept", () => {
    const { draft } = read("resources: { image_id: { us-east-1: ami-1, Docker: 'ubuntu:22.04' } }\n");
    expect(draft.task).toMatchObject({
      resources: { images: { "us-east-1": "ami-1" } },
      container: { image: "ubuntu:22.04" },
    });
    const own = read("resources: { image_id: ami-1 }\ncontainer: ubuntu\n").draft.task;
    expect(own).toMatchObject({ resources: { image: "ami-1" }, container: { image: "ubuntu" } });
  });

  test("Oumi's jobs have it as SkyPilot's", () => {
    const text = "name: a\nworking_dir: .\nresources: { cloud: aws, image_id: docker:a/b }\nrun: x\n";
    const { dialect, draft } = read(text);
    expect([dialect, draft.task.container]).toEqual(["oumi", { image: "a/b", options: [] }]);
  });

  test("GPUs are a job's own, and options without a container are for nothing; both are said", () => {
    const gpus = read(
      "resources: { image_id: docker:a }\nconfig: { docker: { run_options: ['--gpus all', --shm-size=1g] } }\n",
    );
    expect(gpus.warnings.join()).toContain("--gpus is left out");
    const alone = read("config: { docker: { run_options: --shm-size=1g } }\nrun: x\n");
    expect(alone.unsupported).toEqual([]);
    expect(alone.warnings.join()).toContain("matters to containers only");
  });

  test("a job has one container: what differs by machine cannot be done", () => {
    const some = "resources: { any_of: [{ image_id: docker:a }, { cpus: 2 }] }\n";
    expect(read(some).unsupported).toMatchObject([
      { path: "resources.any_of.0", why: expect.stringContaining("not on others") },
    ]);
    const others = "resources: { any_of: [{ image_id: docker:a }, { image_id: docker:b }] }\n";
    expect(read(others).unsupported).toMatchObject([{ why: expect.stringContaining("differ by the machine") }]);
  });
});

test.each([
  ["container: Ubuntu", "container (line 1): must be an image such as registry/name:tag"],
  ["container: 'a b'", "must be an image"],
  ["container: {}", "names no image"],
  ["container: [a]", "must be text"],
  ["container: { image: a, option: x }", "did you mean 'options'?"],
  ["container: { image: a, options: --pid=host }", "has --pid=host, which cannot be"],
  ["container: { image: a, options: '--pid host' }", "has --pid, which cannot be"],
  ["container: { image: a, options: -it }", "nobody sits before"],
  ["container: { image: a, options: [--name x] }", "is Muster's to say"],
  ["container: { image: a, options: [ubuntu] }", "has 'ubuntu', which is no option"],
  ["container: { image: a, options: [--privileged, ubuntu] }", "has 'ubuntu', which is no option"],
  ['container: { image: a, options: "-e \'A" }', "a quote that is not closed"],
  ["container: a\nresources: { image_id: docker:b }", "another container's image"],
  ["groups: [{ name: w, resources: { image_id: docker:a } }]", "write container beside groups"],
])("%s is refused", (text, message) => {
  const found = problems(`${text}\n`).map(
    ({ path, line, message: said, suggestion }) => `${path} (line ${line}): ${said}; ${suggestion}`,
  );
  expect(found.join("\n")).toContain(message);
});

test("the API refuses the same options", () => {
  const parse = (options: string[]): boolean => Container.safeParse({ image: "a", options }).success;
  expect(parse(["-v", "/a:/b", "--ipc=private", "--user", "1000"])).toBe(true);
  for (const options of [["--pid=host"], ["--rm"], ["-d"], ["--gpus", "all"], ["-w", "/"], ["-w/x"], ["x"]])
    expect(parse(options), options.join(" ")).toBe(false);
});
