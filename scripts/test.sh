#!/usr/bin/env bash
# make test: every test, on servers and data of its own, which are gone afterwards.
#   1. all tests but destructive::, many at once
#   2. destructive::, which stop, kill and fill servers, one after the other on a second set
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/say.sh
source "$here/say.sh"
# shellcheck source=scripts/machine.sh
source "$here/machine.sh"
# shellcheck source=scripts/services.sh
source "$here/services.sh"
# shellcheck source=scripts/dashboard.sh
source "$here/dashboard.sh"

shared="$local_dir/test"
destructive="$local_dir/test-destructive"
everything=(--workspace --features ordo/crash-points)
passed=0

# end_servers: also on failure and ctrl-c. Data is kept after a failure, for a look; the next run begins anew anyway.
end_servers() {
  local set server
  trap '' INT TERM
  for set in "$shared" "$destructive"; do
    for server in kafka postgres; do
      [[ -d "$set/$server" ]] || continue
      if ((passed)); then
        "$here/services/$server.sh" wipe "$set"
      else
        "$here/services/$server.sh" stop "$set"
      fi
    done
  done
}

# failed <what> <next command>: a server that died on its own is the likelier cause, so it speaks first.
failed() {
  local set server
  for set in "$shared" "$destructive"; do
    for server in kafka postgres; do
      if [[ -e "$set/$server/pid" ]] && ! "$here/services/$server.sh" pid "$set" >/dev/null; then
        say "$server of $set is not running any more" >&2
        "$here/services/$server.sh" last-lines "$set"
      fi
    done
  done
  die "$1" "$2"
}

wipe_set() {
  local server
  for server in kafka postgres; do "$here/services/$server.sh" wipe "$1"; done
}

# fresh_set <set> [flags of Postgres]: each test makes a database of its own there as the owner; DATABASE_URL names the
# role its service has.
fresh_set() {
  local set=$1
  shift
  wipe_set "$set"
  start_private postgres "$set" "$@"
  start_private kafka "$set"
}

# build: before any server is started, and with one selection of packages, so that cargo builds each crate once.
build() {
  need_cargo
  need_disk "$root" 4096 "building and running the tests"
  dashboard_packages
  need_browser
  say "test: the dashboard's own"
  (cd "$root/dashboard" && node test/unit.mjs) || failed "tests of the dashboard failed, see above" "cd dashboard && node test/unit.mjs"
  say "test: building"
  cargo build "${everything[@]}" --bins && cargo test "${everything[@]}" --no-run ||
    die "the tests do not build, for the reason above" "mend that, then make test"
  export ORDO_HARNESS_BIN="${CARGO_TARGET_DIR:-$root/target}/debug"
}

run_shared() {
  say "test: all but destructive::"
  cargo test "${everything[@]}" -- --skip destructive:: ||
    failed "tests failed, see above" "make up, then: . .local/env && cargo test ${everything[*]} <name of the test>"
  say "test: all but destructive:: passed"
}

run_destructive() {
  say "test: destructive::"
  ORDO_TEST_SERVICES="$destructive" cargo test "${everything[@]}" --test main -- destructive:: --test-threads=1 ||
    failed "destructive tests failed, see above" "mend them, then make test"
  say "test: destructive:: passed"
}

on_private_servers() {
  forget_configuration
  trap end_servers EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  build
  # These tests never cut the power, so what they prove does not rest on the disk, and one flush less per commit
  # is minutes less per run. The destructive set below keeps its flushes.
  fresh_set "$shared" --fsync=off
  run_shared
  wipe_set "$shared"
  fresh_set "$destructive"
  run_destructive
  passed=1
}

on_named_servers() {
  local admin=$ORDO_ADMIN_DATABASE_URL service=${DATABASE_URL:-} brokers=$KAFKA_BROKERS count
  named_by_environment postgres && check_reachable postgres
  check_reachable kafka
  forget_configuration
  export ORDO_ADMIN_DATABASE_URL=$admin KAFKA_BROKERS=$brokers
  if [[ -n "$service" ]]; then export DATABASE_URL=$service; fi
  say "test: on the servers the environment names"
  build
  run_shared
  count=$(cargo test "${everything[@]}" --test main -- destructive:: --list --format terse | grep -c ': test$' || true)
  say "not run: $count, because destructive:: tests stop and kill servers, and the environment names servers that are not ours"
}

one_at_a_time test
cd "$root"
forget_own_addresses
if [[ -n "${ORDO_ADMIN_DATABASE_URL:-}" && -n "${KAFKA_BROKERS:-}" ]]; then on_named_servers; else on_private_servers; fi
say "test: passed"
