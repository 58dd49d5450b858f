# shellcheck shell=bash
# The dashboard's tools, for scripts that source this after say.sh and machine.sh: Node, its packages, a browser.

# need_node: what is there if it is new enough, else Debian's.
need_node() {
  is_node_new && return
  install_packages "building and testing the dashboard" nodejs npm
  is_node_new || die "Node is older than 18" "install Node 20 or newer, then the same command again"
}

is_node_new() {
  command -v npm >/dev/null && node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 18 ? 0 : 1)' 2>/dev/null
}

# dashboard_packages: as the lock file says, once for each state of it.
dashboard_packages() {
  local folder="$root/dashboard" log="$local_dir/logs/npm.log"
  need_node
  cmp -s "$folder/package-lock.json" "$folder/node_modules/.of" && return
  mkdir -p "$local_dir/logs"
  say "dashboard: fetching its packages (log: $log)"
  (cd "$folder" && npm ci --no-audit --no-fund --ignore-scripts) >"$log" 2>&1 || {
    last_lines "$log"
    die "the dashboard's packages could not be fetched" "look at what npm says above, then the same command again"
  }
  cp "$folder/package-lock.json" "$folder/node_modules/.of"
}

# need_browser: sets CHROMIUM.
need_browser() {
  local name
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
    if [[ -n "$name" ]] && command -v "$name" >/dev/null; then
      CHROMIUM=$(command -v "$name")
      export CHROMIUM
      return
    fi
  done
  install_packages "testing the dashboard in a real browser" chromium fonts-dejavu-core
  CHROMIUM=$(command -v chromium) || die "the package chromium brought no program of that name" "set CHROMIUM to a Chromium or Chrome, then the same command again"
  export CHROMIUM
}

# dashboard_is_built: the committed page is what its sources build.
dashboard_is_built() {
  local built="$local_dir/dashboard-dist"
  rm -rf "$built"
  (cd "$root/dashboard" && npx --no-install tsc --noEmit && node build.mjs --out "$built") || return 1
  diff -rq "$root/dashboard/dist" "$built"
}
