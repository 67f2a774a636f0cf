import { describe, expect, test } from "vitest";
import { problems, read } from "./support.ts";

describe("text that is no task", () => {
  test.each(["", "\n\n", "# a comment\n", "---\n", "\uFEFF"])("a file with nothing in it (%j)", text => {
    expect(problems(text)).toMatchObject([{ path: "", message: "there is nothing in it" }]);
  });

  test.each([
    ["- a\n", "a list"],
    ["just text\n", "text"],
    ["42\n", "text"],
  ])("%j at the top is no map", (text, what) => {
    expect(problems(text)).toEqual([
      { path: "", line: 1, message: `must be a map of keys such as \`run:\`, and is ${what}` },
    ]);
  });

  test.each([
    ["run: 'x\n", 2],
    ["a: 1\nb: [1\n", 3],
    ["a: b: c\n", 1],
    ["run: x\n\n4\n", 3],
    ["run: @x\n", 1],
    ['run: "\\$x"\n', 1],
  ])("malformed %j is told with line and column", (text, line) => {
    expect(problems(text)).toEqual([
      expect.objectContaining({ path: "", line, message: expect.stringMatching(/^not valid YAML at column \d+: /) }),
    ]);
  });

  test("a tab that indents gets its advice, and nothing else is told beside it", () => {
    expect(problems("resources:\n  cpus: 4\n\tmemory: 4\n  # so much\n  spot: true\nrun: x\n")).toEqual([
      {
        path: "",
        line: 3,
        message: "not valid YAML at column 1: a line is indented with a tab",
        suggestion: "indent with spaces",
      },
    ]);
  });

  test.each([
    ["resources:\n  cloud: {{cloud}}\n", 2, "a template's placeholder", "render the file first"],
    ["{% if gpu %}\nname: x\n{% endif %}\n", 1, "a template's placeholder", "render the file first"],
    [
      "run: |\npip list\n  echo secret\n",
      2,
      "text that goes over several lines stands where a key should",
      "write `|` after the key, and indent every line of its text",
    ],
    [
      "setup:\n  pip install a\n  pip install b: c\n",
      2,
      "text that goes over several lines stands where a key should",
      "write `|` after the key, and indent every line of its text",
    ],
    ["run: x\n\nsecret\n", 3, "a key needs `: value`", "write `key: value`, or take the line out"],
    ["name: exp: one\n", 1, "a value has `: ` in it", "put the whole value in quotes"],
    ["name: 'secret\n", 2, "text in quotes does not end", "close the quotes"],
    ["name: @secret\n", 1, "a value begins with a character that it must not begin with", "put it in quotes"],
    ["name: {a}/secret\n", 1, "text follows where a value has ended", "put all of it in quotes"],
    [
      "resources:\n  cloud: aws\n\n  # secret\n   cpus: 4\n",
      5,
      "the line is indented by 3, and line 2 above it by 2",
      "begin all keys of one map, and all items of one list, at the same column",
    ],
    [
      "resources:\n  - a: 1\n - secret\n",
      3,
      "the line is indented by 1, and line 2 above it by 2",
      "begin all keys of one map, and all items of one list, at the same column",
    ],
    [
      "a:\n - x: {}\n   y: 1\n  secret: 2\n",
      4,
      "the line is indented by 2, and line 3 above it by 3",
      "begin all keys of one map, and all items of one list, at the same column",
    ],
  ])("%j is told in words, and without the text", (text, line, message, suggestion) => {
    const [first] = problems(text);
    expect(first).toMatchObject({ path: "", line, suggestion });
    expect(first?.message.replace(/^not valid YAML(?: at column \d+)?: /, "")).toBe(message);
  });

  test("a brace that is no template's is not taken for one", () => {
    expect(problems("# {{x}}\nname: f'{{x}}': y\n")[0]?.message).not.toContain("template");
  });

  test("duplicate keys are refused with both lines, however deep", () => {
    expect(problems("run: x\nenvs:\n  A: 1\n  B: 2\n  A: 3\n")).toEqual([
      { path: "envs.A", line: 5, message: "is there twice: on line 3, and again here" },
    ]);
  });

  test.each(["!!python/object:os.system x", "!!binary aGk=", "!!int '3'", "!own x"])(
    "the tag in %s is refused",
    text => {
      expect(problems(`run: x\nname: ${text}\n`)).toMatchObject([{ path: "name", line: 2 }]);
    },
  );

  test("characters that no script can have are refused", () => {
    expect(problems("run: x\nname: a\u0007b\n")).toEqual([
      { path: "", line: 2, message: "character U+0007 cannot stand in YAML text" },
    ]);
    expect(problems('envs: { A: "a\\0b" }\n')).toMatchObject([{ path: "envs.A", line: 1 }]);
  });
});

describe("text that would hurt", () => {
  test("a bomb of aliases is refused", () => {
    const levels = Array.from({ length: 9 }, (_, level) => {
      const below = level === 0 ? "boom" : `*l${level - 1}`;
      return `k${level}: &l${level} [${Array(9).fill(below).join(",")}]`;
    });
    expect(problems(levels.join("\n"))).toMatchObject([{ message: expect.stringContaining("alias") }]);
  });

  test("very many aliases are refused", () => {
    expect(problems(`a: &a x\nb: [${Array(101).fill("*a").join(",")}]`)).toMatchObject([
      { message: "has more than 100 aliases" },
    ]);
  });

  test.each(["a: &a [*a]", "a: &a {b: *a}", "run: &a {<<: *a}", "a: *nowhere"])("%s is refused", text => {
    expect(problems(text)).not.toEqual([]);
  });

  test.each([
    ["[", 50_000],
    ["{a: ", 30_000],
    ["- ", 50_000],
    ["? ", 50_000],
    ["a:\n ", 40],
  ])("nesting by %j is refused before it is followed", (text, times) => {
    const nested = text.includes("\n")
      ? Array.from({ length: times }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n")
      : text.repeat(times);
    expect(problems(nested)).toMatchObject([{ path: "", message: "nested deeper than 32 levels" }]);
  });

  test("32 levels are fine", () => {
    const text = (depth: number): string => `config: { aws: { x: ${"[".repeat(depth)}${"]".repeat(depth)} } }\n`;
    expect(read(text(30)).unsupported).toMatchObject([{ path: "config.aws" }]);
    expect(problems(text(31))).toMatchObject([{ message: "nested deeper than 32 levels" }]);
  });

  test("256 KB are the limit, in bytes", () => {
    expect(problems(`run: ${"é".repeat(140_000)}`)).toMatchObject([
      { message: expect.stringContaining("256 KB at most") },
    ]);
    expect(read(`# ${"x".repeat(250_000)}\nrun: x\n`).draft.task.run).toBe("x");
  });

  test("the names of an object's own machinery are no variables", () => {
    expect(problems("envs:\n  __proto__: x\n")).toMatchObject([{ path: "envs.__proto__", line: 2 }]);
    expect(problems("run: x\n", { envs: JSON.parse('{ "__proto__": "x" }') })).toMatchObject([
      { path: "envs.__proto__" },
    ]);
    const { envs } = read("envs: { constructor: x, toString: y }\n").draft.task;
    expect(envs).toEqual({ constructor: "x", toString: "y" });
  });
});

describe("scalars", () => {
  test.each([
    ["true", "True"],
    ["on", "True"],
    ["No", "False"],
    ["y", "y"],
    ["1.50", "1.5"],
    ["3.0", "3.0"],
    ["-0.0", "-0.0"],
    ["1.0e+20", "1e+20"],
    ["0.00001", "1e-05"],
    ["1234567.25", "1234567.25"],
    ["1e-5", "1e-5"],
    ["007", "7"],
    ["08", "08"],
    ["0o7", "0o7"],
    ["0x1F", "31"],
    ["0b101", "5"],
    ["1_000", "1000"],
    ["-12", "-12"],
    ["+12", "12"],
    ["22:30", "1350"],
    ["1:30.5", "90.5"],
    ["12345678901234567890", "12345678901234567890"],
    [".inf", "inf"],
    ["-.INF", "-inf"],
    [".nan", "nan"],
    ["2024-01-01", "2024-01-01"],
    ["'007'", "007"],
    ['"true"', "true"],
    ["''", ""],
    ["!!str 007", "007"],
  ])("%s in envs is given to the script as %j", (text, wanted) => {
    expect(read(`envs:\n  A: ${text}\n`).draft.task.envs).toEqual({ A: wanted });
  });

  test("a value that changes on its way is worth a warning", () => {
    expect(read("envs:\n  A: 007\n  B: 7\n  C: '007'\n").warnings).toEqual([
      'envs.A (line 2): 007 without quotes is given to the script as "7"',
    ]);
  });

  test("scripts keep their lines, and lose the carriage returns of Windows", () => {
    expect(read("run: |\r\n  a\r\n  b\r\n").draft.task.run).toBe("a\nb\n");
    expect(read("run: >\n  a\n  b\n").draft.task.run).toBe("a b\n");
  });

  test("anchors, aliases and merges do what YAML says", () => {
    const text = "envs: &base { A: x, B: y }\nsecrets:\n  <<: *base\n  B: z\n";
    expect(problems(text)).toHaveLength(2);
    const labels = "resources:\n  labels:\n    <<: [{ a: '1' }, { a: '2', b: '3' }]\n    c: &c four\nrun: *c\n";
    expect(read(labels).draft.task).toMatchObject({
      resources: { labels: { a: "1", b: "3", c: "four" } },
      run: "four",
    });
  });

  test("a document may have its marks", () => {
    expect(read("%YAML 1.1\n---\nrun: x\n...\n---\n# nothing\n")).toMatchObject({ dialect: "muster", unsupported: [] });
  });
});
