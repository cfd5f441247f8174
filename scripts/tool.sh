#!/usr/bin/env bash
# Installs a Go program at a pinned version into .tools/bin, unless it is there already.
#
#   scripts/tool.sh PACKAGE@VERSION
set -euo pipefail
cd "$(dirname "$0")/.."

package=${1%@*}
version=${1#*@}
name=$(basename "$package")
case $name in v[0-9]*) name=$(basename "$(dirname "$package")") ;; esac

# The go command writes the module's version into what it builds: "mod <tab> module <tab> version".
if go version -m ".tools/bin/$name" 2>/dev/null | grep -qE "^[[:space:]]+mod[[:space:]]+[^[:space:]]+[[:space:]]+${version//./\\.}([[:space:]]|$)"; then
	exit 0
fi
echo "installing $name $version" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! GOBIN="$PWD/.tools/bin" go install "$1" >"$log" 2>&1; then
	cat "$log" >&2
	exit 1
fi
