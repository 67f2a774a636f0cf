/**
 * Whose disk this is. A disk may come from another machine: of the same cluster, which has moved; or by an image, of any
 * other. What the other machine was told then goes before anything runs here: who it was, in any case; and but for a cluster
 * that moved all that its agent kept: jobs, their logs and variables, and files that they were given. What is small is
 * written over first: whoever is root here could read what is only deleted.
 *
 * Lifecycle: a machine writes its id beside its boot script as soon as it has the agent. The first thing that cloud-init
 * runs on another machine clears what is there; until then the boot script, which systemd may start sooner, does nothing.
 * Gotcha: an agent of an older release may have started by then, and have registered as this machine: that is kept.
 */
export const OWN = `# self: this machine's id
self() {
  local SEEN id
  until SEEN=$(seen) && id=$(about instance-id) && [ -n "$id" ]; do sleep 2; done
  echo "$id"
}

foreign() { [ -f "$DIR/machine" ] && [ "$(cat "$DIR/machine")" != "$(self)" ]; }

own() {
  local home=$ROOT/var/lib/muster/agent id file
  [ -e "$DIR/boot" ] || [ -e "$home" ] || return 0
  id=$(self)
  [ "$(cat "$DIR/machine" 2>/dev/null)" != "$id" ] || return 0
  systemctl stop muster-boot.service muster-agent.service
  (
    cd "$home" || exit
    [ -f host.json ] && ! grep -q '"machineId":"'"$id"'"' host.json && shred -fun1 host.json nonce
    [ -z "$MOVED" ] || exit
    while IFS= read -rd '' file; do
      [ -L "$file" ] || shred -fn1 "$file"
      rm -f "$file"
    done < <(cat handed)
    find attempts -type f -size -2048 -exec shred -fn1 {} +
    find . -mindepth 1 -maxdepth 1 ! -name host.json ! -name nonce -exec rm -rf {} +
  ) 2>/dev/null
  rm -f "$DIR/machine"
  say "cleared another machine's disk"
}

`;
