# What the machine offers: ports, disk, programs, packages. Sourced after say.sh.

# Everything that is made while running stays below .local/ of this checkout.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
local_dir="$root/.local"

# port_taken <port>: something listens there.
port_taken() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# first_free_port <first>
first_free_port() {
  local port=$1
  while port_taken "$port"; do port=$((port + 1)); done
  printf '%s\n' "$port"
}

# remembered_port <file> <first> <whose> [but not]: the port used last time while it is free, else the next free one
# from <first>. A port that had to move is said, on stderr, because the number itself is the answer.
remembered_port() {
  local file=$1 first=$2 whose=$3 but_not=${4:-} port=''
  [[ -s "$file" ]] && port=$(<"$file")
  if [[ -z "$port" || "$port" == "$but_not" ]] || port_taken "$port"; then
    local wanted=${port:-$first}
    port=$(first_free_port "$first")
    [[ "$port" != "$but_not" ]] || port=$(first_free_port $((port + 1)))
    [[ "$port" == "$wanted" ]] || say "$whose: port $wanted is taken by another program, using $port" >&2
    printf '%s\n' "$port" >"$file"
  fi
  printf '%s\n' "$port"
}

# own_port_range <words>: where to begin looking, different for each checkout and server, so that two checkouts
# starting at once do not race for one port; below the range outgoing connections take theirs from.
own_port_range() {
  local sum
  sum=$(cksum <<<"$1")
  printf '%s\n' $((21000 + ${sum%% *} % 10000))
}

# need_disk <directory> <MiB> <what for>
need_disk() {
  local free
  free=$(df -Pk "$1" | awk 'NR == 2 { print int($4 / 1024) }')
  ((free >= $2)) || die "disk full: $3 needs $2 MiB and $1 has $free MiB left" "free some space (du -xsh $1/* | sort -h), then the same command again"
}

# need_program <program> <what for> <next command>
need_program() {
  command -v "$1" >/dev/null || die "$1 is missing: $2" "$3"
}

# need_cargo: a shell older than the installation of Rust does not have it on its path yet.
need_cargo() {
  if ! command -v cargo >/dev/null && [[ -x "$HOME/.cargo/bin/cargo" ]]; then export PATH="$PATH:$HOME/.cargo/bin"; fi
  need_program cargo "everything here is built with it" "install Rust from https://rustup.rs, then the same command again"
}

need_linux() {
  [[ "$(uname -s)" == Linux && -r /proc/self/stat ]] ||
    die "private servers are started on Linux only, this is $(uname -s)" "ORDO_SERVICES=docker make up, or name your own servers in DATABASE_URL and KAFKA_BROKERS"
}

# can_install <package…>: whether they may be installed here; a person is asked once a command.
can_install() {
  command -v apt-get >/dev/null || return 1
  [[ $EUID -ne 0 && "${PACKAGES_AGREED:-}" != "$*" ]] || return 0
  command -v sudo >/dev/null || return 1
  agreed "Install the packages $* with sudo apt-get?" || return 1
  export PACKAGES_AGREED="$*"
}

# install_packages <what for> <package…>: as root, or after asking.
install_packages() {
  local what_for=$1 log="$local_dir/logs/packages.log" as_root=()
  shift
  can_install "$@" ||
    die "$what_for needs the packages $*, and they are installed only as root or after asking" "sudo apt-get install $* (or ORDO_YES=1 to let this do it)"
  if [[ $EUID -ne 0 ]]; then as_root=(sudo); fi
  mkdir -p "$local_dir/logs"
  say "installing packages: $* ($what_for; log: $log)"
  with_heartbeat "reading the package lists" "$log" "${as_root[@]}" apt-get -q update ||
    say "the package lists could not be refreshed; trying with those there are"
  with_heartbeat "installing $*" "$log" \
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" || {
    last_lines "$log"
    die "the packages $* could not be installed" "apt-get install $*, look at what it says, then the same command again"
  }
}

# one_at_a_time <set>: a second command on the same set of servers waits for the first; one called by the other
# does not. Servers, which outlive the command, do not inherit the lock.
one_at_a_time() {
  [[ "${HOLDS_LOCK:-}" != "$1" ]] || return 0
  mkdir -p "$local_dir/logs"
  exec 9>"$local_dir/$1.lock"
  export HOLDS_LOCK=$1
  flock -n 9 && return 0
  say "another make command works on this checkout; waiting for it"
  flock -w 900 9 || die "another make command has held this checkout for 15 minutes" "ps -ef | grep scripts/, end it, then the same command again"
}

# python_tools <name> <requirements> <what for>: programs in an environment of their own, .local/tools/<name>, made once for
# each state of their requirements.
python_tools() {
  local tools="$local_dir/tools/$1" requirements=$2 log="$local_dir/logs/$1-tools.log"
  cmp -s "$requirements" "$tools/requirements.txt" && return
  rm -rf "$tools"
  mkdir -p "$local_dir/logs"
  python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages "$3" python3-venv
  say "$1: fetching the programs for $3 (log: $log)"
  { python3 -m venv "$tools" && "$tools/bin/pip" install --quiet --no-input --disable-pip-version-check --requirement "$requirements"; } >>"$log" 2>&1 || {
    last_lines "$log"
    die "the programs for $3 could not be fetched" "look at what pip says above, then the same command again"
  }
  cp "$requirements" "$tools/requirements.txt"
}
