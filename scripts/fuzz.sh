#!/usr/bin/env bash
# make fuzz: sends both listeners of a running ordo whatever their OpenAPI documents allow and forbid; no answer may be 5xx.
#   SEED=n               the same requests again
#   ORDO_FUZZ_SECONDS=n  how long each document is fuzzed (120 by default)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/say.sh
source "$here/say.sh"
# shellcheck source=scripts/machine.sh
source "$here/machine.sh"
# shellcheck source=scripts/services.sh
source "$here/services.sh"

set="$local_dir/fuzz"
seconds=${ORDO_FUZZ_SECONDS:-120}
binary="${CARGO_TARGET_DIR:-$root/target}/debug/ordo"
tools="$local_dir/tools/fuzz"
log="$local_dir/logs/fuzz-ordo.log"
pid=

# end_all: also on failure and ctrl-c.
end_all() {
  trap '' INT TERM
  if [[ -n "$pid" ]]; then kill "$pid" 2>/dev/null || true; fi
  for server in kafka postgres; do "$here/services/$server.sh" wipe "$set"; done
}

# ready <address>
ready() {
  local deadline=$((SECONDS + 60))
  until curl -sf -o /dev/null "$1/readyz"; do
    kill -0 "$pid" 2>/dev/null && ((SECONDS < deadline)) || {
      last_lines "$log"
      die "ordo is not ready for fuzzing" "look at what it says above, then make fuzz"
    }
    sleep 0.3
  done
}

one_at_a_time fuzz
cd "$root"
need_cargo
python_tools fuzz "$root/tests/fuzz/requirements.txt" "fuzzing"
forget_configuration
say "fuzz: building"
cargo build --workspace --features ordo/crash-points --bins || die "the build failed, for the reason above" "mend that, then make fuzz"
trap end_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
for server in kafka postgres; do "$here/services/$server.sh" wipe "$set"; done
start_private postgres "$set" --fsync=off
start_private kafka "$set"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export ORDO_HTTP__LISTEN=127.0.0.1:$port ORDO_OPS__LISTEN=127.0.0.1:$((port + 1)) ORDO_SUBSCRIPTION__FAULT_PANEL=true
export ORDO_URL=http://$ORDO_HTTP__LISTEN ORDO_OPS_URL=http://$ORDO_OPS__LISTEN
mkdir -p "$local_dir/logs"
"$binary" migrate >"$log" 2>&1 || {
  last_lines "$log"
  die "the log could not be migrated" "look at what it says above, then make fuzz"
}
"$binary" serve >>"$log" 2>&1 &
pid=$!
ready "$ORDO_URL"
"$binary" demo --rate 20 --seconds 3 >>"$log" 2>&1
seed=${SEED:-$(($(od -An -N4 -tu4 /dev/urandom) % 1000000))}
for document in "$ORDO_URL/openapi.json" "$ORDO_OPS_URL/ops/v1/openapi.json"; do
  say "fuzz: ${document#http://*/}, $seconds s, seed $seed"
  "$tools/bin/schemathesis" run "$document" --checks not_a_server_error --phases coverage,fuzzing --max-time "$seconds" \
    --seed "$seed" --warnings off --no-color ||
    die "an answer was 5xx, see above" "mend it, then make fuzz SEED=$seed"
done
kill -0 "$pid" || die "ordo has ended while it was fuzzed" "look at $log, then make fuzz SEED=$seed"
say "fuzz: no answer was 5xx"
