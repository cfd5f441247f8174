#!/usr/bin/env bash
# Generates code beside the tree and fails when it differs from what is committed. Changes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
export PATH="$root/.tools/bin:$root/dashboard/node_modules/.bin:$PATH"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

status=0
for config in admin-api/buf.gen.yaml edge/rpc/buf.gen.yaml; do
	[ -f "$config" ] || continue
	dir=$(dirname "$config")
	(cd "$dir" && buf generate -o "$work/$dir")
	diff -r -u "$dir/gen" "$work/$dir/gen" >>"$work/diff" || status=1
done
# TypeScript is written through ../dashboard, so it has landed beside admin-api in the work folder.
if [ -d "$work/dashboard/src/gen" ]; then
	diff -r -u dashboard/src/gen "$work/dashboard/src/gen" >>"$work/diff" || status=1
fi
if [ $status -ne 0 ]; then
	head -n 60 "$work/diff" >&2
	echo "Generated code is not what the schema says: run \`make generate\` and commit the result." >&2
fi
exit $status
