#!/usr/bin/env bash
# make down: stops what make up started, in the order that lets each finish; data stays.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/say.sh
source "$here/say.sh"
# shellcheck source=scripts/machine.sh
source "$here/machine.sh"

services="$local_dir/services"
stopped=0

one_at_a_time services
if "$here/ordo.sh" pid >/dev/null; then
  "$here/ordo.sh" stop
  stopped=1
fi
for server in kafka postgres; do
  if pid=$("$here/services/$server.sh" pid "$services"); then
    say "$server: stopping (pid $pid)"
    "$here/services/$server.sh" stop "$services"
    say "$server: stopped, its data stays"
    stopped=1
  fi
done
if ((stopped == 0)); then say "nothing that make up started is running"; fi
