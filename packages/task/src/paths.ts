/** Paths of a task file: what may stand in them, and the file's variables put into them. */
import { Place as HostPlace } from "@muster/core/task/inputs.ts";
import type { Draft } from "./draft.ts";
import { messageOf } from "./hold.ts";
import { claim, type Place, type Reading, refuse } from "./reading.ts";

const URL_LIKE = /^[a-z][a-z0-9+.-]*:\/\//i;
/** No path is longer, and text that is put into itself grows beyond any bound. */
const MOST_FILLED = 8192;
const VARIABLE = /\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g;

/** Whether a text is a URL, and so no local path. */
export const isUrl = (source: string): boolean => URL_LIKE.test(source);

/** The names of the variables in a path, as `$NAME` or `${NAME}`. */
export const variablesIn = (path: string): string[] =>
  [...path.matchAll(VARIABLE)].map(([, braced, plain]) => braced ?? plain ?? "");

/** Whether a variable stands in the path whose value is still to be given. */
export function isOpen(path: string, { missing }: Pick<Draft, "missing">): boolean {
  const names = new Set(variablesIn(path));
  return missing.some(({ name }) => names.has(name));
}

/** SkyPilot puts the file's variables into its paths; Oumi leaves `${…}` alone. Undefined when that leaves nothing. */
export function filled(reading: Reading, source: string, at: Place, out: Draft): string | undefined {
  if (reading.dialect === "oumi") return source;
  const { envs, secrets } = out.task;
  const secret = variablesIn(source).find(name => !Object.hasOwn(envs, name) && Object.hasOwn(secrets, name));
  if (secret !== undefined)
    return refuse(
      reading,
      at,
      `has the secret ${secret} in it, and would be kept in clear`,
      "use a variable that may be read",
    );
  let room = MOST_FILLED;
  const path = source.replace(VARIABLE, (whole, braced?: string, plain?: string) => {
    const name = braced ?? plain ?? "";
    const value = (Object.hasOwn(envs, name) ? envs[name] : undefined) ?? whole;
    room -= value.length;
    return room < 0 ? "" : value;
  });
  if (room < 0) return refuse(reading, at, `is longer than ${MOST_FILLED} characters with its variables put in`);
  const [name] = variablesIn(source);
  if (path.trim() !== "" || name === undefined) return path;
  return refuse(reading, at, `is ${source.trim()}, which is empty`, `give it with -e ${name}=…`);
}

/** Checks where on the host something is to go, and takes the place for it. */
export function takePlace(reading: Reading, path: string, at: Place): void {
  const issue = HostPlace.safeParse(path).error?.issues[0];
  if (isUrl(path)) refuse(reading, at, "must be a path on the host, and is a URL");
  else if (path.endsWith("/")) refuse(reading, at, "must not end with '/'", shorter(path));
  else if (/^~\/sky_workdir(\/|$)/.test(path)) refuse(reading, at, "is where the working folder goes", "use workdir");
  else if (issue !== undefined) refuse(reading, at, messageOf(issue));
  claim(reading, `mount.${path}`, at);
}

function shorter(path: string): string | undefined {
  const short = path.replace(/\/+$/, "");
  return short === "" ? undefined : `write ${short}`;
}
