#!/usr/bin/env bash
# Makes the token of the operators' listener: the token itself, readable by its owner only, and the hash of it that ordo is
# configured with. An existing token is kept. Use it with: curl -H "authorization: bearer $(cat docker/ops-token)" …
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
umask 077
if [[ ! -s ops-token ]]; then
  od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >ops-token
fi
hash=$(sha256sum <ops-token | cut -d ' ' -f 1)
printf "ORDO_OPS__TOKENS='[{name=\"ops\",role=\"admin\",sha256=\"%s\"}]'\n" "$hash" >ops-token.env
printf 'docker/ops-token holds the token, docker/ops-token.env its hash; neither belongs into git\n'
