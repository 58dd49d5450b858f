#!/usr/bin/env bash
# make dashboard: dashboard/dist from dashboard/src. The result is committed, so that ordo is built without Node.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/say.sh
source "$here/say.sh"
# shellcheck source=scripts/machine.sh
source "$here/machine.sh"
# shellcheck source=scripts/dashboard.sh
source "$here/dashboard.sh"

dashboard_packages
cd "$root/dashboard"
npx --no-install tsc --noEmit || die "the dashboard has type errors, see above" "mend them, then make dashboard"
node build.mjs
say "dashboard: built, $(cat dist/* | gzip -9 | wc -c) bytes compressed"
