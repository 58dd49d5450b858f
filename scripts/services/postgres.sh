#!/usr/bin/env bash
# A private Postgres: own cluster, own port, own passwords. Every verb takes the directory of a set:
#   scripts/services/postgres.sh start .local/services
# The package's own cluster on 5432, if there is one, is never used and never touched.
# shellcheck source=scripts/services/server.sh
source "$(dirname "${BASH_SOURCE[0]}")/server.sh"
enter postgres "${2:-}"

# psql must reach this server and no other, whatever the caller's shell says.
unset "${!PG@}"

stop_signal=INT # "fast": sessions end, what is committed is on disk

# Postgres refuses to run as root: then it runs as the package's user, whose the data must be.
as_server=() owned_by=()
if [[ $EUID -eq 0 ]]; then
  as_server=(setpriv --reuid=postgres --regid=postgres --init-groups --reset-env)
  owned_by=(--owner=postgres --group=postgres)
fi

# Below a home directory closed to others that user cannot reach the checkout; then the data lives in /var/tmp.
outside() {
  local sum
  sum=$(cksum <<<"$home")
  printf '/var/tmp/ordo-%s-%s\n' "$EUID" "${sum%% *}"
}
place_data() {
  if [[ -s "$data/PG_VERSION" ]]; then return; fi
  if [[ -s "$(outside)/data/PG_VERSION" ]] || ! passable; then data="$(outside)/data"; fi
}
passable() {
  [[ $EUID -ne 0 ]] || ! id postgres >/dev/null 2>&1 || "${as_server[@]}" test -x "$home" 2>/dev/null
}
place_data
mark="-D $data"

# programs_present: the newest server that can read the data there is (any from 14, when there is none yet).
programs_present() {
  local wanted='' candidate version
  if [[ -s "$data/PG_VERSION" ]]; then wanted=$(<"$data/PG_VERSION"); fi
  while read -r candidate; do
    [[ -x "$candidate/postgres" && -x "$candidate/initdb" ]] || continue
    version=$("$candidate/postgres" -V | grep -oE '[0-9]+' | head -n 1)
    ((version >= 14)) || continue
    [[ -z "$wanted" || "$version" == "$wanted" ]] || continue
    bin=$candidate
    return 0
  done < <({
    printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin | sort -rV
    dirname "$(command -v postgres || true)"
  })
  if [[ -n "$wanted" ]]; then
    die "the data in $data is of Postgres $wanted, which is not installed" "apt-get install postgresql-$wanted (or make clean-data, which asks before it deletes)"
  fi
  return 1
}

install_programs() {
  programs_present || {
    install_packages "a private Postgres" postgresql
    programs_present || die "Postgres is still not found after its package was installed" "ls /usr/lib/postgresql/*/bin"
  }
}

# Passwords are made once for a set and readable by its owner only.
passwords() {
  if [[ ! -s "$home/passwords" ]]; then
    [[ ! -s "$data/PG_VERSION" ]] || die "$home/passwords is gone, and with it the way into the data" "make clean-data (asks before it deletes)"
    local role
    (umask 077 && for role in superuser owner service; do printf '%s_password=%s\n' "$role" "$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"; done >"$home/passwords")
  fi
  # shellcheck source=/dev/null
  source "$home/passwords"
}

# create_cluster: made beside its place and moved there when complete, so that a half-made one is never used.
create_cluster() {
  # A cluster that has lost the file is not ours to delete, and Postgres would not open it.
  [[ -z "$(ls -A "$data" 2>/dev/null)" ]] ||
    die "$data holds files, but its PG_VERSION is empty or gone, so it is no cluster that Postgres opens" "restore $data/PG_VERSION (the line '$("$bin/postgres" -V | grep -oE '[0-9]+' | head -n 1)', if that made it), then the same command again, or make clean-data (asks before it deletes)"
  say "postgres: creating a cluster in $data"
  place_outside_safely
  rm -rf "$data.new"
  install -d -m 700 "${owned_by[@]}" "$data.new"
  install -m 600 "${owned_by[@]}" /dev/stdin "$data.new.password" <<<"$superuser_password"
  "${as_server[@]}" "$bin/initdb" --pgdata="$data.new" --username=postgres --auth=scram-sha-256 \
    --pwfile="$data.new.password" --data-checksums --encoding=UTF8 --locale=C.UTF-8 >"$log" 2>&1 || {
    rm -f "$data.new.password"
    died
  }
  rm -f "$data.new.password"
  mv -T "$data.new" "$data"
}

# /var/tmp is everybody's: a directory there is used only if it is the server's own.
place_outside_safely() {
  local parent=${data%/*} user
  [[ "$parent" != "$home" ]] || return 0
  user=$(if [[ $EUID -eq 0 ]]; then printf postgres; else id -un; fi)
  [[ -e "$parent" ]] || install -d -m 700 "${owned_by[@]}" "$parent"
  [[ -d "$parent" && ! -L "$parent" && "$(stat -c %U "$parent")" == "$user" ]] ||
    die "$parent belongs to somebody else" "rm -rf $parent, if you know it, then the same command again"
  say "postgres: the user postgres cannot reach this checkout, so the data lives in $parent"
}

# After a kill -9 the lock file names a pid that may by now belong to any program, and Postgres would refuse to
# start. Each process of a cluster has its data directory as working directory: when none has, the lock is stale.
clear_stale_lock() {
  [[ -e "$data/postmaster.pid" ]] || return 0
  local deadline=$((SECONDS + 10)) users
  while users=$(processes_in_data) && [[ -n "$users" ]]; do
    ((SECONDS < deadline)) ||
      die "the processes $users work in $data and were not started by this script" "look at them (ps -fp ${users// /,}), end them, then the same command again"
    sleep 0.2
  done
  rm -f "$data/postmaster.pid"
}
processes_in_data() {
  local process found=()
  for process in /proc/[0-9]*; do
    if [[ "$process/cwd" -ef "$data" ]]; then found+=("${process#/proc/}"); fi
  done
  printf '%s' "${found[*]}"
}

# start_local [--fsync=off]. ORDO_POSTGRES_BUFFERS: memory for shared buffers, little for a laptop.
start_local() {
  local pid fsync=on
  if [[ "${1:-}" == --fsync=off ]]; then fsync=off; fi
  install_programs
  place_data # the package's user may only now exist
  mark="-D $data"
  passwords
  if pid=$(server_pid); then
    resume
    port=$(<"$home/port")
    await_ready
    say "postgres: already running on $(address) (pid $pid)"
    return
  fi
  port=$(remembered_port "$home/port" "$(own_port_range "$home")" postgres)
  [[ -s "$data/PG_VERSION" ]] || create_cluster
  clear_stale_lock
  cd / # the server's user may not be allowed where we stand
  # No socket file: its path would have a length limit and a place to be agreed on. Durability is written out
  # because every promise rests on it.
  launch "$pid_file" "$log" "${as_server[@]}" "$bin/postgres" -D "$data" \
    -c listen_addresses=127.0.0.1 -c port="$port" -c unix_socket_directories= \
    -c max_connections=400 -c shared_buffers="${ORDO_POSTGRES_BUFFERS:-256MB}" -c max_wal_size=2GB \
    -c fsync="$fsync" -c full_page_writes=on -c synchronous_commit=on \
    -c log_line_prefix='%m [%p] %a ' -c logging_collector=off
  await_ready
  make_roles
  say "postgres: ready on $(address) (pid $(server_pid))"
}

await_ready() {
  local deadline=$((SECONDS + 120)) spoken=$SECONDS
  until "$bin/pg_isready" -q -t 1 -h 127.0.0.1 -p "$port"; do
    just_launched "$pid_file" || died
    if ((SECONDS >= deadline)); then
      last_lines "$log"
      die "postgres (pid $(server_pid)) does not answer on port $port after 120 s" "tail -f $log"
    fi
    if ((SECONDS - spoken >= 5)); then
      spoken=$SECONDS
      say "… waiting for postgres to recover"
    fi
    sleep 0.1
  done
  just_launched "$pid_file" || died
}

# roles: as roles.sql has them now, on a server that was started with an earlier one. A container has its own way.
roles() {
  [[ "$source" == local ]] || return 0
  install_programs
  passwords
  port=$(<"$home/port")
  make_roles
}

make_roles() {
  local psql="$bin/psql"
  [[ -x "$psql" ]] || psql=$(command -v psql) || die "psql is missing, and the roles are made with it" "apt-get install postgresql-client"
  PGPASSWORD=$superuser_password PGCONNECT_TIMEOUT=5 ORDO_OWNER_PASSWORD=$owner_password ORDO_SERVICE_PASSWORD=$service_password \
    "$psql" --no-psqlrc --quiet --tuples-only -h 127.0.0.1 -p "$port" -U postgres -d postgres -f "$here/postgres/roles.sql" >>"$log" 2>&1 || {
    last_lines "$log"
    die "the roles and the database could not be made, for the reason in the lines above" "mend that, then the same command again"
  }
}

container_settings() {
  passwords
  ORDO_POSTGRES_PORT=$([[ -s "$home/port" ]] && cat "$home/port" || remembered_port "$home/port" "$(own_port_range "$home")" postgres)
  export ORDO_POSTGRES_PORT
  export ORDO_POSTGRES_PASSWORD=$superuser_password ORDO_OWNER_PASSWORD=$owner_password ORDO_SERVICE_PASSWORD=$service_password
}
finish_container() { say "postgres: ready on $(address) (container)"; }

address() { printf '127.0.0.1:%s' "$(cat "$home/port" 2>/dev/null || printf '?')"; }
environment() {
  passwords
  printf 'DATABASE_URL=postgres://ordo:%s@%s/ordo\n' "$service_password" "$(address)"
  printf 'ORDO_ADMIN_DATABASE_URL=postgres://ordo_owner:%s@%s/ordo\n' "$owner_password" "$(address)"
}

case "${1:-}" in
  roles) roles ;;
  *) run_verb "$@" ;;
esac
