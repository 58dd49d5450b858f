#!/usr/bin/env bash
# make storm: breaks everything around ordo and in it, on a set of servers of its own, and checks what is left.
#   SEED=n                       the same storm again
#   SCENARIO=name                only that scenario: orders, consumers, models; else one after the other
#   DEFECTS=1                    plants each defect there is instead; all have to be caught
#   ORDO_STORM_MINUTES=n         how long faults come in each (20 by default)
#   ARGS='--only "kafka wiped"'  more for the program; `--list` names faults, scenarios and defects
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/say.sh
source "$here/say.sh"
# shellcheck source=scripts/machine.sh
source "$here/machine.sh"
# shellcheck source=scripts/services.sh
source "$here/services.sh"

set="$local_dir/storm"
target="${CARGO_TARGET_DIR:-$root/target}/storm"
minutes=${ORDO_STORM_MINUTES:-20}

held=0

# end_servers: also on failure and ctrl-c. Data is kept after a failure, for a look; the next storm begins anew anyway.
end_servers() {
  trap '' INT TERM
  for server in kafka postgres; do "$here/services/$server.sh" "$( ((held)) && printf wipe || printf stop)" "$set"; done
}

one_at_a_time storm
cd "$root"
need_cargo
need_disk "$root" 4096 "building and the storm's data"
forget_configuration
# As for the tests, with crash points and checks of arithmetic, and a little optimized.
say "storm: building"
cargo build --profile storm --workspace --features ordo/crash-points --bins || die "the build failed, for the reason above" "mend that, then make storm"

seed=${SEED:-$(($(od -An -N4 -tu4 /dev/urandom) % 1000000))}
arguments=(--seed "$seed" --set "$set" --scripts "$here/services" --ordo "$target/ordo")
if [[ -n "${DEFECTS:-}" ]]; then
  arguments+=(--defect all --again "make storm DEFECTS=$DEFECTS SEED=$seed")
else
  arguments+=(--minutes "$minutes")
  # The document shows a full storm, not a taste of one.
  if [[ -z "${ARGS:-}" ]] && ((${minutes%%.*} >= 20)); then arguments+=(--report docs/reliability.md); fi
  again="make storm SEED=$seed${SCENARIO:+ SCENARIO=$SCENARIO}${ARGS:+ ARGS='$ARGS'}"
  if [[ "$minutes" != 20 ]]; then again+=" ORDO_STORM_MINUTES=$minutes"; fi
  arguments+=(--again "$again")
  if [[ -n "${SCENARIO:-}" ]]; then arguments+=(--scenario "$SCENARIO"); fi
fi
eval "arguments+=(${ARGS:-})" # a list of words, some of which people quote

say "storm: seed $seed"
trap end_servers EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
for server in kafka postgres; do "$here/services/$server.sh" wipe "$set"; done
# Containers would hide the servers' processes, which are to be killed one by one.
export ORDO_SERVICES=local
start_private postgres "$set"
start_private kafka "$set" --proxied
# Everything is told on the command line.
unset DATABASE_URL ORDO_ADMIN_DATABASE_URL KAFKA_BROKERS KAFKA_PROXIED KAFKA_PROXY
"$target/nemesis" "${arguments[@]}" ||
  die "the storm did not end well, see above" "look at .local/storm-results and at the data in $set, then make storm SEED=$seed"
held=1
