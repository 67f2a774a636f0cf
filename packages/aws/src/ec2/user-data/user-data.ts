/**
 * What a machine is told to do when it boots for the first time: the script that makes it a host.
 *
 * Lifecycle: cloud-init runs the script once. It arms the power-off timer, keeps a copy of itself, and has systemd run the
 * copy as `boot host`, now and at every later boot; that mounts scratch disks, installs what is missing, and starts the
 * agent. It tries for ever: a machine that never gets there is caught by the timer.
 * Gotchas: the script is no secret (whoever may describe the machine can read it), and must hold none. EC2 takes 16 kB.
 */
import * as z from "zod";
import { AGENT } from "./agent.ts";
import { ASK } from "./ask.ts";
import { OWN } from "./own.ts";
import { POWER } from "./power.ts";
import { STORAGE } from "./storage.ts";
import { TOOLS } from "./tools.ts";
import { USER } from "./user.ts";

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const URL_FORM =
  /^(https:\/\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?|http:\/\/(127\.0\.0\.1|localhost))(:[0-9]{1,5})?(\/[A-Za-z0-9._~-]+)*$/;

export const UserData = z.object({
  /** Where the control plane is, without a slash at its end. Plain HTTP is for a control plane on the machine itself. */
  endpoint: z.string().max(500).regex(URL_FORM),
  region: z.string().regex(/^[a-z]{2,4}(-[a-z]{2,10}){1,3}-[0-9]{1,2}$/),
  agentSha256: Sha256,
  /** Of archives that hold Node as `bin/node` below their top folder. */
  nodeSha256: z.object({ x64: Sha256, arm64: Sha256 }),
  /** How long after a boot the machine may live before its agent has been heard, in seconds. */
  bootGraceSeconds: z.number().int().min(300).max(86_400),
  /** Under whose name jobs run; absent: the image's usual user. */
  jobUser: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]{0,31}$/)
    .optional(),
  /** Whether the disk is one of the same cluster, which has moved. */
  moved: z.boolean().optional(),
});
export type UserData = z.infer<typeof UserData>;

/** @throws ZodError for values that do not look like what they should be: nothing else goes into the script. */
export function userData(options: UserData): string {
  const { endpoint, region, agentSha256, nodeSha256, bootGraceSeconds, jobUser = "", moved } = UserData.parse(options);
  const values = {
    ENDPOINT: endpoint,
    REGION: region,
    AGENT: agentSha256,
    NODE_X64: nodeSha256.x64,
    NODE_ARM64: nodeSha256.arm64,
    GRACE: String(bootGraceSeconds),
    JOB_USER: jobUser,
    MOVED: moved ? "1" : "",
  };
  const assignments = Object.entries(values).map(([name, value]) => `${name}='${value}'\n`);
  return `#!/bin/bash\n${assignments.join("")}${HEAD}${POWER}${STORAGE}${USER}${TOOLS}${ASK}${OWN}${AGENT}${MAIN}`;
}

/** MUSTER_ROOT and MUSTER_METADATA are for tests: a folder that stands for the machine's disk, and where IMDS is. */
const HEAD = `set -u
umask 022
ROOT=\${MUSTER_ROOT:-}
METADATA=\${MUSTER_METADATA:-http://169.254.169.254}
DIR=$ROOT/opt/muster
UNITS=$ROOT/etc/systemd/system
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/snap/bin

say() {
  { printf '[muster] %s\\r\\n' "$*" >>"$ROOT/dev/console"; } 2>/dev/null
  echo "[muster] $*"
}
has() { command -v "$1" >/dev/null; }
# put FILE MODE [FIRST LINES]: the rest is standard input
put() {
  mkdir -p "\${1%/*}" && { printf '%s' "\${3:-}"; cat; } >"$1.new" && chmod "$2" "$1.new" && mv "$1.new" "$1"
}

`;

/** No --now for what runs long: cloud-init must come to its end. */
const MAIN = `host() {
  local pause=2
  arm
  ! foreign || { say "another machine's disk: waits for cloud-init"; return; }
  storage
  people
  tools
  until agent; do
    say "tries again after $pause s"
    sleep "$((pause + RANDOM % pause))"
    ((pause = pause < 60 ? pause * 2 : 60))
  done
  put "$DIR/machine" 644 <<<"$(self)"
  say "the agent is started"
}

begin() {
  arm
  own
  put "$DIR/boot" 755 <"$0"
  put "$UNITS/muster-boot.service" 644 <<END
[Unit]
Description=Muster: makes this machine a host
Wants=network-online.target
After=network-online.target dlami-nvme.service
[Service]
ExecStart=$DIR/boot host
Restart=on-failure
RestartSec=10
KillMode=process
[Install]
WantedBy=multi-user.target
END
  systemctl daemon-reload
  systemctl enable muster-boot.service
  systemctl start --no-block muster-boot.service
}

if [ "\${1:-}" = host ]; then host; else begin; fi
`;
