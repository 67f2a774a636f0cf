/**
 * One refusal for every rule of what a task takes along: its working folder, mounts, variables, packages; and of YAML:
 * the whole message, with its path, line and suggestion. Pure.
 */
import { type Options, sentence } from "@muster/task/read.ts";
import { expect, test } from "vitest";
import { problems } from "./support.ts";

const refused: readonly [text: string, told: readonly string[], options?: Options][] = [
  ["workdir: ''", ["workdir (line 1): is empty; leave the key out"]],
  [
    "workdir: https://github.com/a/b.git",
    ["workdir (line 1): must be a local folder, and is a URL; write a git repository as a map of url and ref"],
  ],
  [
    "workdir: git@github.com:a/b.git",
    ["workdir (line 1): must be a local folder, and is a URL; write a git repository as a map of url and ref"],
  ],
  ["workdir: { ref: main }", ["workdir.url (line 1): is missing; write url: https://github.com/you/code.git"]],
  [
    "workdir: { url: 'file:///etc' }",
    ["workdir.url (line 1): must be the URL of a git repository; such as https://github.com/you/code.git"],
  ],
  [
    "workdir: { url: '--upload-pack=x' }",
    ["workdir.url (line 1): must be the URL of a git repository; such as https://github.com/you/code.git"],
  ],
  [
    "workdir: { url: 'ext::sh -c x' }",
    ["workdir.url (line 1): must be the URL of a git repository; such as https://github.com/you/code.git"],
  ],
  [
    "workdir: { url: https://github.com/a/b, ref: '-x' }",
    ["workdir.ref (line 1): must be a branch, a tag or a commit; leave it out for the default branch"],
  ],
  ["workdir: { url: https://github.com/a/b, branch: x }", ["workdir.branch (line 1): is not a key that Muster knows"]],
  [
    "workdir: { url: 'https://u:secret@github.com/a/b' }",
    ["workdir.url (line 1): must not have a password in it; give it as the secret GIT_TOKEN"],
  ],
  [
    "workdir: { uri: https://github.com/a/b }",
    ["workdir.uri (line 1): is not a key that Muster knows; did you mean 'url'?"],
  ],
  ["workdir: 3", ['workdir (line 1): must be text, and is the number 3; put it in quotes: "3"']],
  ["file_mounts: [a]", ["file_mounts (line 1): must be a map, and is a list"]],
  ["file_mounts: { s3://b/x: y }", ["file_mounts.s3://b/x (line 1): must be a path on the host, and is a URL"]],
  ["file_mounts: { /a/: y }", ["file_mounts./a/ (line 1): must not end with '/'; write /a"]],
  ["file_mounts: { /: y }", ["file_mounts./ (line 1): must not end with '/'"]],
  [
    "file_mounts: { ~/sky_workdir/x: y }",
    ["file_mounts.~/sky_workdir/x (line 1): is where the working folder goes; use workdir"],
  ],
  ["file_mounts: { ../x: y }", ["file_mounts.../x (line 1): must not have '..' in it"]],
  ["file_mounts: { /a/../../etc/x: y }", ["file_mounts./a/../../etc/x (line 1): must not have '..' in it"]],
  ["file_mounts: { ~root/x: y }", ["file_mounts.~root/x (line 1): only ~ itself is known, no other user's home"]],
  ['file_mounts: { "/a\\tb": y }', ["file_mounts./a\tb (line 1): must not have control characters"]],
  ["file_mounts: { /a: '' }", ["file_mounts./a (line 1): names no local file"]],
  ["file_mounts: { /a: [b] }", ["file_mounts./a (line 1): must be text, and is a list"]],
  [
    "envs: {A: a}\nfile_mounts: { /a: x, /$A: y }",
    ["file_mounts./$A (line 2): says the same as file_mounts./a: keep one of them"],
  ],
  ["file_mounts: { /a: s3://B }", ["file_mounts./a (line 1): must be a bucket such as s3://name/path"]],
  [
    "file_mounts: { /a: { mode: MOUNTED, name: abc } }",
    [
      "file_mounts./a.mode (line 1): must be one of MOUNT, COPY, MOUNT_CACHED, and is \"MOUNTED\"; did you mean 'MOUNT'?",
    ],
  ],
  [
    "file_mounts: { /a: { store: s33, name: abc } }",
    [
      "file_mounts./a.store (line 1): must be one of s3, gcs, r2, azure, ibm, oci, nebius, coreweave, tigris, hf, volume, and is \"s33\"; did you mean 's3'?",
    ],
  ],
  [
    "file_mounts: { /a: { sorce: s3://abc } }",
    ["file_mounts./a.sorce (line 1): is not a key that Muster knows; did you mean 'source'?"],
  ],
  [
    "file_mounts: { /a: { name: null } }",
    ["file_mounts./a (line 1): has neither a source nor a name; add source: s3://your-bucket"],
  ],
  [
    "file_mounts: { /a: { name: s3://abc } }",
    ["file_mounts./a (line 1): has a URL for its name; write source: s3://abc"],
  ],
  [
    "file_mounts: { /a: { name: other, source: s3://abc } }",
    ["file_mounts./a.name (line 1): must be that of the bucket, 'abc'; leave it out"],
  ],
  [
    "file_mounts: { /a: { name: x } }",
    [
      "file_mounts./a.name (line 1): must be the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends",
    ],
  ],
  [
    "file_mounts: { /a: { name: abc, persistent: 'no' } }",
    ["file_mounts./a.persistent (line 1): must be true or false, and is text"],
  ],
  ["file_mounts: { /a: { name: abc, source: [] } }", ["file_mounts./a.source (line 1): names no local file"]],
  [
    "file_mounts: { /a: { name: abc, type: FAST } }",
    [
      'file_mounts./a.type (line 1): must be one of MODEL_CHECKPOINT_RO, MODEL_CHECKPOINT_RW, DATASET_RO, DATASET_RW, and is "FAST"',
    ],
  ],
  ["envs: [A]", ["envs (line 1): must be a map, and is a list; write each as NAME: value, such as MODEL: llama"]],
  ["envs: { 1A: x }", ["envs.1A (line 1): use letters, digits and '_', not starting with a digit"]],
  ["envs: { A: [b] }", ["envs.A (line 1): must be one value, and is a list"]],
  ["envs: { A: 1 }\nsecrets: { A: 2 }", ["secrets.A (line 2): says the same as envs.A: keep one of them"]],
  [
    "envs: { LD_PRELOAD: x }",
    [
      "envs.LD_PRELOAD (line 1): changes what the shell or the loader does before the script begins: export it in run instead",
    ],
  ],
  [
    "secrets: { BASH_ENV: x }",
    [
      "secrets.BASH_ENV (line 1): changes what the shell or the loader does before the script begins: export it in run instead",
    ],
  ],
  [
    "secrets: [IFS]",
    [
      "secrets.0 (line 1): changes what the shell or the loader does before the script begins: export it in run instead",
    ],
  ],
  [
    "envs: { PS4: }",
    ["envs.PS4 (line 1): changes what the shell or the loader does before the script begins: export it in run instead"],
  ],
  [
    "envs: { SKYPILOT_NODE_RANK: 0 }",
    ["envs.SKYPILOT_NODE_RANK (line 1): is set by Muster itself: give the variable another name"],
  ],
  [
    "envs: { MUSTER_JOB_ID: 0 }",
    ["envs.MUSTER_JOB_ID (line 1): is set by Muster itself: give the variable another name"],
  ],
  ["secrets: [[a]]", ["secrets.0 (line 1): must be the name of a secret, and is a list"]],
  ["secrets: [{A: x, B: y}]", ["secrets.0 (line 1): must be a map of one secret's name"]],
  ["secrets: ['']", ["secrets.0 (line 1): must be the name of a secret, and is text"]],
  ["secrets: [A-B]", ["secrets.0 (line 1): use letters, digits and '_', not starting with a digit"]],
  ["secrets: [A, A]", ["secrets.1 (line 1): says the same as secrets.0: keep one of them"]],
  ["managed_secrets: {A: x}", ["managed_secrets (line 1): must be a list of names, and is a map"]],
  ["managed_secrets: [{A: {mount: x}}]", ["managed_secrets.0.A.mount (line 1): is not a key that Muster knows"]],
  [
    "run: x",
    ["envs.LD_PRELOAD: changes what the shell or the loader does before the script begins: export it in run instead"],
    { envs: { LD_PRELOAD: "x" } },
  ],
  ["run: x", ["envs.A B: use letters, digits and '_', not starting with a digit"], { envs: { "A B": "x" } }],
  ["packages: pip:torch", ["packages (line 1): must be a list such as [pip:torch==2.4, reqs:./], and is text"]],
  ["packages: ['npm:left']", ["packages.0 (line 1): has no method 'npm': there are pip, conda, reqs, local"]],
  [
    "packages: ['pipp:torch']",
    ["packages.0 (line 1): has no method 'pipp': there are pip, conda, reqs, local; did you mean 'pip'?"],
  ],
  [
    "packages: ['rh:mine']",
    [
      "packages.0 (line 1): names a package of Runhouse's own store, which Muster does not read; write where it comes from, such as pip:name or local:./folder",
    ],
  ],
  ["packages: ['pip:']", ["packages.0 (line 1): names nothing to install; such as pip:torch==2.4"]],
  ["packages: ['--index-url x']", ["packages.0 (line 1): begins with an option: options stand behind the package"]],
  [
    "packages: ['conda:https://github.com/a/b']",
    ["packages.0 (line 1): is a git repository, which conda does not install; write pip: in place of conda:"],
  ],
  ["packages: [{source: torch, revision: v1}]", ["packages.0 (line 1): has a revision, and is no git repository"]],
  [
    "packages: [{source: x, method: pop}]",
    ["packages.0.method (line 1): must be one of pip, conda, reqs, local, and is \"pop\"; did you mean 'pip'?"],
  ],
  ["packages: [{sauce: x}]", ["packages.0.sauce (line 1): is not a key that Muster knows; did you mean 'source'?"]],
  ["packages: [{method: pip}]", ["packages.0 (line 1): names nothing to install; such as pip:torch==2.4"]],
  ["packages: [3]", ['packages.0 (line 1): must be text, and is the number 3; put it in quotes: "3"']],
  ["run: x\nrun: y", ["run (line 2): is there twice: on line 1, and again here"]],
  ["a: &a [*a]", ["a.0 (line 1): contains itself, by an alias"]],
  [
    "name: !!python/object:os.system x",
    ["name (line 1): tags such as tag:yaml.org,2002:python/object:os.system are not read; leave the tag out"],
  ],
  ["envs: { __proto__: x }", ["envs.__proto__ (line 1): is not a name that may be used"]],
  ["__proto__: x", ["__proto__ (line 1): is not a name that may be used"]],
  ["constructor: x", ["constructor (line 1): is not a key that Muster knows"]],
];

test.each(refused)("%j", (text, told, options) => {
  expect(problems(`${text}\n`, options).map(sentence)).toEqual(told);
});
