#!/usr/bin/env bash
# make up: servers, release build, migration, service; ends when all is ready and leaves it running.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/say.sh
source "$here/say.sh"
# shellcheck source=scripts/machine.sh
source "$here/machine.sh"
# shellcheck source=scripts/services.sh
source "$here/services.sh"

services="$local_dir/services"
declare -A came_from=()

bring_servers() {
  local server own=()
  forget_own_addresses
  for server in postgres kafka; do
    if named_by_environment "$server"; then
      check_reachable "$server"
      came_from[$server]=environment
      say "$server: named by the environment, used as it is"
    else
      start_private "$server" "$services"
      came_from[$server]=$(<"$services/$server/source")
      own+=("$server")
    fi
  done
  export DATABASE_URL ORDO_ADMIN_DATABASE_URL KAFKA_BROKERS STARTED_HERE="${own[*]}"
}

build() {
  local features=()
  need_disk "$root" 2048 "the build"
  if [[ "${FAULTS:-}" == 1 ]]; then
    features=(--features crash-points)
    say "build: release, with the crash points (FAULTS=1)"
  else
    say "build: release (the first one takes minutes)"
  fi
  (cd "$root" && cargo build --release "${features[@]}") ||
    die "the build failed, for the reason above" "mend that, then make up"
  say "build: done"
}

# data_of <server>: whether its data survives a restart, and where it is.
data_of() {
  case "${came_from[$1]}" in
    environment) printf 'not ours to say' ;;
    docker) printf 'survives a restart, in a volume of the container' ;;
    local) printf 'survives a restart, in %s' "$("$here/services/$1.sh" status "$services" | cut -f 5)" ;;
  esac
}

# without_password <address>
without_password() { sed -E 's#(://[^:/@]+):[^@]*@#\1:…@#' <<<"$1"; }

summary() {
  local json="-H 'content-type: application/json'"
  # shellcheck source=/dev/null
  source "$local_dir/env"
  cat <<END

  REST      $ORDO_URL
  dashboard $ORDO_OPS_URL/  (the operators' listener: /ops/v1, /metrics)
  Postgres  $(without_password "$DATABASE_URL")  (${came_from[postgres]}; data $(data_of postgres))
  Kafka     $KAFKA_BROKERS  (${came_from[kafka]}; data $(data_of kafka))
  addresses and passwords for other programs: . .local/env

  Three things to try:
    curl -s -X POST $ORDO_URL/v1/products $json -d '{"productId":"mug","name":"Blue mug","price":{"amount":1250,"currency":"EUR"}}'
    curl -s -X POST $ORDO_URL/v1/inventory/mug/receipts $json -d '{"quantity":100}'
    curl -s -X POST $ORDO_URL/v1/orders $json -d '{"userId":"ada","items":[{"productId":"mug","quantity":2}]}'
  and read the order back:
    curl -s $ORDO_URL/v1/orders/<orderId>

  It keeps running: make logs · make status · make demo · make down
END
}

one_at_a_time services
say "make up in $root"
need_cargo
bring_servers
build
"$here/ordo.sh" start
summary
