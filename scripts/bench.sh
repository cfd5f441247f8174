#!/usr/bin/env bash
# Measures Peal beside a server written the plain way (bench/plain) and writes the figures into docs/performance.md:
# both servers on one core, the load on another, in interleaved rounds.
#
#   scripts/bench.sh [--quick] [--rounds N] [--keep FOLDER]
#
# --quick takes a bit over a minute, for a look; the whole takes less than ten. --keep keeps what was measured as JSON. It starts its
# own servers on free ports, with data in a temporary folder, and ends no process but those.
set -euo pipefail
cd "$(dirname "$0")/.."

quick='' rounds=4 keep=''
while [ $# -gt 0 ]; do
	case $1 in
	--quick) quick=1 rounds=1 ;;
	--rounds) rounds=${2:?--rounds needs a number} && shift ;;
	--keep) keep=${2:?--keep needs a folder} && shift ;;
	*) echo "bench.sh: there is no option $1" >&2 && exit 2 ;;
	esac
	shift
done
command="scripts/bench.sh${quick:+ --quick} --rounds $rounds"

work=$(mktemp -d)
out=${keep:-$work/figures}
mkdir -p "$out"
peal_pid='' plain_pid='' load_pid='' ops=''

# stop ends a process of ours and waits for it.
stop() {
	if [ -n "$1" ]; then
		kill "$1" 2>/dev/null || true
		wait "$1" 2>/dev/null || true
	fi
}
finish() {
	trap - EXIT INT TERM
	stop "$load_pid"
	stop "$plain_pid"
	stop "$peal_pid"
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

say() { echo "bench: $*" >&2; }
now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# With two cores the server has one to itself and the load the other; else they share, and the document says so.
server_core=() load_core=() pinned=no
if [ "$(getconf _NPROCESSORS_ONLN)" -ge 2 ] && command -v taskset >/dev/null; then
	server_core=(taskset -c 0) load_core=(taskset -c 1) pinned=yes
fi

# wait_for_line waits until a file has a line, while a process lives.
wait_for_line() {
	for _ in $(seq 3000); do
		[ -s "$1" ] && return
		kill -0 "$2" 2>/dev/null || break
		sleep 0.02
	done
	say "a server did not start:" && cat "$work"/*.log >&2
	exit 1
}

start_plain() {
	: >"$work/plain.addr"
	GOMAXPROCS=1 "${server_core[@]}" "$work/plain" >"$work/plain.addr" 2>"$work/plain.log" &
	plain_pid=$!
	wait_for_line "$work/plain.addr" "$plain_pid"
	plain=plain=$(cat "$work/plain.addr"),pid=$plain_pid
}

# A presence channel of the demo app may have a thousand members, so that the scenario of joins fits.
cat >"$work/seed.yaml" <<'YAML'
tenants:
  - name: Demo
    apps:
      - id: "1"
        name: Demo app
        limits: {presence_members: 1000}
YAML

# The private PostgreSQL is a process of its own, which the pid leaves out; it has nothing to do while messages pass.
start_peal() {
	: >"$work/peal.json"
	GOMAXPROCS=1 "${server_core[@]}" "$work/peal" dev --data "$work/data" --seed "$work/seed.yaml" --edge-addr 127.0.0.1:0 \
		--control-addr 127.0.0.1:0 --ops-addr 127.0.0.1:0 --json >"$work/peal.json" 2>"$work/peal.log" &
	peal_pid=$!
	wait_for_line "$work/peal.json" "$peal_pid"
	local url
	url=$(sed -n 's/.*"edge_url":"\([^"]*\)".*/\1/p' "$work/peal.json")
	peal=peal=${url#http://},pid=$peal_pid
	ops=$(sed -n 's/.*"ops_url":"\([^"]*\)".*/\1/p' "$work/peal.json")
}

restart() {
	stop "$plain_pid"
	stop "$peal_pid"
	start_plain
	start_peal
}

# measure runs a scenario and keeps its result, and the reason where it did not end well.
measure() {
	local name=$1
	shift
	say "$name"
	# In the background, so that a signal to this script is not kept waiting.
	timeout 180 "${load_core[@]}" "$work/peal" bench "$@" --app-id 1 --key peal-dev-key --secret peal-dev-secret \
		-o json >"$out/$name.json" 2>"$work/bench.log" &
	load_pid=$!
	if ! wait "$load_pid"; then
		tail -n 1 "$work/bench.log" | tee "$out/$name.failed" >&2
	fi
	load_pid=''
}
compare() { measure "$@" --target "$plain" --target "$peal"; }

say "building"
build=(go build -buildvcs=false -trimpath)
"${build[@]}" -o "$work/peal" ./cmd/peal
"${build[@]}" -o "$work/plain" ./bench/plain/cmd/plain
"${build[@]}" -o "$work/benchdoc" ./scripts/benchdoc

{
	echo "processor: $(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1)"
	echo "cores: $(getconf _NPROCESSORS_ONLN)"
	echo "system: $(uname -sm)"
	echo "go: $(go env GOVERSION)"
	echo "version: $(git describe --tags --always --dirty 2>/dev/null || echo unknown)"
	echo "pinned to cores: $pinned"
	echo "load before: $(cut -d ' ' -f 1 /proc/loadavg 2>/dev/null || echo unknown)"
	echo "command: $command"
} >"$out/machine.txt"

say "time to the first event"
began=$(now_ms)
start_peal
ready=$(now_ms)
measure first fanout --target "$peal" --subscribers 1 --window 1 --messages 1 --warmup 1s --duration 1s
first=$(now_ms)
stop "$peal_pid"
peal_pid=''
again=$(now_ms)
start_peal
{
	echo "peal dev on a new data folder, until it is ready: $((ready - began)) ms"
	echo "the same, until a subscriber has heard its first event: $((first - began)) ms"
	echo "peal dev on an existing data folder, until it is ready: $(($(now_ms) - again)) ms"
} >"$out/start.txt"

length=(--rounds "$rounds" --warmup 1s --duration 3s)
idle_rounds=$((rounds < 3 ? rounds : 3))
if [ -n "$quick" ]; then length=(--rounds "$rounds" --warmup 500ms --duration 1s); fi

# Memory is compared with that of an empty process, so each round has fresh ones.
for i in $(seq "$idle_rounds"); do
	restart
	compare "idle-$i" idle --subscribers 10000 --settle 3s
done
restart
compare fanout-16 fanout --window 16 "${length[@]}"
compare fanout-1 fanout --window 1 "${length[@]}"
compare rate-20 fanout --rate 20 "${length[@]}"
compare connect connect --subscribers 5000 --rounds "$rounds"
compare publish publish "${length[@]}"
compare channels channels "${length[@]}"
compare presence presence "${length[@]}"
# The system takes two megabytes or three for a reader that does not read; only then does the server notice.
beside=(fanout --target "$peal" --rate 25 --size 8192 --warmup 14s --duration 6s)
if [ -z "$quick" ]; then
	measure unslowed "${beside[@]}"
	measure slowed "${beside[@]}" --slow 10
fi
if [ -z "$quick" ]; then
	for n in 100 1000 5000 15000; do
		# Not both at once: so many sockets would be more than a process may have.
		measure "size-$n" fanout --target "$peal" --subscribers "$n" --window 16 --warmup 1s --duration 4s
		measure "plain-$n" fanout --target "$plain" --subscribers "$n" --window 16 --warmup 1s --duration 4s
	done
fi
# Where the time goes while a thousand sockets hear as fast as they can.
(sleep 2 && PPROF_TMPDIR="$work" go tool pprof -proto -output "$work/cpu.pprof" "$ops/debug/pprof/profile?seconds=3") >/dev/null 2>&1 &
fetch_pid=$!
measure profiled fanout --target "$peal" --window 16 --warmup 1s --duration 6s
if wait "$fetch_pid"; then
	go tool pprof -top -nodecount=16 "$work/peal" "$work/cpu.pprof" 2>/dev/null | sed -n '/flat%/,$p' >"$out/profile.txt"
fi
stop "$plain_pid"
stop "$peal_pid"
plain_pid='' peal_pid=''

say "Go benchmarks"
go test -run '^$' -bench 'HubDeliver|Publish|Events|Verify' -benchmem -benchtime "$([ -n "$quick" ] && echo 50ms || echo 500ms)" \
	./channels ./edge/publish ./edge/httpapi ./pusher >"$out/go.txt" || say "the Go benchmarks did not finish"

"$work/benchdoc" -figures "$out" -document docs/performance.md
say "docs/performance.md has the figures"
