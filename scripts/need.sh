#!/bin/sh
# Install the Debian packages that a target of the Makefile needs and that are missing; says so, and does
# nothing when all are there.
#
#	scripts/need.sh GROUP...
#
# Elsewhere than on Debian it only names what to install.
set -eu

packages_of() {
	case $1 in
	# gcc and meson build the library; libpcap and zlib the command; clang and the headers of libbpf the examples
	build) echo gcc libc6-dev binutils meson ninja-build pkg-config libpcap-dev zlib1g-dev clang-19 libbpf-dev ;;
	sanitizers) echo libclang-rt-19-dev lld ;;
	check) echo llvm-19 libclang-rt-19-dev lld gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user gcc-bpf iproute2 iputils-ping ;;
	lint) echo clang-tidy cppcheck ;;
	cover) echo gcovr ;;
	lab) echo qemu-system-x86 kmod cpio xz-utils gcc libc6-dev python3 meson ;;
	parity) echo linux-source-6.12 xz-utils clang-19 bpftool python3 libc6-dev libelf-dev zlib1g-dev ;;
	capture) echo iproute2 ethtool tcpdump curl python3 dnsmasq-base bind9-dnsutils iputils-ping nmap ;;
	*) echo "need.sh: no such group: $1" >&2; exit 2 ;;
	esac
}

wanted=
for group; do
	wanted="$wanted $(packages_of "$group")"
done

if ! command -v dpkg-query >/dev/null; then
	echo "skep: this is no Debian; make sure that you have what these packages hold:$wanted" >&2
	exit 0
fi

missing=
for package in $wanted; do
	case $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true) in
	*" installed") ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "skep: please install as root: apt-get install$missing" >&2
		exit 1
	fi
	sudo="sudo"
fi

apt() {
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"
}

echo "skep: installing Debian packages:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The package lists may be missing or old: ask for new ones only then.
# shellcheck disable=SC2086
if ! apt install -y --no-install-recommends $missing >"$log" 2>&1; then
	apt update >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
	apt install -y --no-install-recommends $missing >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
fi
