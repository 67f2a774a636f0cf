/** What installs packages: one constant script for bash. Whatever a task says comes to it as arguments, never as text. */

/**
 * Arguments, for each package: method (pip, conda, reqs, local), kind (name, path, git), source, folder, revision, label,
 * number of options, options. `folder` is where a git repository is kept; for a path it is `edit` when what is installed may
 * point back to the folder. Ends at the first package that fails, and writes the number of it and its exit code to
 * `$0.failed`.
 *
 * A token is said to the host that MUSTER_GIT_HOST names, and to no other: whoever keeps a package could ask for it.
 *
 * What pip brings must not stay on the machine, nor meet what another host there has: where python3 is the machine's own, it
 * goes to ~/.local of the host's HOME, where the same python3 finds it by itself. A virtual environment, an activated one
 * of conda, and a Python in HOME are whoever made them's choice, as is a place that pip is told of.
 *
 * A repository that is there already is brought up to date; it must be a clone of the same address. It appears whole or not
 * at all. Every package but one of the method `local` is installed; that one is only found by Python, through PYTHONPATH.
 */
export const INSTALLER = `
say() { printf 'packages: %s\\n' "$*"; }
host_of() { local rest=\${1#*://}; rest=\${rest%%/*}; printf '%s://%s' "\${1%%://*}" "\${rest##*@}"; }
quiet_git() {
  local host=$(host_of "$url")
  if [ "$host" = "$MUSTER_GIT_HOST" ]; then
    git -c credential.helper= -c "credential.$host.helper=$MUSTER_GIT_HELPER" "$@"
    return
  fi
  git -c credential.helper= "$@" && return
  local code=$?
  case "\${GIT_TOKEN:+given} $host" in
    'given http'*) say "GIT_TOKEN is not told to $host: it is for the host of the workdir, else for the one host of all packages" ;;
  esac
  return "$code"
}
fetch() {
  local url=$1 folder=$2 revision=$3 beside=$2.muster-new at
  command -v git >/dev/null || { say "git is not on this host"; return 127; }
  if [ -e "$folder" ]; then
    [ "$(git -C "$folder" config --get remote.origin.url)" = "$url" ] || { say "$folder is there, and is not a clone of $url"; return 1; }
    quiet_git -C "$folder" fetch --quiet --tags --force origin || return
  else
    rm -rf -- "$beside" && quiet_git clone --quiet -- "$url" "$beside" && mv -- "$beside" "$folder" || return
  fi
  for at in "refs/remotes/origin/\${revision:-HEAD}" "refs/tags/$revision" "$revision"; do
    at=$(git -C "$folder" rev-parse --verify --quiet "$at^{commit}") || continue
    say "$url is at $at"
    git -C "$folder" checkout --quiet --detach "$at"
    return
  done
  say "$url has no branch, tag or commit \${revision:-HEAD}"
  return 1
}
python_of() { command -v python3 >/dev/null || { say "python3 is not on this host"; return 127; }; }
pip_install() {
  python3 -c '
import os, site, sys
# The workdir may hold modules of any name.
del sys.path[0]
import sysconfig
real = os.path.realpath
options = ("target", "prefix", "root", "user", "no-user", "python")
told = any(word[:2] == "-t" or word.split("=")[0][2:] in options for word in sys.argv[1:] if word[:1] == "-")
told = told or any(os.environ.get("PIP_" + one.upper().replace("-", "_")) for one in options)
conda = os.environ.get("CONDA_PREFIX")
chosen = sys.prefix != sys.base_prefix or (conda and real(conda) == real(sys.prefix))
home = real(os.path.expanduser("~"))
within = os.path.commonpath([home, real(sysconfig.get_path("purelib"))]) == home
if not (told or chosen or within):
    sys.exit(10 if site.ENABLE_USER_SITE else 11)
' "$@"
  case $? in
    10) set -- --user "$@" ;;
    11) say "this python3 takes no packages of its user (PYTHONNOUSERSITE, or -s): they go into the machine's own" ;;
  esac
  python3 -m pip install "$@"
}
install_one() {
  local method=$1 kind=$2 source=$3 folder=$4 revision=$5
  shift 5
  if [ "$kind" = git ]; then fetch "$source" "$folder" "$revision" || return; source=$folder; fi
  case $method in
    pip)
      python_of || return
      if [ "$kind" = git ] || { [ "$kind" = path ] && [ "$folder" = edit ] && [ -d "$source" ]; }; then set -- "$@" -e; fi
      pip_install "$@" "$source" ;;
    reqs)
      if [ ! -d "$source" ]; then say "there is no folder $source"; return 1; fi
      if [ ! -f "$source/requirements.txt" ]; then say "there is no requirements.txt in $source: nothing to install"; return 0; fi
      python_of || return
      cd -- "$source" && pip_install "$@" -r requirements.txt ;;
    conda)
      command -v conda >/dev/null || { say "conda is not on this host: use pip, or an image that has it"; return 127; }
      conda install -y "$@" "$source" ;;
    local)
      if [ ! -d "$source" ]; then say "there is no folder $source"; return 1; fi ;;
  esac
}
number=0
while [ $# -gt 0 ]; do
  package=("\${@:1:5}" "\${@:8:$7}")
  say "$6"
  (install_one "\${package[@]}") || {
    code=$?
    printf '%s %s\\n' "$number" "$code" >"$0.failed"
    exit "$code"
  }
  shift $((7 + $7))
  number=$((number + 1))
done
`;
