/** What would let in more than anybody means: such issuers and rules are refused when they are set. */
import { isAnything, isLiteral } from "./pattern.ts";
import type { Kind, Rule, When } from "./rule.ts";

interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

interface Said {
  readonly kind: Kind;
  readonly url?: string | undefined;
  readonly clientId?: string | undefined;
  readonly publicClientSecret?: string | undefined;
  readonly audiences?: readonly string[] | undefined;
  readonly rules: readonly Rule[];
}

/** All that is wrong with it; nothing, when it may be set. */
export const problemsOf = (said: Said): Problem[] => [
  ...ownProblems(said),
  ...said.rules.flatMap((rule, at) =>
    ruleProblems(said.kind, rule).map(({ path, message }) => ({ path: ["rules", at, ...path], message })),
  ),
];

const ownProblems = (said: Said): Problem[] =>
  (said.kind === "aws" ? ofAws(said) : ofOpenId(said)).flatMap(([isWrong, key, message]) =>
    isWrong ? [{ path: [key], message }] : [],
  );

type Check = readonly [isWrong: boolean, key: string, message: string];

const ofAws = ({ url, clientId, publicClientSecret, audiences = [] }: Said): Check[] => {
  const message = "an issuer of the kind aws has none: the gateway checks its signatures";
  return [
    [url !== undefined, "url", message],
    [clientId !== undefined, "clientId", message],
    [publicClientSecret !== undefined, "publicClientSecret", message],
    [audiences.length > 0, "audiences", message],
  ];
};

const ofOpenId = ({ kind, url, clientId, publicClientSecret, audiences = [] }: Said): Check[] => [
  [url === undefined, "url", "say whose tokens they are, such as https://accounts.google.com"],
  [
    kind === "people" && clientId === undefined,
    "clientId",
    "people sign in by a client: register a public one at the issuer",
  ],
  [kind !== "people" && clientId !== undefined, "clientId", "only people sign in by a client"],
  [clientId === undefined && publicClientSecret !== undefined, "publicClientSecret", "it belongs to a clientId"],
  [
    kind !== "people" && audiences.length === 0,
    "audiences",
    "say for whom its tokens are, or those for others would do: such as this control plane's URL",
  ],
];

/** The most that whoever is no person may become. */
const PROGRAMS: ReadonlySet<Rule["role"]> = new Set(["none", "viewer", "ci"]);
const MOST_MINUTES = 60;

function ruleProblems(kind: Kind, rule: Rule): Problem[] {
  const { role, minutes, when } = rule;
  const isPerson = kind === "people" || kind === "aws";
  const problems: Problem[] = [];
  if (!isPerson && !PROGRAMS.has(role)) problems.push({ path: ["role"], message: "a program may become ci or viewer" });
  if (isPerson && minutes > MOST_MINUTES)
    problems.push({ path: ["minutes"], message: "60 at most: who leaves there must be out here within the hour" });
  // Whoever is kept out may be described as loosely as one likes.
  const width = role === "none" ? undefined : widthOf(kind, when);
  if (width !== undefined) problems.push({ path: ["when"], message: width });
  return problems;
}

/** In which way it lets in too many; undefined when it does not. */
function widthOf(kind: Kind, when: When): string | undefined {
  switch (kind) {
    case "github":
      return repositories(
        when,
        GITHUB,
        "repository, or repository_owner and something more, such as ref or environment",
      );
    case "gitlab":
      return repositories(when, GITLAB, "project_path, or namespace_path and something more, such as ref");
    case "aws":
      return ["arn", "user", "role", "permissionSet"].some(name => says(when[name]))
        ? undefined
        : "name who: arn, user, role or permissionSet";
    default:
      return Object.values(when).some(says) ? undefined : "name at least one claim that not everybody's token has";
  }
}

interface Places {
  /** A claim that names one repository. */
  readonly path: string;
  readonly ids: readonly string[];
  /** Claims that name whose it is. */
  readonly owners: readonly string[];
}

const GITHUB: Places = {
  path: "repository",
  ids: ["repository_id"],
  owners: ["repository_owner", "repository_owner_id"],
};
const GITLAB: Places = { path: "project_path", ids: ["project_id"], owners: ["namespace_path", "namespace_id"] };

function repositories(when: When, { path, ids, owners }: Places, wanted: string): string | undefined {
  if ([path, ...ids].some(name => isExact(when[name]))) return undefined;
  const paths = textsOf(when[path]);
  const isOwned = owners.some(name => isExact(when[name])) || (paths.length > 0 && paths.every(isOwnedPath));
  const rest = Object.keys(when).filter(name => ![path, ...ids, ...owners].includes(name));
  return isOwned && rest.some(name => says(when[name]))
    ? undefined
    : `name ${wanted}: every repository of the world has such tokens`;
}

/** `acme/*`: whose it is stands there letter by letter. */
const isOwnedPath = (pattern: string): boolean => /^[^*/]+\//.test(pattern);

type Asked = When[string] | undefined;

const textsOf = (said: Asked): readonly string[] => (said === undefined ? [] : [said].flat().map(String));
/** Every pattern of it stands for one text alone. */
const isExact = (said: Asked): boolean =>
  textsOf(said).length > 0 && textsOf(said).every(one => one !== "" && isLiteral(one));
/** None of its patterns stands for everything. */
const says = (said: Asked): boolean => textsOf(said).length > 0 && !textsOf(said).some(isAnything);
