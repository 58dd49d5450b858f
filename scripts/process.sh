# Processes the scripts start: remembered by pid and start time, so that a number the system has given to
# somebody else is never signalled. Sourced after say.sh; Linux only (it reads /proc).

# stat_of <pid>: "<parent> <start time>", nothing for a process that is gone or a zombie.
stat_of() {
  local line
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
  # The name in parentheses may hold anything; the fields after it are counted from the state.
  # shellcheck disable=SC2086
  set -- ${line##*) }
  [[ "$1" != Z && "$1" != X ]] && printf '%s %s\n' "$2" "${20}"
}

# started_at <pid>: the process's start, in clock ticks since boot.
started_at() {
  local both
  both=$(stat_of "$1") && printf '%s\n' "${both#* }"
}

# launch <pid file> <log> <command…>: starts a program in a session of its own, so that it outlives this terminal, and
# without what the caller holds open.
launch() {
  local pid_file=$1 log=$2 pid
  shift 2
  keep_small "$log"
  (
    close_descriptors
    exec setsid "$@"
  ) </dev/null >>"$log" 2>&1 &
  pid=$!
  printf '%s %s\n' "$pid" "$(started_at "$pid" || true)" >"$pid_file"
}

# keep_small <log>: one older log is kept, so that logs never fill a disk.
keep_small() {
  if [[ -f "$1" && "$(stat -c %s "$1")" -gt 52428800 ]]; then mv -f "$1" "$1.1"; fi
}

# same_process <pid> <start>: the process of that number is still the one that was started then.
same_process() {
  [[ -n "${2:-}" && "$(started_at "$1" || true)" == "$2" ]]
}

# running <pid file> <words>: prints the pid if the recorded process still runs and its command line holds the words.
running() {
  local pid start
  { read -r pid start <"$1"; } 2>/dev/null || return 1
  same_process "$pid" "$start" || return 1
  [[ "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)" == *"$2"* ]] || return 1
  printf '%s\n' "$pid"
}

# just_launched <pid file>: whether what `launch` started a moment ago still lives (it may not have its command line yet).
just_launched() {
  local pid start
  read -r pid start <"$1" && same_process "$pid" "$start"
}

# await_end <pid> <seconds> <words> <log>: 0 once the process is gone, 1 after the seconds; a line every 5 s with the
# last that it said.
await_end() {
  local pid=$1 start deadline=$((SECONDS + $2)) spoken=$SECONDS
  start=$(started_at "$pid") || return 0
  while same_process "$pid" "$start"; do
    ((SECONDS < deadline)) || return 1
    if ((SECONDS - spoken >= 5)); then
      spoken=$SECONDS
      say "… $3: $(tail -n 1 "$4" | cut -c 1-200)"
    fi
    sleep 0.1
  done
}

# family <pid>: the process and its direct children.
family() {
  local stat child both
  printf '%s\n' "$1"
  for stat in /proc/[0-9]*/stat; do
    child=${stat#/proc/} child=${child%/stat}
    both=$(stat_of "$child") || continue
    if [[ "${both% *}" == "$1" ]]; then printf '%s\n' "$child"; fi
  done
}

# listening <port>: the sockets that listen there, as words of a pattern for `find -lname`.
listening() {
  local port
  printf -v port ':%04X' "$1"
  awk -v port="$port" '$4 == "0A" && substr($2, length($2) - 4) == port { print "socket:\\[" $10 "\\]" }' \
    /proc/net/tcp /proc/net/tcp6 2>/dev/null || true
}

# listens <pid> <port>: that process itself listens there, and no other that happens to.
listens() {
  local socket
  for socket in $(listening "$2"); do
    if [[ -n "$(find "/proc/$1/fd" -lname "$socket" -print -quit 2>/dev/null)" ]]; then return 0; fi
  done
  return 1
}

# who_listens <port>: words for whoever has it, for a person who is to stop it.
who_listens() {
  local socket found pid
  for socket in $(listening "$1"); do
    found=$(find /proc/[0-9]*/fd -maxdepth 1 -lname "$socket" -print -quit 2>/dev/null || true)
    [[ -n "$found" ]] || continue
    pid=${found#/proc/} pid=${pid%%/*}
    printf 'pid %s (%s) of %s\n' "$pid" "$(tr '\0' ' ' <"/proc/$pid/cmdline" | cut -c 1-120 | sed 's/ *$//')" "$(readlink "/proc/$pid/cwd")"
    return
  done
  printf 'a program of another user\n'
}
