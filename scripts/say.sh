# What the scripts print, and how they end. Sourced, never run.

# Scripts call one another; all count from the start of the outermost.
export SAY_SINCE="${SAY_SINCE:-$(date +%s)}"

# say <words…>: one line with the seconds since the command began.
say() {
  printf '%4d s  %s\n' "$(($(date +%s) - SAY_SINCE))" "$*"
}

# die <what and why> <next command>: the last line of every failure.
die() {
  printf 'error: %s. Next: %s\n' "$1" "$2" >&2
  exit 1
}

# last_lines <log> [n]: what a server said before it died.
last_lines() {
  [[ -s "$1" ]] || return 0
  printf -- '--- last lines of %s\n' "$1" >&2
  tail -n "${2:-15}" "$1" | sed 's/^/    /' >&2
  printf -- '---\n' >&2
}

# close_descriptors: all but the first three, in a subshell that is about to become another program. A lock the caller
# holds would otherwise be held for as long as that program lives.
close_descriptors() {
  local descriptor
  for descriptor in /proc/"$BASHPID"/fd/*; do
    descriptor=${descriptor##*/}
    if [[ "$descriptor" == [0-9]* ]] && ((descriptor > 2)); then exec {descriptor}>&-; fi
  done
}

# with_heartbeat <words> <log> <command…>: output goes to the log, and a line every 10 s shows that it still works.
# Neither the beat nor the command holds a lock: they may outlive a command that was cut off.
with_heartbeat() {
  local words=$1 log=$2 script=$BASHPID status=0
  shift 2
  (
    close_descriptors
    while sleep 10 >/dev/null && kill -0 "$script" 2>/dev/null; do say "… still $words"; done
  ) &
  local heart=$!
  (
    close_descriptors
    exec "$@"
  ) </dev/null >>"$log" 2>&1 || status=$?
  kill "$heart" 2>/dev/null || true
  wait "$heart" 2>/dev/null || true
  return "$status"
}

# agreed <question>: yes by ORDO_YES=1 or by a person at the keyboard.
agreed() {
  [[ "${ORDO_YES:-}" == 1 ]] && return 0
  [[ -t 0 ]] || return 1
  local answer
  read -r -p "$1 [y/N] " answer
  [[ "$answer" == [yY]* ]]
}
