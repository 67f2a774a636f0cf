/**
 * What runs round a job's scripts when they run in a container. All of it is constant; what differs comes as arguments.
 *
 * The container holds nothing of its own but a process that waits and reaps. Each script is sent into it with `exec`, and
 * with it all that it needs is written to a folder that both sides see, `in`: the script, its variables, and its exit code
 * once it has ended. Inside there need be no more than sh, sleep and env.
 */

/**
 * For sh, as the container's first process. It ignores TERM, and what it starts does so too; a first process that ends
 * would take all others along. Waiting, a shell reaps whatever orphans it gets. The first line says who it is: see ENDER.
 */
export const KEEPER = `: muster-keeper; trap '' TERM INT HUP
while :; do sleep 2147483647 || sleep 1 || exit; done`;

/**
 * For sh, called with the folder `in`, the phase, and the script's arguments. Both of the script's streams are one
 * from here, so that lines stay in their order. An image's own PATH is kept. A sudo that only does what it is told serves where there is none, since
 * whoever runs here is root already.
 */
export const INSIDE = `trap : TERM INT HUP
muster_in=$1 muster_phase=$2
shift 2
. "$muster_in/$muster_phase.env" || exit
PATH=$HOME/.local/bin:$PATH:$muster_in/bin
export PATH
if command -v bash >/dev/null; then muster_shell=bash
elif [ "$muster_phase" = packages ]; then
  echo 'packages: this image has no bash, which installing them takes: install them in setup'
  echo 127 >"$muster_in/$muster_phase.code"
  exit 127
else
  muster_shell=sh
  echo "$muster_phase: this image has no bash, so sh runs the script"
fi
SHELL=$(command -v "$muster_shell")
export SHELL
# What ends by a signal is this shell's business, and not the log's.
exec 2>/dev/null
"$muster_shell" "$muster_in/$muster_phase.sh" "$@" 2>&1
muster_code=$?
echo "$muster_code" >"$muster_in/$muster_phase.code"
exit "$muster_code"
`;

/**
 * For sh, called with the seconds between TERM and KILL. Ends all but the first process (with what it waits for, which is
 * of its group) and what was sent in with `exec`, whose parent is outside and therefore 0. Where the first process is
 * not ours, this is not the container, and nothing is touched.
 */
export const ENDER = `unset IFS
read -r first </proc/1/cmdline
case $first in *muster-keeper*) ;; *) echo 'these are not the processes of a container'; exit 3 ;; esac
left=$(($1 * 10))
others() {
  pids=
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    pid=\${stat#/proc/}
    set -- \${line##*) }
    [ "$1" = Z ] || [ "$1" = X ] || [ "$2" = 0 ] || [ "$3" = 1 ] || pids="$pids \${pid%/stat}"
  done
  [ -n "$pids" ]
}
others || exit 0
kill -TERM -1 2>/dev/null
kill -CONT -1 2>/dev/null
while others; do
  if [ "$left" -le 0 ]; then kill -KILL $pids 2>/dev/null; fi
  if [ "$left" -le -100 ]; then exit 4; fi
  if sleep 0.1 2>/dev/null; then left=$((left - 1)); else sleep 1; left=$((left - 10)); fi
done
`;

/** Stands at the end of PATH. */
export const SUDO = `#!/bin/sh
while :; do
  case $1 in
  -u | -g | -h | -p | -C | -D | -R | -T) shift 2 ;;
  --) shift; break ;;
  -*) shift ;;
  *) break ;;
  esac
done
exec env "$@"
`;

/**
 * For the host's bash: makes the container. Arguments: engine, kind, name, image, the registry to log in to (or empty),
 * the user there, the text for its first process, the file for all that is said, options of \`run\`.
 *
 * A registry that is busy is asked three times; what it refuses, it would refuse for ever. An image that cannot be pulled
 * and is on the host is used, since it may never have been anywhere else. Nothing that outlives this may look like a process
 * of the attempt, hence the clean environment.
 */
export const START = `engine=$1 kind=$2 name=$3 image=$4 server=$5 user=$6 keeper=$7 log=$8
shift 8
exec >>"$log" 2>&1
say() { printf 'container: %s\\n' "$*"; }
client() { env -u MUSTER_ATTEMPT_DIR -u MUSTER_REGISTRY_PASSWORD "$engine" "$@"; }
told() { "$@" 2>&1 | tee "$0.said"; return "\${PIPESTATUS[0]}"; }
give_up() { { printf '%s\\n' "$1"; tail -n 20 "$0.said"; } >"$0.failed"; exit 1; }
has() { client image inspect "$1" >/dev/null 2>&1; }
sign_in() {
  printf '%s' "$MUSTER_REGISTRY_PASSWORD" | client login --username "$user" --password-stdin "$server" >"$0.said" 2>&1 && return
  give_up "no login at $server"
}
pull() {
  local turn
  for turn in 1 2 3; do
    told client pull "$found" && return
    grep -Eiq 'timeout|timed out|reset by peer|unexpected EOF|handshake|toomanyrequests|status(:| code)? 5[0-9][0-9]|5[0-9][0-9] (Internal|Bad|Service|Gateway)' "$0.said" || return
    say "trying again ($turn)"
    sleep "$((turn * 3))"
  done
  return 1
}
found=$image first=\${image%%/*}
# Podman asks where an image is that names no registry; Docker knows.
if [ "$kind" = podman ]; then
  case $image in
  */*) case $first in *.* | *:* | localhost) ;; *) found=docker.io/$image ;; esac ;;
  *) found=docker.io/library/$image ;;
  esac
fi
pinned=
case $kind:$image in
# What was made on the host is under this name with Podman, and in no registry.
*@sha256:* | podman:localhost/*) has "$found" && pinned=yes ;;
esac
if [ -z "$pinned" ]; then
  [ -z "$server" ] || sign_in
  say "pulling $image"
  if ! pull; then
    has "$image" || give_up "the image $image could not be pulled"
    found=$image
    say "the one that is on this host is used"
  fi
fi
client rm -f -v "$name" >/dev/null 2>&1
client run -d --name "$name" "$@" "$found" -c "$keeper" >"$0.said" 2>&1 || give_up "the container could not be started"
say "$image runs"
`;

/** For the host's bash: sends a script into the container. Arguments: engine, and all that is told to it. */
export const SEND = `exec env -u MUSTER_ATTEMPT_DIR "$@"
`;

/**
 * A script as bash runs it, or any sh: what only bash has stands where sh does not look. On the first line, so that lines
 * keep their numbers.
 */
export function portable(onError: "stop" | "continue", text: string): string {
  const profile = `[ -z "\${BASH_VERSION-}" ] || [ ! -r ~/.bashrc ] || . ~/.bashrc; `;
  if (onError === "stop") return `${profile}set -e; ! (set -o pipefail) 2>/dev/null || set -o pipefail; ${text}`;
  const note = `{ printf "%s %s %s\\n" "$LINENO" "$?" "\${BASH_SOURCE[0]}" >>"$0.failed"; } 2>/dev/null`;
  return `${profile}[ -z "\${BASH_VERSION-}" ] || trap '${note}' ERR; ${text}`;
}

/** Variables that a shell keeps for itself; to set one would end it. */
const READ_ONLY: ReadonlySet<string> = new Set(["UID", "EUID", "PPID", "SHELLOPTS", "BASHOPTS", "BASH_VERSINFO"]);

/** Lines for sh that set these variables, byte for byte. */
export const exportsOf = (env: Readonly<Record<string, string>>): string =>
  Object.entries(env)
    .filter(([name]) => /^[A-Za-z_]\w*$/.test(name) && !READ_ONLY.has(name))
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`)
    .join("");
