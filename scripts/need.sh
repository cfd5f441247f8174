#!/usr/bin/env bash
# Makes sure that programs are there, and installs the Debian packages of those that are not.
#
#   scripts/need.sh PACKAGE=PROGRAM[,PROGRAM…] …
#
# Any one of the programs will do; one with a slash may be a pattern of file names. Says nothing when nothing is missing.
# Installs as root, or by sudo where that asks for no password; otherwise says what to install, and ends with 1.
set -euo pipefail

have() {
	local program
	for program in ${1//,/ }; do
		case $program in
		*/*) compgen -G "$program" >/dev/null && return 0 ;;
		*) command -v "$program" >/dev/null && return 0 ;;
		esac
	done
	return 1
}

missing=()
for wanted in "$@"; do
	have "${wanted#*=}" || missing+=("${wanted%%=*}")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
	as_root=(sudo -n)
	if ! sudo -n true 2>/dev/null; then
		as_root=()
		can_install=no
	fi
fi
if [ "${can_install:-yes}" = no ] || ! command -v apt-get >/dev/null; then
	echo "Missing: ${missing[*]}. Install it (Debian, Ubuntu: apt-get install ${missing[*]}; elsewhere the package of that name) and try again." >&2
	exit 1
fi

echo "installing ${missing[*]}" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Another apt-get may be at work: wait for it rather than fail. Nothing is asked, nothing beyond what is needed comes along.
apt() {
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
		apt-get -qq -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1
}

# The lists of a fresh machine are missing or old, but fetching them is slow: only when the first attempt fails.
if ! apt install -y --no-install-recommends "${missing[@]}"; then
	if ! { apt update && apt install -y --no-install-recommends "${missing[@]}"; }; then
		tail -n 20 "$log" >&2
		echo "Could not install ${missing[*]}." >&2
		exit 1
	fi
fi

for wanted in "$@"; do
	if ! have "${wanted#*=}"; then
		echo "The package ${wanted%%=*} is installed, but there is no ${wanted#*=}." >&2
		exit 1
	fi
done
