/**
 * Mountpoint for Amazon S3, a program of AWS's that the host has or has not
 * (https://github.com/awslabs/mountpoint-s3/blob/main/doc/CONFIGURATION.md). What we tell it:
 *
 *   --prefix P             shows the keys below P alone; P ends with a slash
 *   --region R             the bucket's region, in place of finding it out
 *   --allow-delete         deleting a file deletes its object; without it, nothing can be deleted
 *   --allow-overwrite      files that are there can be written anew; without it, only new ones
 *   --read-only            nothing can be changed
 *   --no-sign-request      no credentials, for public buckets
 *   --endpoint-url U       another store than AWS's own; with --force-path-style, the bucket is in the path
 *   --cache DIR            keeps what was read in a folder of its own below DIR, which it empties at its end
 *   --allow-other          users other than the one who mounts may look in; root needs no leave for this
 *   --uid N, --gid N       whose files they are
 *
 * It goes to the background when the bucket is mounted, and ends when that is taken away. It has no part in the attempt's
 * processes: those are ended after each script, and this is to outlive them. Its environment holds the job's credentials
 * and nothing else, and it may not ask the machine for others.
 */
import { existsSync, mkdirSync } from "node:fs";
import type { Account } from "../host/account.ts";
import { find } from "../host/gpus.ts";
import { InputError } from "../inputs/place.ts";
import { runProgram } from "../inputs/program.ts";
import { sleep } from "../wait.ts";
import type { Access } from "./access.ts";
import { isMounted } from "./mountinfo.ts";

export interface Mounting {
  readonly name: string;
  readonly bucket: string;
  /** Empty, or with a slash at its end. */
  readonly prefix: string;
  readonly place: string;
  readonly isCached: boolean;
  readonly access: Access;
}

export interface Surroundings {
  /** PATH of the host. */
  readonly path: string;
  readonly owner: Account | undefined;
  readonly cache: string;
  /** A file for what it says. */
  readonly log: string;
}

/** In ms. */
const BEGINS_WITHIN = 60_000;
const SHOWS_WITHIN = 10_000;
const LOOK = 20;

/** Where the program is, on this PATH. @throws InputError when the host cannot mount */
export function programOf(name: string, path: string): string {
  const program = find("mount-s3", path);
  if (program === undefined)
    throw new InputError(`${name}: mount-s3 (Mountpoint for Amazon S3) is not on this host: ${INSTEAD}`);
  if (!existsSync("/dev/fuse"))
    throw new InputError(`${name}: this host cannot mount, since it has no /dev/fuse: ${INSTEAD}`);
  return program;
}

/** @throws InputError when the host cannot mount, or the program says no */
export async function mount(what: Mounting, around: Surroundings, signal: AbortSignal): Promise<void> {
  const { name, place } = what;
  const program = programOf(name, around.path);
  if (what.isCached) mkdirSync(around.cache, { recursive: true, mode: 0o700 });
  const command = [program, ...argumentsOf(what, around)];
  const env = environmentOf(what.access, around.path);
  const either = AbortSignal.any([signal, AbortSignal.timeout(BEGINS_WITHIN)]);
  const { code, said } = await runProgram({ command, env, log: around.log }, either);
  signal.throwIfAborted();
  if (code !== 0)
    throw new InputError(
      `${name}: mount-s3 ${code === undefined ? "did not begin" : `ended with ${code}`}: ${said.slice(-500)}`,
    );
  for (const until = Date.now() + SHOWS_WITHIN; !isMounted(place); await sleep(LOOK, signal))
    if (Date.now() > until)
      throw new InputError(`${name}: mount-s3 began, but nothing is mounted: ${said.slice(-500)}`);
}

const INSTEAD = "use mode: COPY, or an image that has it";

function argumentsOf({ bucket, prefix, place, isCached, access }: Mounting, { owner, cache }: Surroundings): string[] {
  const { credentials, region, endpoint } = access;
  const isRoot = process.getuid?.() === 0;
  return [
    ...(prefix === "" ? [] : ["--prefix", prefix]),
    "--region",
    region,
    ...(credentials === undefined ? ["--no-sign-request", "--read-only"] : ["--allow-delete", "--allow-overwrite"]),
    ...(endpoint === undefined ? [] : ["--endpoint-url", endpoint, "--force-path-style"]),
    ...(isCached ? ["--cache", cache] : []),
    ...(isRoot ? ["--allow-other"] : []),
    ...(isRoot && owner !== undefined ? ["--uid", String(owner.uid), "--gid", String(owner.gid)] : []),
    "--",
    bucket,
    place,
  ];
}

const environmentOf = ({ credentials }: Access, path: string): Record<string, string> => ({
  PATH: path,
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_CONFIG_FILE: "/dev/null",
  AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  ...(credentials === undefined
    ? {}
    : {
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        ...(credentials.sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: credentials.sessionToken }),
      }),
});
