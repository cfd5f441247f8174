#!/usr/bin/env bash
# Installs a folder's npm packages as its package-lock.json says, and leaves that file alone.
#
#   scripts/npm.sh FOLDER
set -euo pipefail
cd "$(dirname "$0")/../$1"

echo "installing npm packages for $1" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
quiet=(--no-audit --no-fund --loglevel=error)

# `npm ci` wants the lock file to name the packages of every platform there is. Some lock files name one platform's only,
# though all that this one needs is locked: then `npm install` takes what is locked.
if ! npm ci "${quiet[@]}" >"$log" 2>&1 && ! npm install --no-save "${quiet[@]}" >>"$log" 2>&1; then
	cat "$log" >&2
	exit 1
fi
# Newer than the lock file from here on, which is how make knows that there is nothing to do.
touch node_modules/.package-lock.json
