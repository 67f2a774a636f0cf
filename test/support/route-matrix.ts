/** The table of routes and roles in docs/security.md, written from the route table. Run as a program it writes it there. */
import { readFileSync, writeFileSync } from "node:fs";
import type { Auth, Route } from "@muster/api/route.ts";
import { entries } from "@muster/api/routes.ts";
import { covers, ROLES, type Role } from "@muster/core/actor/actor.ts";

const PAGE = "docs/security.md";
const BEGIN = "<!-- routes -->\n";
const END = "<!-- /routes -->\n";

const others: Readonly<Record<Exclude<Auth, "user">, string>> = {
  host: "a host, with its token",
  iam: "whoever IAM lets call it, with a signature of AWS",
  none: "everybody: what it takes proves itself, or is no secret",
};

function cell({ whose, method }: Route, role: Role, least: Role): string {
  if (!covers(role, least)) return "";
  if (whose === "shared") return "own, shared";
  if (whose === "owner" && role !== "admin") return "own";
  return method === "GET" ? "reads" : "yes";
}

export function matrix(): string {
  const rows = entries.map(([id, route]) => {
    const path = `\`${route.method} ${route.path}\``;
    const cells =
      route.auth === "user"
        ? ROLES.map(role => cell(route, role, route.role)).join(" | ")
        : `${others[route.auth]} | | |`;
    return `| ${id} | ${path} | ${cells} |`;
  });
  const heads = ["route", "", ...ROLES];
  return [`| ${heads.join(" | ")} |`, `|${heads.map(() => "---|").join("")}`, ...rows.toSorted(), ""].join("\n");
}

interface Parts {
  readonly before: string;
  readonly table: string;
  readonly after: string;
}

/** The page, and its own part of it between two marks. */
export function parts(page = readFileSync(PAGE, "utf8")): Parts {
  const [begin, end] = [page.indexOf(BEGIN) + BEGIN.length, page.indexOf(END)];
  return { before: page.slice(0, begin), table: page.slice(begin, end), after: page.slice(end) };
}

if (import.meta.main) {
  const { before, after } = parts();
  writeFileSync(PAGE, before + matrix() + after);
}
