/**
 * What runs on the hosts of a job's Ray cluster: one constant script for the first host, and one for each of the others.
 * Ray's own ports are left to it, but for the one by which the hosts find each other: more than one of its nodes may be on a
 * machine. (https://docs.ray.io/en/latest/cluster/cli.html)
 */

/** Written where the agent looks, when there is no Ray. */
export const NONE = "none";

/** In Ray's folder: this host's head has made it. */
export const OF_HEAD = "muster-head";

const START =
  "ray start --block --disable-usage-stats --min-worker-port=0 --max-worker-port=0 --dashboard-agent-listen-port=0";
const REQUIRE = `command -v ray >/dev/null || { echo ${NONE} >"$0.failed"; exit 127; }`;

/**
 * Arguments: its address and port, how many hosts there are to be, and Ray's folder. Writes down how many have come until
 * all are there.
 */
export const HEAD = `${REQUIRE}
mkdir -m 700 -- "$4" && : >"$4/${OF_HEAD}" || exit
${START} --head --port="$2" --node-ip-address="$1" --temp-dir="$4" --include-dashboard=false &
muster_head=$!
while kill -0 "$muster_head" 2>/dev/null; do
  muster_found=$(ray status --address="$1:$2" 2>/dev/null | awk '
    /^[A-Z]/ { alive = /^(Active|Idle):/ }
    alive && $1 ~ /^[0-9]+$/ { found += $1 }
    END { print found + 0 }')
  echo "$muster_found" >"$0.failed"
  [ "$muster_found" -lt "$3" ] || break
  sleep 1
done
wait "$muster_head"
`;

/**
 * Arguments: the head's address and port, and its own address. Waits for the head for as long as the job does. Ray itself
 * would miss a head that is gone for a minute more.
 */
export const NODE = `${REQUIRE}
if [ -z "\${BASH_VERSION-}" ]; then
  echo "ray: this image has no bash, which a node of a Ray cluster takes here"
  exit 127
fi
muster_up() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }
until muster_up "$1" "$2"; do sleep 0.5; done
${START} --address="$1:$2" --node-ip-address="$3" &
muster_node=$!
muster_missed=0
while [ "$muster_missed" -lt 3 ]; do
  kill -0 "$muster_node" 2>/dev/null || break
  muster_missed=$((muster_missed + 1))
  ! muster_up "$1" "$2" || muster_missed=0
  sleep 0.5
done
[ "$muster_missed" -lt 3 ] || exit 0
wait "$muster_node"
muster_code=$?
muster_up "$1" "$2" || exit 0
echo "ray: this host's node ended with exit code $muster_code while its head was there"
exit 1
`;
