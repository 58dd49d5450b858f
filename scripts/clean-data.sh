#!/usr/bin/env bash
# make clean-data: deletes the data of the servers make up started for this checkout, after asking.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/say.sh
source "$here/say.sh"
# shellcheck source=scripts/machine.sh
source "$here/machine.sh"

services="$local_dir/services"
one_at_a_time services
found=()
for server in postgres kafka; do
  if [[ -d "$services/$server" ]]; then
    IFS=$'\t' read -r state _ _ _ data < <("$here/services/$server.sh" status "$services")
    found+=("$server")
    say "$server ($state): $data$(du -sh "$data" 2>/dev/null | sed -E 's/^([^\t]*).*/, \1/')"
  fi
done
if ((${#found[@]} == 0)); then
  say "there is no data of this checkout's own servers (servers named by the environment are left alone)"
  exit 0
fi
agreed "Stop ordo and these servers, and delete every order and event in them?" ||
  die "nothing was deleted: nobody said yes" "make clean-data at a keyboard, or ORDO_YES=1 make clean-data"
"$here/down.sh"
for server in "${found[@]}"; do
  "$here/services/$server.sh" wipe "$services"
  say "$server: data deleted"
done
