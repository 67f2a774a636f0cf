/** What of Flambé's cluster files is refused, and what is said. Pure. */
import { sentence } from "@muster/task/read.ts";
import { describe, expect, test } from "vitest";
import { aws, lines, ssh, told } from "./flambe-support.ts";
import { problems } from "./support.ts";

describe("what is wrong is told with a path and what to do", () => {
  test.each(Object.keys(lines))("%s is missing", key => {
    expect(told(aws({ [key]: undefined }))).toEqual([`${key} (line 2): is missing, and a Flambé cluster must have it`]);
    expect(told(aws({ [key]: "null" }))).toHaveLength(1);
  });

  test.each<[string, Readonly<Record<string, string>>, string]>([
    [
      "no name of Muster's",
      { name: "my cluster!" },
      "name (line 2): use letters, digits, '.', '_' and '-', 63 at most, no sign at either end; write my-cluster",
    ],
    [
      "a misspelled key",
      { factories_nun: "2" },
      "factories_nun (line 11): is not a key that Muster knows; did you mean 'factories_num'?",
    ],
    ["no factory", { factories_num: "0" }, "factories_num (line 3): must be at least 1: jobs run on factories only"],
    [
      "half a factory",
      { factories_num: "1.5" },
      "factories_num (line 3): must be a whole number, and is the number 1.5",
    ],
    [
      "too many factories",
      { factories_num: "1024" },
      "factories_num (line 3): a cluster has at most 1024 hosts; these groups have 1025",
    ],
    [
      "a number for a type",
      { factories_type: "5" },
      'factories_type (line 4): must be text, and is the number 5; put it in quotes: "5"',
    ],
    ["an empty type", { orchestrator_type: '""' }, "orchestrator_type (line 5): is empty"],
    ["a drive that is none", { volume_type: "gp3" }, 'volume_type (line 11): must be gp2 or io1, and is "gp3"'],
    [
      "half a gigabyte",
      { volume_size: "100.5" },
      "volume_size (line 11): must be a whole number, and is the number 100.5",
    ],
    ["no gigabyte", { volume_size: "0" }, "volume_size (line 11): must be GB, at least 1"],
    [
      "a tag of Muster's",
      { tags: "{Creator: me}" },
      "tags.Creator (line 11): is a tag that Muster sets itself; choose another name for it",
    ],
    [
      "a tag of Muster's prefix",
      { tags: "{'muster:cluster': me}" },
      "tags.muster:cluster (line 11): is a tag that Muster sets itself; choose another name for it",
    ],
    ["a tag with nothing in it", { tags: "{a: }" }, "tags.a (line 11): must be text, and is empty"],
    [
      "a time before now",
      { factories_timeout: "-2" },
      "factories_timeout (line 11): must be hours, 0 for as soon as it is idle, or -1 for never",
    ],
    [
      "factories for ever",
      { orchestrator_timeout: "3", factories_timeout: "-1" },
      "factories_timeout (line 12): is longer than orchestrator_timeout, and factories cannot outlive their orchestrator; write 3 or less",
    ],
    [
      "factories for longer",
      { orchestrator_timeout: "3", factories_timeout: "4" },
      "factories_timeout (line 12): is longer than orchestrator_timeout, and factories cannot outlive their orchestrator; write 3 or less",
    ],
    [
      "more than a year",
      { factories_timeout: "9000" },
      "factories_timeout (line 11): must be 8760 hours, a year, at most",
    ],
    ["a word for a flag", { dedicated: "maybe" }, "dedicated (line 11): must be true or false, and is text"],
    ["one command", { setup_cmds: "ls" }, "setup_cmds (line 11): must be a list of commands, and is text"],
    [
      "a command that is none",
      { setup_cmds: "[ls, 5]" },
      'setup_cmds.1 (line 11): must be text, and is the number 5; put it in quotes: "5"',
    ],
    ["a tag within", { tags: "!dict {a: b}" }, "tags (line 11): tags such as !dict are not read; leave the tag out"],
    ["a long id", { subnet_id: "s".repeat(70) }, "subnet_id (line 8): must be 63 characters at most"],
  ])("%s", (_, changes, message) => {
    expect([...new Set(told(aws(changes)))]).toEqual([message]);
  });

  test("a key with a slip in it is not missing as well", () => {
    const slips = told("!AWSCluster\nfactory_type: g3.4xlarge\n").filter(text => text.includes("factor"));
    expect(slips).toEqual([
      "factory_type (line 2): is not a key that Muster knows; did you mean 'factories_type'?",
      "factories_num (line 2): is missing, and a Flambé cluster must have it",
    ]);
  });

  test("everything at once", () => {
    expect(told("!AWSCluster\nname: a\nfactory_num: 2\n")).toHaveLength(8);
  });

  test.each<[string, Readonly<Record<string, string>>, string]>([
    [
      "no addresses",
      { factories_ips: "[]" },
      "factories_ips (line 4): has no address in it: jobs run on factories only",
    ],
    ["one address", { factories_ips: "10.0.0.2" }, "factories_ips (line 4): must be a list of addresses, and is text"],
    [
      "three addresses of one host",
      { orchestrator_ip: "[a, b, c]" },
      "orchestrator_ip (line 3): must be an address, or a list of the public and the private one, and is a list of 3",
    ],
    ["what is no address", { orchestrator_ip: "'a b'" }, "orchestrator_ip (line 3): is not the address of a host"],
    [
      "a misspelled key",
      { use_pubic: "true" },
      "use_pubic (line 7): is not a key that Muster knows; did you mean 'use_public'?",
    ],
  ])("of own hosts: %s", (_, changes, message) => {
    expect(told(ssh(changes))).toEqual([message]);
  });

  test.each([
    [
      "!Experiment\nname: x\n",
      "(line 1): is a Flambé experiment, and Muster reads Flambé's clusters only; run it with a task of your own: its file in workdir, and `flambe` with its name in run",
    ],
    [
      "!Builder\nname: x\n",
      "(line 1): is a !Builder of Flambé's, and Muster reads Flambé's clusters only; run it with a task of your own: its file in workdir, and `flambe` with its name in run",
    ],
    ["!AWSCLuster\nname: x\n", "(line 1): !AWSCLuster is no cluster of Flambé's; did you mean '!AWSCluster'?"],
    ["!AWSCluster\n- x\n", "(line 1): must be a map, and is a list"],
    [
      `a: b\n---\nc: d\n---\n${aws()}`,
      "document 2 (line 1): has no tag, and a Flambé cluster has one; begin it with !AWSCluster or !SSHCluster",
    ],
    [`a: 5\n---\n${aws()}`, 'a (line 1): must be text, and is the number 5; put it in quotes: "5"'],
  ])("%j", (text, message) => {
    expect(told(text).map(line => line.replace(/\(line [23]\)/, "(line 1)"))).toEqual([message]);
  });

  test("of one cluster of several, with its document", () => {
    expect(told(`${aws()}---\n${aws({ volume_size: "x" })}`)).toEqual([
      expect.stringMatching(/^document 2: volume_size \(line \d+\): /),
    ]);
  });

  test("a file without a tag is asked for one", () => {
    const issues = problems("name: x\n", { dialect: "flambe" }).map(sentence);
    expect(issues).toEqual([
      "(line 1): has no tag, and a Flambé cluster has one; begin it with !AWSCluster or !SSHCluster",
    ]);
  });
});
