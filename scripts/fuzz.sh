#!/usr/bin/env bash
# Runs every fuzz test of the repository for a while, one after the other, and says what each found.
#
#   scripts/fuzz.sh [TIME]      30s each unless said otherwise
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-30s}

status=0
while IFS=: read -r file name; do
	package=./$(dirname "$file")
	# Go would spend most of a short run on making inputs smaller that found new code, instead of on finding some.
	if out=$(go test "$package" -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 1x 2>&1); then
		runs=$(sed -n 's/.*execs: \([0-9]*\).*/\1/p' <<<"$out" | tail -n 1)
		printf '%-28s %-28s %10s runs, no finding\n' "$package" "$name" "${runs:-?}"
	elif [[ $out == *"context deadline exceeded"* && $out != *"Failing input"* ]]; then
		# Go now and then takes the end of the time for a failure (golang/go issue 75804, mended in Go 1.27).
		printf '%-28s %-28s no finding\n' "$package" "$name"
	else
		printf '%-28s %-28s FAILED\n%s\n' "$package" "$name" "$out"
		status=1
	fi
done < <(git ls-files '*_test.go' | xargs grep -Ho '^func Fuzz[A-Za-z0-9]*' | sed 's/func //' | sort)
exit $status
