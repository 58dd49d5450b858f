#!/usr/bin/env bash
# The ordo process of this checkout: scripts/ordo.sh start | stop | pid | run <arguments…>
# `start` expects the servers' addresses in the environment; `run` calls ordo with those of .local/env.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/say.sh
source "$here/say.sh"
# shellcheck source=scripts/machine.sh
source "$here/machine.sh"
# shellcheck source=scripts/process.sh
source "$here/process.sh"

home="$local_dir/ordo"
log="$local_dir/logs/ordo.log"
pid_file="$home/pid"
binary="${CARGO_TARGET_DIR:-$root/target}/release/ordo"
mkdir -p "$home" "$local_dir/logs"

ordo_pid() { running "$pid_file" "/ordo serve"; }

# Which of the listeners' variables hold an address that was chosen here, and may be chosen again.
declare -A chosen=()

# listeners: settles ORDO_HTTP__LISTEN and ORDO_OPS__LISTEN. An address the environment names is taken as it is;
# otherwise the port used last time, 8080 and 8081 at first, and the next free one where that is taken.
listeners() {
  local variable
  for variable in "${!chosen[@]}"; do unset "$variable"; done
  listener ORDO_HTTP__LISTEN http 8080 ops
  listener ORDO_OPS__LISTEN ops 8081 http
  ORDO_URL=$(url_of "$ORDO_HTTP__LISTEN")
  ORDO_OPS_URL=$(url_of "$ORDO_OPS__LISTEN")
  export ORDO_URL ORDO_OPS_URL
}

# listener <variable> <its name> <wanted port> <name of the other>
listener() {
  local file="$home/$2-port" port
  if [[ -n "${!1:-}" ]]; then
    usable "$1"
    return
  fi
  # The ports of a running ordo are its own.
  if ordo_pid >/dev/null && [[ -s "$file" ]]; then
    port=$(<"$file")
  else
    port=$(remembered_port "$file" "$3" "ordo's $2 listener" "$(cat "$home/$4-port" 2>/dev/null || true)")
  fi
  export "$1=127.0.0.1:$port"
  chosen[$1]=yes
}

# usable <variable>: the address it names is nobody else's. Asked before anything is stopped or started for it.
usable() {
  local address=${!1} pid port host
  port=${address##*:} host=$(host_of "$address")
  [[ "$port" =~ ^[0-9]+$ ]] || return 0 # ordo itself says what is wrong with it
  ((port > 0)) || die "$1 is $address, and with port 0 nobody could tell where ordo listens" "name a port in $1, or unset it to have a free one chosen"
  if (exec 3<>"/dev/tcp/$host/$port") 2>/dev/null && ! { pid=$(ordo_pid) && listens "$pid" "$port"; }; then
    refuse_taken "$1" "$address"
  fi
}

# refuse_taken <variable> <address>
refuse_taken() {
  die "port ${2##*:} is taken: $1 is $2, and $(who_listens "${2##*:}") listens there" "stop that program, name a free port in $1, or unset $1 to have one chosen; then make up"
}

# host_of <listen address>: where it is reached; one that listens everywhere is reached on loopback.
host_of() {
  local host=${1%:*}
  host=${host#[} host=${host%]}
  case "$host" in
    '' | 0.0.0.0 | ::) printf '127.0.0.1\n' ;;
    *) printf '%s\n' "$host" ;;
  esac
}

# url_of <listen address>
url_of() {
  local host
  host=$(host_of "$1")
  if [[ "$host" == *:* ]]; then host="[$host]"; fi
  printf 'http://%s:%s\n' "$host" "${1##*:}"
}

# configuration: what a running process would have to be restarted for.
configuration() {
  env | LC_ALL=C grep -E '^(DATABASE_URL|KAFKA_BROKERS|RUST_LOG|FAILPOINTS|ORDO_[A-Z0-9]+__[A-Z0-9_]+)=' | LC_ALL=C sort | sha256sum
}

# write_environment: for other programs, and for people: `. .local/env`.
write_environment() {
  local name
  (
    umask 077
    {
      printf '# Written by make up. Use it with: . .local/env\n'
      for name in DATABASE_URL ORDO_ADMIN_DATABASE_URL KAFKA_BROKERS ORDO_URL ORDO_OPS_URL; do
        printf 'export %s=%q\n' "$name" "${!name}"
      done
      printf '# started here: %s\n' "${STARTED_HERE:-}"
    } >"$local_dir/env.new"
  )
  mv "$local_dir/env.new" "$local_dir/env"
}

# start: keeps a process whose program and configuration are unchanged, replaces it gracefully otherwise.
start() {
  local pid
  [[ -x "$binary" ]] || die "$binary is not there" "make up, which builds it"
  listeners
  write_environment
  migrate
  if pid=$(ordo_pid); then
    if [[ "/proc/$pid/exe" -ef "$binary" && "$(configuration)" == "$(cat "$home/configuration" 2>/dev/null)" ]]; then
      say "ordo: already running (pid $pid), program and configuration unchanged"
      await_ready
      return
    fi
    say "ordo: program or configuration changed, restarting it gracefully"
    stop
  fi
  launch_ordo
  await_ready
}

# migrate: a Postgres of ours that runs since before the service's role and the owner's were apart has them parted here
# and not at its start: only now the service has rights of its own, and one that still runs misses none.
migrate() {
  local said
  say "ordo: migrating"
  cd "$root"
  said=$(migrate_once)
  if [[ "$said" == *'is not protected'* && " ${STARTED_HERE:-} " == *' postgres '* ]]; then
    say "ordo: taking the owner's rights from the service's role"
    "$here/services/postgres.sh" roles "$local_dir/services"
    said=$(migrate_once)
  fi
  printf '%s\n' "$said"
}
migrate_once() {
  "$binary" migrate </dev/null || die "the database could not be migrated, for the reason above" "make doctor, mend what it names, then make up"
}

launch_ordo() {
  need_disk "$local_dir" 256 ordo
  configuration >"$home/configuration"
  printf -- '--- started %s\n' "$(date -u +%FT%TZ)" >>"$log"
  export ORDO_LOG__FORMAT="${ORDO_LOG__FORMAT:-human}"
  cd "$root"
  launch "$pid_file" "$log" "$binary" serve
  say "ordo: starting (log: $log)"
}

# await_ready: until /readyz finds everything as it should be, else its own reasons.
await_ready() {
  local deadline=$((SECONDS + 60)) spoken=$SECONDS
  until ready; do
    if ! just_launched "$pid_file"; then
      if ((SECONDS < deadline)) && port_was_lost; then continue; fi
      last_lines "$log"
      rm -f "$pid_file"
      die "ordo died at start, for the reason in the lines above" "mend that, then make up (make doctor asks each dependency)"
    fi
    if ((SECONDS >= deadline)); then
      last_lines "$log"
      die "ordo is not ready after 60 s: $reasons" "make doctor, or make logs; it still runs and becomes ready by itself when that is mended"
    fi
    if ((SECONDS - spoken >= 5)); then
      spoken=$SECONDS
      say "… waiting for ordo: $reasons"
    fi
    sleep 0.1
  done
  say "ordo: ready (pid $(ordo_pid))"
}

# port_was_lost: it died because another program took its port between the choice and the use, as two checkouts started
# at once do. Then it is started on other ports, unless the environment asks for that one.
port_was_lost() {
  local address variable
  address=$(awk '/^--- started /{ said = "" } /cannot listen on .*Address already in use/ { said = $0 } END { print said }' \
    <(tail -n 200 "$log") | sed -E 's/.*cannot listen on ([^ ]+): .*/\1/')
  [[ -n "$address" ]] || return 1
  for variable in ORDO_HTTP__LISTEN ORDO_OPS__LISTEN; do
    if [[ "${!variable}" == "$address" && -z "${chosen[$variable]:-}" ]]; then
      last_lines "$log"
      rm -f "$pid_file"
      refuse_taken "$variable" "$address"
    fi
  done
  say "ordo: another program was faster at $address, trying again"
  listeners
  write_environment
  launch_ordo
}

# ready: asks /readyz of the process itself, since another program may answer at its address; what it waits for is kept
# in `reasons`, on one line.
ready() {
  local pid answer findings authority=${ORDO_URL#http://} port=${ORDO_HTTP__LISTEN##*:}
  if ! pid=$(ordo_pid) || ! listens "$pid" "$port"; then
    reasons="it does not listen on port $port yet"
    return 1
  fi
  reasons="$ORDO_URL/readyz does not answer yet"
  answer=$(
    exec 2>/dev/null 3<>"/dev/tcp/$(host_of "$authority")/$port" || exit 0
    printf 'GET /readyz HTTP/1.0\r\nHost: %s\r\n\r\n' "$authority" >&3
    timeout 5 cat <&3
  )
  # A service without Kafka answers 200 too, since it takes orders; here everything is to be there.
  findings=${answer#*'"findings":'}
  if [[ "$answer" == "HTTP/1."[01]" 200"*'"findings":'* && "$findings" != *'"status":"degraded"'* ]]; then return 0; fi
  if [[ -n "$answer" ]]; then reasons=$(what_is_missing <<<"${answer#*$'\r\n\r\n'}"); fi
  return 1
}

# what_is_missing: the findings of /readyz that are not as they should be, in words; those of one kind are named together.
# An answer of another shape is told as it is.
what_is_missing() {
  local body text='"(([^"\\]|\\.)*)"' missing
  body=$(tr -s '\r\n\t ' ' ')
  missing=$(sed -E 's/\},\{/\n/g' <<<"$body" |
    sed -nE "s/.*\"name\":$text,\"status\":\"(degraded|down)\",\"observed\":$text(.*\"next\":$text)?.*/\1\t\4\t\7/p" |
    awk -F '\t' '{
        why = $2 ($3 == "" ? "" : " (" $3 ")")
        if (!(why in names)) { order[++n] = why; names[why] = $1 } else { names[why] = names[why] ", " $1 }
      }
      END { for (i = 1; i <= n; i++) printf "%s%s: %s", (i > 1 ? "; " : ""), names[order[i]], order[i] }')
  cut -c 1-600 <<<"${missing:-$body}"
}

# stop: gracefully; the log tells what it waits for.
stop() {
  local pid said
  pid=$(ordo_pid) || return 0
  said=$(stat -c %s "$log" 2>/dev/null || printf 0)
  say "ordo: stopping (pid $pid): requests, consumers, orders, writers, relay"
  kill -CONT "$pid"
  kill -TERM "$pid"
  await_end "$pid" 30 "waiting for ordo" "$log" || {
    say "ordo did not end within 30 s; killing it, what it had accepted is in the log"
    kill -KILL "$pid"
    await_end "$pid" 10 "waiting for $pid to be gone" "$log" || true
  }
  rm -f "$pid_file"
  tail -c "+$((said + 1))" "$log" | tail -n 20 | sed 's/^/        /'
  say "ordo: stopped"
}

# run <arguments…>: ordo against what make up started.
run() {
  [[ -s "$local_dir/env" && -x "$binary" ]] || die "nothing has been started here yet" "make up"
  # shellcheck source=/dev/null
  source "$local_dir/env"
  # Whoever else listens at that address by now must not get the orders of our demo.
  [[ "${1:-}" != demo ]] || ordo_pid >/dev/null || die "ordo of this checkout does not run, and the demo is for it only" "make up"
  cd "$root"
  exec "$binary" "$@"
}

verb=${1:-}
case "$verb" in
  start | stop) "$verb" ;;
  pid) ordo_pid ;;
  run) run "${@:2}" ;;
  *) die "usage: scripts/ordo.sh start | stop | pid | run <arguments…>" "name one of these" ;;
esac
