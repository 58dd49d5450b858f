#!/usr/bin/env bash
# make bench: measures on fresh servers of its own, with the broker's plain flags; ARGS go to the bench program.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/say.sh
source "$here/say.sh"
# shellcheck source=scripts/machine.sh
source "$here/machine.sh"
# shellcheck source=scripts/services.sh
source "$here/services.sh"

set="$local_dir/bench"
target="${CARGO_TARGET_DIR:-$root/target}/release"

end_servers() {
  trap '' INT TERM
  for server in kafka postgres; do "$here/services/$server.sh" wipe "$set"; done
}

one_at_a_time bench
cd "$root"
need_cargo
need_disk "$root" 8192 "building and measuring"
forget_configuration
say "bench: building"
cargo build --release --workspace || die "the build failed, for the reason above" "mend that, then make bench"

trap end_servers EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
for server in kafka postgres; do "$here/services/$server.sh" wipe "$set"; done
# Containers would hide the servers' processor time from the measurement.
export ORDO_SERVICES=local ORDO_KAFKA_PLAIN=1
# A quarter of the memory, as Postgres' manual says, and no more than any measurement here fills.
buffers=$(awk '/^MemTotal:/ { print int($2 / 1024 / 4) }' /proc/meminfo)
export ORDO_POSTGRES_BUFFERS=$((buffers < 4096 ? buffers : 4096))MB
start_private postgres "$set"
start_private kafka "$set"
ORDO_BENCH_POSTGRES_PID=$("$here/services/postgres.sh" pid "$set")
ORDO_BENCH_KAFKA_PID=$("$here/services/kafka.sh" pid "$set")
export ORDO_BENCH_POSTGRES_PID ORDO_BENCH_KAFKA_PID ORDO_BENCH_ORDO="$target/ordo"
say "bench: measuring"
# shellcheck disable=SC2086 # ARGS is a list of words
"$target/bench" ${ARGS:-} || die "the bench ended with an error, see above" "make bench"
