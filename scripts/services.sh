# Which servers a command works with, and where each comes from. Sourced after say.sh and machine.sh.
# The order: what the environment names; private processes; containers. ORDO_SERVICES=local|docker decides.

# The variables that name each server, and the words people read.
declare -A NAMED_BY=([postgres]=DATABASE_URL [kafka]=KAFKA_BROKERS)
declare -A TITLE=([postgres]=Postgres [kafka]=Kafka)
ADDRESSES=(DATABASE_URL ORDO_ADMIN_DATABASE_URL KAFKA_BROKERS)

# A shell that has read .local/env names our own servers: those count as not named, or they would never be started again.
forget_own_addresses() {
  local name own
  for name in "${ADDRESSES[@]}"; do
    [[ -n "${!name:-}" ]] || continue
    own=$(own_address "$name")
    if [[ -n "$own" && "${!name}" == "$own" ]]; then unset "$name"; fi
  done
}

# own_address <variable>: what .local/env says, unless it only repeats what the environment named then.
own_address() {
  local server=postgres
  if [[ "$1" == KAFKA_BROKERS ]]; then server=kafka; fi
  started_here "$server" || return 0
  # shellcheck source=/dev/null
  (source "$local_dir/env" && printf '%s' "${!1}")
}

# started_here <server>: make up started it, as the last line of .local/env remembers.
started_here() {
  [[ -s "$local_dir/env" ]] && [[ " $(sed -n 's/^# started here: //p' "$local_dir/env") " == *" $1 "* ]]
}

# named_by_environment <server>
named_by_environment() {
  local name=${NAMED_BY[$1]}
  # One of the two database addresses is enough: it then serves as both.
  if [[ "$1" == postgres ]]; then
    : "${DATABASE_URL:=${ORDO_ADMIN_DATABASE_URL:-}}"
    : "${ORDO_ADMIN_DATABASE_URL:=${DATABASE_URL:-}}"
  fi
  [[ -n "${!name:-}" ]]
}

# check_reachable <server>: a first look, so that a wrong address is told in a second and by its name.
check_reachable() {
  local name=${NAMED_BY[$1]} address first host port
  address=${!name}
  if [[ "$1" == postgres ]]; then
    address=${address#*://} address=${address#*@} address=${address%%[/?]*}
    [[ "$address" == *:* ]] || address+=:5432
  fi
  for first in ${address//,/ }; do
    host=${first%:*} port=${first##*:}
    # An address this simple look cannot read (a socket directory, IPv6) is left to ordo itself.
    [[ -n "$host" && "$host" != *[:%[]* && "$port" =~ ^[0-9]+$ ]] || return 0
    if timeout 5 bash -c "exec 3<>/dev/tcp/$host/$port" 2>/dev/null; then return 0; fi
  done
  die "$name names $address, and nothing answers there" "start that server, or unset $name to have a private one started"
}

docker_answers() {
  command -v docker >/dev/null && timeout 10 docker info >/dev/null 2>&1 && timeout 10 docker compose version >/dev/null 2>&1
}

# choose_source <server>: sets `chosen` to local or docker.
choose_source() {
  local program="$root/scripts/services/$1.sh" packages=(postgresql) answer=2
  if [[ "$1" == kafka ]]; then packages=(default-jre-headless maven); fi
  case "${ORDO_SERVICES:-}" in
    local) chosen=local ;;
    docker)
      docker_answers || die "ORDO_SERVICES=docker, and no Docker engine with compose answers" "docker info; docker compose version; or ORDO_SERVICES=local make up"
      chosen=docker
      ;;
    '')
      if [[ "$(uname -s)" == Linux ]]; then
        answer=0
        "$program" ready "$2" || answer=$?
        ((answer == 0 || answer == 2)) || exit 1
      fi
      if ((answer == 0)) || can_install "${packages[@]}"; then
        chosen=local
      elif docker_answers; then
        chosen=docker
      else
        die "${TITLE[$1]} is not installed, may not be installed without asking, and no Docker engine answers" \
          "sudo apt-get install ${packages[*]}, or ORDO_YES=1 make up, or name your own server in ${NAMED_BY[$1]}"
      fi
      ;;
    *) die "ORDO_SERVICES is '$ORDO_SERVICES', and only local and docker are known" "unset ORDO_SERVICES, or set it to one of them" ;;
  esac
}

# start_private <server> <set> [flags…]: starts it in that set and exports its addresses.
start_private() {
  local server=$1 set=$2 program="$root/scripts/services/$1.sh" chosen line
  shift 2
  choose_source "$server" "$set"
  local memory="$set/$server/source"
  if [[ -s "$memory" && "$(<"$memory")" != "$chosen" ]]; then
    say "$server: was $(<"$memory"), is now $chosen; stopping the former, its data stays"
    "$program" stop "$set"
  fi
  mkdir -p "$set/$server"
  printf '%s\n' "$chosen" >"$memory"
  "$program" start "$set" "$@"
  while IFS= read -r line; do export "${line?}"; done < <("$program" env "$set")
}

# forget_configuration: tests and measurements must not depend on what the caller's shell happens to set.
forget_configuration() {
  local name
  for name in "${!ORDO_@}"; do
    case "$name" in
      ORDO_YES | ORDO_SERVICES | ORDO_KAFKA_PLAIN | ORDO_POSTGRES_BUFFERS) ;;
      *) unset "$name" ;;
    esac
  done
  unset DATABASE_URL KAFKA_BROKERS
}
