/**
 * The machine's own timer: it ends a machine whose agent never came, died or hangs. The agent writes until when the
 * machine may live, in seconds since boot: a clock that nobody sets.
 */

/**
 * What shuts down has ten minutes before it is cut off: a program may never let go. Nor may one look: no other begins
 * before it is over.
 */
export const POWER = `arm() {
  put "$DIR/stop-check" 755 "#!/bin/bash
GRACE=$GRACE ROOT=$ROOT
" <<'END'
read -r up _ <"$ROOT/proc/uptime"
up=\${up%.*}
until=$GRACE
{ read -r told <"$ROOT/run/muster/deadline"; } 2>/dev/null
[[ \${told:-} =~ ^[0-9]{1,12}$ ]] && until=$((10#$told))
((up > until)) || exit 0
{ printf '[muster] nobody keeps this machine: it powers off\\r\\n' >>"$ROOT/dev/console"; } 2>/dev/null
((up > until + 600)) && exec systemctl poweroff --force --force
systemctl poweroff || shutdown -P now
END
  put "$UNITS/muster-stop.service" 644 <<END
[Unit]
Description=Muster: powers off a machine that nobody keeps
[Service]
Type=oneshot
TimeoutStartSec=50
ExecStart=$DIR/stop-check
END
  put "$UNITS/muster-stop.timer" 644 <<END
[Unit]
Description=Muster: looks whether somebody keeps this machine
[Timer]
OnBootSec=60
OnUnitActiveSec=60
AccuracySec=5
[Install]
WantedBy=timers.target
END
  systemctl daemon-reload
  systemctl enable --now muster-stop.timer && say "the power-off timer is armed: $GRACE s after boot"
}

`;
