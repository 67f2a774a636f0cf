/**
 * Under whose name jobs run: the image's usual user, who may become root without a password. sudo keeps the mark by which
 * the agent finds what belongs to a job.
 */
export const USER = `people() {
  local name home
  for name in ubuntu ec2-user admin rocky almalinux centos fedora debian "$(getent passwd 1000 | cut -d: -f1)"; do
    [ -z "$JOB_USER" ] && [ -n "$name" ] && id -u "$name" >/dev/null 2>&1 && JOB_USER=$name
  done
  JOB_USER=\${JOB_USER:-muster}
  id -u "$JOB_USER" >/dev/null 2>&1 || useradd -m -s /bin/bash "$JOB_USER"
  put "$ROOT/etc/sudoers.d/90-muster" 440 <<END
Defaults env_keep += "MUSTER_ATTEMPT_DIR"
$JOB_USER ALL=(ALL) NOPASSWD:ALL
END
  [ ! -d "$ROOT/mnt/scratch" ] || chown "$JOB_USER:" "$ROOT/mnt/scratch/"
  # Before what is already there: images make it end early where nobody types.
  home=$ROOT$(getent passwd "$JOB_USER" | cut -d: -f6)
  if [ -d "$home" ] && ! grep -qs "# muster$" "$home/.bashrc"; then
    { echo "[ ! -r $DIR/bashrc ] || . $DIR/bashrc # muster"; cat "$home/.bashrc"; } >"$home/.bashrc.new" 2>/dev/null
    chown "$JOB_USER:" "$home/.bashrc.new" && mv "$home/.bashrc.new" "$home/.bashrc"
  fi
}

`;
