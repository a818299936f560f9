#!/bin/sh
# Agreement with Linux on Linux's own tests: compile the BPF programs of the kernel's selftests (Debian's package
# linux-source-6.12), ask skep and the kernel that runs for the verdict on each program, and compare.
#
#	scripts/parity.sh [BUILD [OBJECT...]]
#
# With OBJECTs, these are judged instead of the selftests.
# LAB=6.12 in the environment asks that kernel, in the emulator of scripts/lab.sh, instead of the one that runs.
# SKEP_PARITY='verifier_*' takes only the sources of that name.
# Who is not root compares with what the sources of the tests say should happen.
# Sources and objects stay in $SKEP_CACHE (~/.cache/skep) and are used again.  BUILD/parity/ has the verdicts on every
# program, as skep verify --json prints them: kernel.jsonl, skep.jsonl; and the lists of differences.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
cache=${SKEP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/skep}
version=6.12
only=${SKEP_PARITY:-*}
lab=${LAB:-}
least=690
tree=$cache/linux-source-$version
tests=$tree/tools/testing/selftests/bpf
objects=$cache/selftests-$version
headers=$cache/headers-$version

unpack() {
	[ -d "$tests/progs" ] && return
	echo "skep: unpacking the selftests of linux-source-$version into $cache"
	mkdir -p "$cache"
	tar -C "$cache" -xf "/usr/src/linux-source-$version.tar.xz" --wildcards "linux-source-$version/tools/*" \
		"linux-source-$version/scripts/bpf_doc.py" "linux-source-$version/include/uapi/*"
}

# vmlinux.h of the kernel that runs: the programs are made for it.
make_headers() {
	mkdir -p "$headers/bpf"
	cp "$tree"/tools/lib/bpf/*.h "$headers/bpf/"
	python3 "$tree/scripts/bpf_doc.py" --header --file "$tree/tools/include/uapi/linux/bpf.h" \
		>"$headers/bpf/bpf_helper_defs.h" 2>/dev/null
	bpftool btf dump file /sys/kernel/btf/vmlinux format c >"$headers/vmlinux.h"
}

compile() {
	clang-19 -g -O2 -w -target bpf -mcpu=v3 -std=gnu11 -fno-strict-aliasing -D__TARGET_ARCH_x86 -DENABLE_ATOMICS_TESTS \
		-I"$headers" -I"$tests" -I"$tests/progs" -I"$tree/tools/include/uapi" -I"$tree/tools/include" \
		-I/usr/include/x86_64-linux-gnu -c "$1" -o "$2.tmp" 2>"$2.err" && mv "$2.tmp" "$2"
}

compile_all() {
	total=$(find "$tests/progs" -name "$only.c" | wc -l)
	n=0
	mkdir -p "$objects"
	for source in "$tests"/progs/$only.c; do
		n=$((n + 1))
		object=$objects/$(basename "$source" .c).bpf.o
		[ ! -t 2 ] || printf '\rskep: compiling %d of %d' "$n" "$total" >&2
		[ -s "$object" ] || [ -e "$object.err" ] || compile "$source" "$object" || true
	done
	[ ! -t 2 ] || printf '\r\033[K' >&2
}

# on_kernel COMMAND...: on the kernel that is to be compared with
on_kernel() {
	if [ -n "$lab" ]; then
		scripts/lab.sh --kernel "$lab" --timeout 14400 "$@"
	else
		"$@"
	fi
}

# verdicts NAME COMMAND...: what it prints, in the folder of results; a program that is rejected is no failure
verdicts() {
	name=$1
	shift
	status=0
	"$@" >"$out/$name.jsonl" 2>"$out/$name.err" || status=$?
	[ $status -lt 126 ] || { echo "skep: skep verify died with status $status" >&2; exit 1; }
}

# add_verdicts NAME COMMAND...: of programs that may be there already: what comes later counts
add_verdicts() {
	known=$out/$1.jsonl
	added=$1-into
	shift
	verdicts "$added" "$@"
	cat "$out/$added.jsonl" >>"$known"
}

[ $# -lt 1 ] || shift
out=$build/parity
mkdir -p "$out"
if [ $# -gt 0 ]; then
	total=$#
	least=0
else
	unpack
	[ -s "$headers/vmlinux.h" ] || make_headers
	compile_all
	# shellcheck disable=SC2086
	set -- "$objects"/$only.bpf.o
	[ "$only" = "*" ] || least=0
fi
# the figures of a whole run, as root, against the kernel that runs, are kept
doc=
[ "$least" = 0 ] || [ -n "$lab" ] || [ "$(id -u)" != 0 ] || doc="--doc docs/parity.md"
target=
if [ -n "$lab" ]; then
	target="--target linux-$lab --btf $out/vmlinux-$lab"
	[ -s "$out/vmlinux-$lab" ] ||
		scripts/lab.sh --kernel "$lab" cat /sys/kernel/btf/vmlinux >"$out/vmlinux-$lab"
fi
echo "skep: judging the programs of $# objects"
# shellcheck disable=SC2086
verdicts skep "$build/skep" verify --all --json $target "$@"
# shellcheck disable=SC2086
[ "$least" = 0 ] || add_verdicts skep scripts/parity-into.sh "$build/skep" "$objects" $target
if [ -n "$lab" ] || [ "$(id -u)" = 0 ]; then
	echo "skep: loading them into Linux ${lab:-$(uname -r)}"
	verdicts kernel on_kernel "$build/skep" verify --engine kernel --all --json "$@"
	[ "$least" = 0 ] || add_verdicts kernel on_kernel scripts/parity-into.sh "$build/skep" "$objects" --engine kernel
	kernel=$out/kernel.jsonl
fi
# shellcheck disable=SC2086
python3 scripts/parity.py --skep "$out/skep.jsonl" --errors "$out/skep.err" --kernel "${kernel:-}" --out "$out" \
	--sources "$total" --least $least --causes scripts/parity-causes.txt $doc "$@"
