#!/usr/bin/env bash
# Checks for what we cannot install: Go as go.mod wants it, and Node.
#
#   scripts/toolchain.sh [go] [node]
set -euo pipefail
cd "$(dirname "$0")/.."

# What Vite asks for.
node_min=20.19

for tool in "$@"; do
	case $tool in
	go)
		go_min=$(sed -n 's/^go //p' go.mod)
		if ! command -v go >/dev/null; then
			echo "Go $go_min or newer is needed, and there is no go on PATH: see https://go.dev/doc/install" >&2
			exit 1
		fi
		# Asked outside the module: inside it, the go command may stand for another version of itself.
		have=$(cd / && go env GOVERSION)
		have=${have#go}
		if [ "$(printf '%s\n' "$go_min" "${have%% *}" | sort -V | head -n 1)" != "$go_min" ] &&
			[ "$(cd / && go env GOTOOLCHAIN)" = local ]; then
			echo "Go $go_min or newer is needed, this is $have: see https://go.dev/doc/install" >&2
			exit 1
		fi
		;;
	node)
		if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
			echo "Node $node_min or newer with npm is needed for the dashboard, and is not on PATH: see https://nodejs.org" >&2
			exit 1
		fi
		have=$(node --version)
		have=${have#v}
		if [ "$(printf '%s\n' "$node_min" "$have" | sort -V | head -n 1)" != "$node_min" ]; then
			echo "Node $node_min or newer is needed for the dashboard, this is $have: see https://nodejs.org" >&2
			exit 1
		fi
		;;
	*)
		echo "toolchain.sh: unknown tool $tool" >&2
		exit 2
		;;
	esac
done
