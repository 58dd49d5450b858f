#!/usr/bin/env bash
# make check: what needs no server. Shell, docker/compose.yaml, format, lints, documentation.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/say.sh
source "$here/say.sh"
# shellcheck source=scripts/machine.sh
source "$here/machine.sh"
# shellcheck source=scripts/dashboard.sh
source "$here/dashboard.sh"

# A minimal toolchain lacks both; adding them counts as installing.
components() {
  cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 && return
  { command -v rustup >/dev/null && { [[ $EUID -eq 0 ]] || agreed "Add rustfmt and clippy to the Rust toolchain?"; }; } ||
    die "rustfmt or clippy is missing from the Rust toolchain" "rustup component add rustfmt clippy"
  say "adding rustfmt and clippy to the toolchain"
  rustup component add rustfmt clippy || die "rustfmt and clippy could not be added" "rustup component add rustfmt clippy, and look at what it says"
}

# step <words> <next command> <command…>
step() {
  local words=$1 next=$2
  shift 2
  say "check: $words"
  "$@" || die "$words: not clean, for the reason above" "$next"
}

shell_syntax() {
  local script scripts=("$root"/.ci/run "$root"/scripts/*.sh "$root"/scripts/services/*.sh "$root"/docker/*.sh)
  for script in "${scripts[@]}"; do bash -n "$script" || return 1; done
  if command -v shellcheck >/dev/null; then
    shellcheck --severity=error --exclude=SC2148 --external-sources --source-path="$root" "${scripts[@]}"
  else
    say "check: shellcheck is not installed, so only the syntax was looked at"
  fi
}

# compose_schema: the program brings the schema along, so that nothing is fetched while checking.
compose_schema() {
  "$local_dir/tools/compose/bin/check-jsonschema" --builtin-schema vendor.compose-spec "$root/docker/compose.yaml"
}

need_cargo
cd "$root"
components
step "shell" "mend the script named above, then make check" shell_syntax
python_tools compose "$root/docker/requirements.txt" "checking docker/compose.yaml"
step "docker/compose.yaml" "mend what is named above, then make check" compose_schema
dashboard_packages
step "dashboard" "mend what is named above, or make dashboard and commit dashboard/dist; then make check" dashboard_is_built
step "format" "cargo fmt, then make check" cargo fmt --all --check
step "lints" "mend them, then make check" \
  cargo clippy --workspace --all-targets --features ordo/crash-points -- -D warnings
step "documentation" "mend the links and code named above, then make check" \
  env RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --workspace --lib --document-private-items
say "check: clean"
