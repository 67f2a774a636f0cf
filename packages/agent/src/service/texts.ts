/** What keeps a service running. */

/** How often a service is started again. */
export const RESTARTS = 5;

/**
 * For any sh; its arguments are the service's name and its script. Starts it, and again when it ends: after 1, 2, 4, ... s.
 * TERM ends both, as it comes to their whole group.
 */
export const KEEP_UP = `muster_pause=1
# What ends by a signal is this shell's business, and not the log's.
exec 2>/dev/null
while :; do
  "\${BASH:-sh}" -c "$2" 2>&1
  muster_code=$?
  if [ "$muster_pause" -gt ${2 ** (RESTARTS - 1)} ]; then
    echo "service $1: it ended once more, with exit code $muster_code, and is not started again"
    exit "$muster_code"
  fi
  echo "service $1: it ended with exit code $muster_code, and is started again in $muster_pause s"
  sleep "$muster_pause"
  muster_pause=$((muster_pause * 2))
done
`;
