/**
 * Tools that tasks expect, in scripts too: python, pip, uv, conda, docker. Where the image has one, it is left as it is;
 * else a stand-in of that name installs it when it is first used, once, whoever else waits for it. docker and pip
 * come from the image's own packages and are begun at boot, in the background.
 *
 * The agent of AWS's session service is started, and where there is none, it is installed the same way.
 *
 * Gotchas: uv comes as a wheel of PyPI, conda as Miniforge. To move a version, take both hashes from PyPI, and from the
 * `.sha256` files beside Miniforge's release. A user who is not yet in docker's group calls it through sudo.
 */
const UV = "https://files.pythonhosted.org/packages/";
const UV_VERSION = "0.13.9";
const MINIFORGE = "26.3.2-3";

export const TOOLS = `tools() {
  local name later=
  put "$DIR/tool" 755 "#!/bin/bash
DIR=$DIR REGION=$REGION JOB_USER=$JOB_USER CONDA=$ROOT/opt/conda USR=$ROOT/usr
" <<'END'
set -u
where() {
  case $1 in
  uv | uvx) echo "$DIR/uv/$1" ;;
  conda | mamba) echo "$CONDA/bin/$1" ;;
  docker | pip | amazon-ssm-agent) echo "$USR/bin/$1" ;;
  esac
}
# get URL SHA256 FILE
get() {
  local turn
  for turn in 1 2 3 4 5; do
    curl -fsSL --connect-timeout 20 -o "$3" "$1" && echo "$2  $3" | sha256sum -c --status - && return
    echo "muster: $1 could not be had ($turn)"
    sleep "$turn"
  done
  return 1
}
packages() {
  if command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get -o DPkg::Lock::Timeout=900 -qq update
    apt-get -o DPkg::Lock::Timeout=900 -qq install -y "$1"
  else
    dnf -q install -y "$2"
  fi
}
add() {
  local arch sum at
  arch=$(uname -m)
  case $1 in
  uv)
    at=3d/aa/26d64642d808de4a652579ef950d7cd2d37f080a8babf9c67c6b75fc4c3f/uv-${UV_VERSION}-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl
    sum=d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19
    if [ "$arch" = aarch64 ]; then
      at=57/15/94b6cd62ac3ff6550288328e8035288875197cbc183f51554b266a69877b/uv-${UV_VERSION}-py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64.whl
      sum=5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe
    fi
    get "${UV}$at" $sum "$DIR/uv.whl" && python3 -m zipfile -e "$DIR/uv.whl" "$DIR/uv.new" &&
      mkdir -p "$DIR/uv" && install -m 755 "$DIR"/uv.new/uv-*/scripts/uv* "$DIR/uv/"
    rm -rf "$DIR/uv.new" "$DIR/uv.whl"
    ;;
  conda)
    sum=848194851a98903134187fbb4ab50efe87b003e0c0f808f97644b7524a62bf2c
    [ "$arch" = aarch64 ] && sum=2c113a69297e612b01ca0f320c22a3107a11f2ab9b573d79ac868a175945ce29
    get "https://github.com/conda-forge/miniforge/releases/download/${MINIFORGE}/Miniforge3-${MINIFORGE}-Linux-$arch.sh" $sum "$DIR/conda.sh" &&
      bash "$DIR/conda.sh" -b -u -p "$CONDA" && chown -R "$JOB_USER:" "$CONDA"
    rm -f "$DIR/conda.sh"
    ;;
  docker)
    packages docker.io docker && systemctl enable --now docker && usermod -aG docker "$JOB_USER"
    ;;
  pip) packages python3-venv python3 && packages python3-pip python3-pip ;;
  amazon-ssm-agent)
    if command -v snap >/dev/null; then
      snap wait system seed.loaded
      { snap list "$1" || snap install "$1" --classic; } && snap start --enable "$1"
      return
    fi
    at=https://s3.$REGION.amazonaws.com
    [[ $REGION == cn-* ]] && at=$at.cn
    at=$at/amazon-ssm-$REGION/latest
    [ "$arch" = aarch64 ] && sum=arm64 || sum=amd64
    if command -v apt-get >/dev/null; then
      curl -fsSL -o "$DIR/ssm.deb" "$at/debian_$sum/amazon-ssm-agent.deb" && dpkg -i "$DIR/ssm.deb"
    else
      dnf -q install -y "$at/linux_$sum/amazon-ssm-agent.rpm"
    fi
    systemctl enable --now amazon-ssm-agent
    ;;
  esac
}
name=\${0##*/}
if [ "$name" = tool ]; then
  kind=$1
  [ "$1" = uvx ] && kind=uv
  [ "$1" = mamba ] && kind=conda
  exec 9>"$DIR/$kind.lock"
  flock 9
  [ -x "$(where "$1")" ] || add "$kind" 9>&-
  exit
fi
root=()
[ "$(id -u)" = 0 ] || root=(sudo -n)
real=$(where "$name")
[ -x "$real" ] || "\${root[@]}" "$DIR/tool" "$name" >&2
[ "$name" = docker ] && [ ! -w /run/docker.sock ] && exec "\${root[@]}" "$real" "$@"
exec "$real" "$@"
END
  mkdir -p "$ROOT/usr/local/bin"
  for name in uv uvx conda mamba docker pip; do
    has "$name" || [ -x "$ROOT/opt/conda/bin/$name" ] || {
      ln -sfn "$DIR/tool" "$ROOT/usr/local/bin/$name"
      case $name in docker | pip) later+="ExecStart=-$DIR/tool $name"$'\\n' ;; esac
    }
  done
  has python || ! has python3 || ln -sfn "$(command -v python3)" "$ROOT/usr/local/bin/python"
  put "$DIR/bashrc" 644 <<END
export PIP_BREAK_SYSTEM_PACKAGES=1
if [ -r $ROOT/opt/conda/etc/profile.d/conda.sh ]; then
  . $ROOT/opt/conda/etc/profile.d/conda.sh
elif [ -L $ROOT/usr/local/bin/conda ]; then
  conda() { command conda --version >/dev/null && . $ROOT/opt/conda/etc/profile.d/conda.sh && conda "\\$@"; }
fi
END
  systemctl enable --now snap.amazon-ssm-agent.amazon-ssm-agent 2>/dev/null || systemctl enable --now amazon-ssm-agent 2>/dev/null ||
    later+="ExecStart=-$DIR/tool amazon-ssm-agent"$'\\n'
  [ -n "$later" ] || return
  put "$UNITS/muster-tools.service" 644 <<END
[Unit]
Description=Muster: tools that the image lacks
[Service]
Type=oneshot
$later
END
  systemctl daemon-reload
  systemctl start --no-block muster-tools.service
}

`;
