/**
 * The agent and its runtime: fetched by their hashes, believed only when the hash is right.
 *
 * Jobs outlive an agent that ends: KillMode=process, and KILL, since TERM tells an agent that the machine goes down. When
 * it does go down, stop-agent has the agent end its jobs and say so. Jobs may use all memory; the agent is the last to be
 * ended for want of it.
 */
export const AGENT = `# need COMMAND PACKAGE
need() {
  has "$1" || if has apt-get; then apt-get -qq update && apt-get -qq install -y "$2"; else dnf -q install -y "$2"; fi
}

# fetch SHA256 FILE
fetch() {
  local url
  url=$(field url "$(ask "/v1/agent/files/$1")")
  [ -n "$url" ] || { say "the control plane does not tell where to get $1"; return 1; }
  mkdir -p "\${2%/*}"
  curl -fsSL --connect-timeout 20 --speed-limit 1000 --speed-time 60 -o "$2.part" "$url" || { say "$1 cannot be had"; return 1; }
  echo "$1  $2.part" | sha256sum -c --status - || { say "$1 has another hash: not taken"; rm -f "$2.part"; return 1; }
  mv "$2.part" "$2"
}

agent() {
  local sum=$NODE_X64 node bundle=$DIR/$AGENT/agent.mjs
  need curl curl
  need openssl openssl
  need tar tar
  need setpriv util-linux
  [ "$(uname -m)" = aarch64 ] && sum=$NODE_ARM64
  node=$DIR/$sum/bin/node
  # It has to answer: an empty file would pass for a script.
  if [ "$("$node" -p 7 2>/dev/null)" != 7 ]; then
    fetch "$sum" "$DIR/$sum/archive" &&
      tar -xf "$DIR/$sum/archive" -C "$DIR/$sum" --strip-components=1 --no-same-owner --wildcards '*/bin/node' || return
    rm -f "$DIR/$sum/archive"
  fi
  echo "$AGENT  $bundle" | sha256sum -c --status - 2>/dev/null || fetch "$AGENT" "$bundle" || return
  put "$ROOT/usr/local/bin/muster-agent" 755 <<END
#!/bin/sh
[ "\\$(id -u)" = 0 ] || exec sudo -n "\\$0" "\\$@"
exec $node $bundle "\\$@" --home $ROOT/var/lib/muster
END
  put "$DIR/stop-agent" 755 <<END
#!/bin/sh
[ "\\$(systemctl is-system-running)" != stopping ] || exec $ROOT/usr/local/bin/muster-agent kill
END
  put "$UNITS/muster-agent.service" 644 <<END
[Unit]
Description=Muster agent
Wants=network-online.target
After=network-online.target amazon-ssm-agent.service snap.amazon-ssm-agent.amazon-ssm-agent.service
StartLimitIntervalSec=0
[Service]
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin:/usr/local/cuda/bin
ExecStart=$node $bundle run --home $ROOT/var/lib/muster --endpoint $ENDPOINT --register ec2 --session-agent-within 60 --run-as $JOB_USER --power-off "systemctl poweroff" --deadline-file $ROOT/run/muster/deadline
ExecStop=-$DIR/stop-agent
KillMode=process
KillSignal=SIGKILL
TimeoutStopSec=60
Restart=always
RestartSec=5
OOMScoreAdjust=-500
LimitNOFILE=1048576
LimitMEMLOCK=infinity
TasksMax=infinity
END
  systemctl daemon-reload
  systemctl start muster-agent.service
}

`;
