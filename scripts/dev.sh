#!/usr/bin/env bash
# `peal dev` that is built and started again when a Go file, a migration or go.mod changes, with Vite serving the dashboard
# and reloading it in place. Ctrl-C ends both.
#
#   scripts/dev.sh [arguments of peal dev]
set -euo pipefail
cd "$(dirname "$0")/.."

built=$(mktemp)
server=
vite=

finish() {
	trap - EXIT INT TERM
	for pid in $server $vite; do kill "$pid" 2>/dev/null || true; done
	wait
	rm -f "$built"
	exit 0
}
trap finish EXIT INT TERM

changed() {
	find . \( -name node_modules -o -name '.?*' -o -path ./dashboard -o -path ./bin \) -prune -o \
		\( -name '*.go' -o -name '*.sql' -o -name go.mod \) -newer "$built" -print -quit | grep -q .
}

start() {
	touch "$built"
	# A build that does not succeed leaves the old server running, and shows what is wrong.
	go build -buildvcs=false -o bin/peal-dev ./cmd/peal || return 0
	if [ -n "$server" ]; then
		kill "$server" 2>/dev/null || true
		wait "$server" 2>/dev/null || true
	fi
	bin/peal-dev dev "$@" &
	server=$!
}

start "$@"
(cd dashboard && exec node_modules/.bin/vite --clearScreen false) &
vite=$!
while sleep 1; do
	if changed; then
		echo "--- changed: building again"
		start "$@"
	fi
done
