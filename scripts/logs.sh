#!/usr/bin/env bash
# make logs: follows ordo's log; SERVICE=postgres or SERVICE=kafka that of a server.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/say.sh
source "$here/say.sh"
# shellcheck source=scripts/machine.sh
source "$here/machine.sh"

case "${SERVICE:-ordo}" in
  ordo) log="$local_dir/logs/ordo.log" ;;
  postgres | kafka) log="$local_dir/services/$SERVICE/log" ;;
  *) die "there is no log of '$SERVICE'" "make logs, make logs SERVICE=postgres or make logs SERVICE=kafka" ;;
esac
if [[ "${SERVICE:-ordo}" != ordo && "$(cat "$local_dir/services/$SERVICE/source" 2>/dev/null)" == docker ]]; then
  exec "$here/services/$SERVICE.sh" follow "$local_dir/services"
fi
[[ -e "$log" ]] || die "$log is not there: it was never started here" "make up"
exec tail -n 50 -F "$log"
