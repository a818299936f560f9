#!/bin/sh
# Agreement with Linux on its table-style tests: programs that test_verifier (of the kernel's selftests, in Debian's
# package linux-source-6.12) makes in memory.  It runs as it is, with a library loaded before it that writes down what
# it gives to bpf(2) and what Linux answers; skep judges the same and its verdicts are compared.
#
#	scripts/parity-tables.sh [BUILD]
#
# Needs root.  LAB=6.12 in the environment asks that kernel, in the emulator of scripts/lab.sh.
# All programs are loaded once more with CAP_BPF, but without CAP_PERFMON.
# Tests for users without privileges are run where kernel.unprivileged_bpf_disabled is 0; this script does not change
# it, but inside of the emulator.
# Sources and the test program stay in $SKEP_CACHE (~/.cache/skep) and are used again; the loads and the differences
# are in BUILD/parity/: tables.loads, tables.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
cache=${SKEP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/skep}
version=6.12
lab=${LAB:-}
tree=$cache/linux-source-$version
tests=$tree/tools/testing/selftests/bpf
made=$cache/tables-$version
out=$build/parity

unpack() {
	[ -e "$tests/test_verifier.c" ] && [ -e "$tree/kernel/bpf/disasm.c" ] && return
	echo "skep: unpacking the table-style tests of linux-source-$version into $cache"
	mkdir -p "$cache"
	tar -C "$cache" -xf "/usr/src/linux-source-$version.tar.xz" --wildcards "linux-source-$version/tools/*" \
		"linux-source-$version/scripts/bpf_doc.py" "linux-source-$version/include/uapi/*" \
		"linux-source-$version/kernel/bpf/disasm.*"
}

# The kernel's own Makefile of the selftests builds all of them, and a kernel module: so only what is needed, by hand.
compile() {
	[ -x "$made/test_verifier" ] && return
	echo "skep: compiling test_verifier"
	mkdir -p "$made/include/bpf" "$made/include/verifier"
	python3 "$tree/scripts/bpf_doc.py" --header --file "$tree/tools/include/uapi/linux/bpf.h" \
		>"$made/include/bpf/bpf_helper_defs.h" 2>/dev/null
	cp "$tree"/tools/lib/bpf/*.h "$made/include/bpf/"
	(cd "$tests/verifier" && ls ./*.c) |
		awk 'BEGIN { print "#ifdef FILL_ARRAY" } { printf "#include \"%s\"\n", $0 } END { print "#endif" }' \
			>"$made/include/verifier/tests.h"
	# there is no test module here; what needs it is refused by both
	echo 'int __wrap_load_bpf_testmod(int v) { return v - v; } int __wrap_unload_bpf_testmod(int v) { return v - v; }' \
		>"$made/no-module.c"
	flags="-g -O0 -w -D_GNU_SOURCE -Du32=__u32 -I$made/include -I$tests -I$tests/verifier -I$tree/tools/include \
-I$tree/tools/include/uapi -I$tree/tools/lib"
	for source in "$tree"/tools/lib/bpf/*.c; do
		# shellcheck disable=SC2086
		cc -O1 -w -D_GNU_SOURCE -D_LARGEFILE64_SOURCE -D_FILE_OFFSET_BITS=64 -I"$made/include/bpf" -I"$tree/tools/include" \
			-I"$tree/tools/include/uapi" -c "$source" -o "$made/libbpf-$(basename "$source" .c).o"
	done
	# shellcheck disable=SC2086
	cc ${flags} -I"$tree/kernel/bpf" "$tests/test_verifier.c" "$tests/testing_helpers.c" "$tests/cap_helpers.c" \
		"$tests/unpriv_helpers.c" "$tree/kernel/bpf/disasm.c" "$made/no-module.c" "$made"/libbpf-*.o \
		-Wl,--wrap=load_bpf_testmod,--wrap=unload_bpf_testmod -lelf -lz -lpthread -o "$made/test_verifier.tmp"
	mv "$made/test_verifier.tmp" "$made/test_verifier"
}

# What it loads, to standard output; in the emulator, where all is gone afterwards, by users without privileges, too.
# Everything is slow there: no program is loaded twice.
# shellcheck disable=SC2016
run='cd "$(mktemp -d)"
if [ -n "${LAB:-}" ]; then echo 0 >/proc/sys/kernel/unprivileged_bpf_disabled; else export SKEP_CAPTURE_TWICE=1; fi
SKEP_CAPTURE=loads LD_PRELOAD=$1 "$2" >/dev/null 2>&1 || true
cat loads; rm loads'

if [ -z "$lab" ] && [ "$(id -u)" != 0 ]; then
	echo "skep: the table-style tests are left out: only root may load them"
	exit 0
fi
library=$(readlink -f "$build/tests/oracle/libcapture.so")
[ -n "$library" ] || { echo "skep: $build has no tests/oracle/libcapture.so" >&2; exit 1; }
unpack
compile
mkdir -p "$out"
target=
echo "skep: running test_verifier on Linux ${lab:-$(uname -r)}"
if [ -n "$lab" ]; then
	target="--target linux-$lab --btf $out/vmlinux-$lab"
	[ -s "$out/vmlinux-$lab" ] ||
		scripts/lab.sh --kernel "$lab" cat /sys/kernel/btf/vmlinux >"$out/vmlinux-$lab"
	scripts/lab.sh --kernel "$lab" --timeout 3600 sh -c "$run" sh "$library" "$made/test_verifier" >"$out/tables.loads"
else
	sh -c "$run" sh "$library" "$made/test_verifier" >"$out/tables.loads"
	[ "$(cat /proc/sys/kernel/unprivileged_bpf_disabled)" = 0 ] ||
		echo "skep: kernel.unprivileged_bpf_disabled is not 0: no tests without privileges"
fi
status=0
# 16777215: the log that test_verifier asks for; what else it loads are libbpf's questions what there is
# shellcheck disable=SC2086
"$build/tests/oracle/oracle-loads" --log-size 16777215 $target "$out/tables.loads" >"$out/tables" || status=$?
[ $status -lt 2 ] || { echo "skep: oracle-loads died with status $status" >&2; exit 1; }
cat "$out/tables"
exit $status
