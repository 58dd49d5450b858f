#!/usr/bin/env bash
# make demo: the shop of `make up` with the fault panel on and the badge DEMO, things that are the matter with it, and then a
# few orders a second until Ctrl-C. ARGS='--rate 50 --seconds 30' go to `ordo demo`.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/say.sh
source "$here/say.sh"
# shellcheck source=scripts/machine.sh
source "$here/machine.sh"

export ORDO_SUBSCRIPTION__FAULT_PANEL=true ORDO_OPS__ENVIRONMENT=demo
"$here/up.sh"
# shellcheck source=/dev/null
source "$local_dir/env"
say "demo: open $ORDO_OPS_URL/ and take the tour"
# shellcheck disable=SC2086 # ARGS is a list of words
exec "$here/ordo.sh" run demo --trouble ${ARGS:-}
