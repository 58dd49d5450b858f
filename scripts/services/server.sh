# The life of one server in one set: what postgres.sh and kafka.sh share. A set is a directory; each server has its
# home in it (.local/services/postgres). Sourced by the server's own file, which defines:
#   mark, stop_signal     words of its command line · the signal that ends it gracefully
#   start_local           launches it and returns when it is ready
#   finish_container      what remains to be done when its container is ready
#   container_settings    exports what docker/compose.yaml asks for
#   address, environment  where it listens · NAME=value lines for its clients
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/say.sh
source "$here/../say.sh"
# shellcheck source=scripts/machine.sh
source "$here/../machine.sh"
# shellcheck source=scripts/process.sh
source "$here/../process.sh"

usage() {
  die "usage: scripts/services/$server.sh ready|install|start|stop|restart|kill|pause|resume|empty|pid|status|env|last-lines|follow|wipe <directory of the set>" "name one of these verbs and a set, such as .local/services"
}

# enter <server> <set>: names everything that belongs to this server in this set.
enter() {
  server=$1
  [[ -n "${2:-}" ]] || usage
  mkdir -p "$2"
  home="$(cd "$2" && pwd -P)/$server"
  mkdir -p "$home"
  pid_file="$home/pid" log="$home/log" data="$home/data"
  source=local
  if [[ -s "$home/source" ]]; then source=$(<"$home/source"); fi
}

# project: the name that keeps this set's containers and volumes apart from those of others.
project() {
  local sum
  sum=$(cksum <<<"${home%/*}")
  printf 'ordo-%s\n' "${sum%% *}"
}
compose() {
  container_settings
  docker compose --project-name "$(project)" --file "$root/docker/compose.yaml" "$@"
}

server_pid() {
  if [[ "$source" == docker ]]; then
    local container
    container=$(compose ps --quiet --status running "$server" 2>/dev/null) && [[ -n "$container" ]] || return 1
    docker inspect --format '{{.State.Pid}}' "$container"
  else
    running "$pid_file" "$mark"
  fi
}

start() {
  if [[ "$source" == docker ]]; then
    say "$server: starting its container"
    compose up --detach --wait --wait-timeout 120 "$server" || {
      compose logs --tail 15 "$server" >&2 || true
      die "$server's container did not become ready" "docker compose ls, then make up again"
    }
    finish_container
  else
    need_linux
    need_disk "$home" 512 "$server"
    start_local "$@"
  fi
}

# A server that is stopped by SIGSTOP hears nothing else, so it is woken before it is asked to end.
stop() {
  local pid
  pid=$(server_pid) || return 0
  if [[ "$source" == docker ]]; then
    compose stop "$server"
    return
  fi
  resume
  kill -s "$stop_signal" "$pid"
  await_end "$pid" 60 "waiting for $server (pid $pid)" "$log" || {
    say "$server (pid $pid) did not end within 60 s; killing it, it recovers at the next start"
    kill_now
  }
  rm -f "$pid_file"
}

# kill_now: as a power cut would, children too.
kill_now() {
  signal_family KILL kill
}
pause() {
  signal_family STOP pause
}
resume() {
  signal_family CONT unpause
}

# signal_family <signal> <compose verb>: the parent first, so that it starts no child behind our back.
signal_family() {
  local pid member members
  pid=$(server_pid) || {
    [[ "$1" == KILL ]] && return 0
    die "$server of ${home%/*} does not run" "scripts/services/$server.sh start ${home%/*}"
  }
  if [[ "$source" == docker ]]; then
    compose "$2" "$server"
    return
  fi
  kill -s "$1" "$pid"
  mapfile -t members < <(family "$pid")
  for member in "${members[@]:1}"; do kill -s "$1" "$member" 2>/dev/null || true; done
  if [[ "$1" == KILL ]]; then
    for member in "${members[@]}"; do await_end "$member" 10 "waiting for $member to be gone" "$log" || true; done
  fi
}

# One line, tab separated: state, pid, address, where it came from, where its data is.
status() {
  local pid state=running
  pid=$(server_pid) || { state=stopped pid=-; }
  local where=$data
  if [[ "$source" == docker ]]; then where="a volume of the container"; fi
  printf '%s\t%s\t%s\t%s\t%s\n' "$state" "$pid" "$(address)" "$source" "$where"
}

# empty: the server loses all it knew and keeps its address, as after the loss of a disk.
empty() {
  stop
  if [[ "$source" == docker ]]; then
    compose rm --stop --force "$server"
    docker volume rm --force "$(project)_$server" >/dev/null
  fi
  rm -rf "$data" "$data.new"
}

wipe() {
  stop
  if [[ "$source" == docker ]]; then
    compose rm --stop --force "$server"
    docker volume rm --force "$(project)_$server" >/dev/null
  fi
  rm -rf "$data" "$data.new" "$home"
  if [[ "${data%/*}" != "$home" ]]; then rm -rf "${data%/*}"; fi
}

# died: ends the script for a server that ended while it was being waited for.
died() {
  last_lines "$log"
  rm -f "$pid_file"
  if grep -qE 'No space left on device|Check free disk space' <(tail -n 40 "$log"); then
    die "$server died at start: the disk is full" "free some space (df -h $home), then the same command again"
  fi
  die "$server died at start, for the reason in the lines above" "mend that, then the same command again (make clean-data drops a set of data that is beyond repair)"
}

# run_verb <verb>
run_verb() {
  local verb=${1:-}
  shift 2
  case "$verb" in
    # 2: they are missing. 1: the reason is said already, and no package mends it.
    ready) programs_present || exit 2 ;;
    install) install_programs ;;
    start | stop | pause | resume | status | empty | wipe) "$verb" "$@" ;;
    follow) compose logs --tail 50 --follow "$server" ;;
    restart)
      stop
      start "$@"
      ;;
    kill) kill_now ;;
    pid) server_pid ;;
    env) environment ;;
    last-lines) if [[ "$source" == docker ]]; then compose logs --tail 15 "$server" >&2; else last_lines "$log"; fi ;;
    *) usage ;;
  esac
}
