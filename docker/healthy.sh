#!/usr/bin/env bash
# Whether this container's ordo answers. The REST listener needs no token; a process without the role http has only the
# operators' one. Spoken by hand, since the image has no HTTP client.
#   healthy [port…]
set -euo pipefail

answers() {
  local line
  exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
  printf 'GET /livez HTTP/1.0\r\nHost: 127.0.0.1:%s\r\n\r\n' "$1" >&3
  read -r -t 3 line <&3 && [[ "$line" == "HTTP/1."[01]" 200"* ]]
}

if (($# == 0)); then set -- 8080 8081; fi
for port in "$@"; do
  if (answers "$port") 2>/dev/null; then exit 0; fi
done
printf 'no listener answers /livez with 200\n' >&2
exit 1
