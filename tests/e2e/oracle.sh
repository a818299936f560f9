#!/bin/sh
# One program on one capture, by the live kernel and by skep: verdicts, packets and maps are the same.
#	oracle.sh KERNEL_RUN SKEP_RUN OBJECT PROGRAM CAPTURE [WORD...]
# Exit status 77 (skipped) where there is no bpf(2).
set -u
kernel_run=$1
skep_run=$2
shift 2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# per-CPU maps: both on CPU 0
pin='taskset -c 0'
command -v taskset >/dev/null || pin=
$pin "$kernel_run" "$@" >"$folder/kernel" || exit $?
"$skep_run" "$@" >"$folder/skep" || exit 1
# data maps have other names in the kernel
grep -v '^map [^ ]*\.' "$folder/kernel" | sort >"$folder/kernel.sorted"
grep -v '^map [^ ]*\.' "$folder/skep" | sort >"$folder/skep.sorted"
diff -u "$folder/kernel.sorted" "$folder/skep.sorted" >"$folder/diff" && exit 0
echo "the kernel (-) and skep (+) differ:"
head -n 40 "$folder/diff"
exit 1
