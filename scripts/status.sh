#!/usr/bin/env bash
# make status: what runs, its pid and address, where it came from, where its data is.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/say.sh
source "$here/say.sh"
# shellcheck source=scripts/machine.sh
source "$here/machine.sh"
# shellcheck source=scripts/services.sh
source "$here/services.sh"

row() { printf '%-9s %-8s %-8s %-44s %-12s %s\n' "$@"; }

if [[ -s "$local_dir/env" ]]; then
  # shellcheck source=/dev/null
  source "$local_dir/env"
fi

row server state pid address source data
if pid=$("$here/ordo.sh" pid); then
  row ordo running "$pid" "$ORDO_URL, ops $ORDO_OPS_URL" "this checkout" "in Postgres"
else
  row ordo stopped - - - -
fi
for server in postgres kafka; do
  if [[ -s "$local_dir/env" ]] && ! started_here "$server"; then
    address=$KAFKA_BROKERS
    if [[ $server == postgres ]]; then address=${DATABASE_URL##*@}; fi
    row "$server" "not ours" - "$address" environment -
  elif [[ -d "$local_dir/services/$server" ]]; then
    IFS=$'\t' read -r state pid address source data < <("$here/services/$server.sh" status "$local_dir/services")
    row "$server" "$state" "$pid" "$address" "$source" "$data"
  else
    row "$server" stopped - - - -
  fi
done
