#!/bin/sh
# The selftests that attach to programs, judged with what they attach to: scripts/parity-into.txt.
#
#	scripts/parity-into.sh SKEP OBJECTS ARGUMENTS...
#
# OBJECTS: the folder.  Prints what skep verify --json ARGUMENTS prints of each.
set -u
skep=$1 objects=$2
shift 2
grep -v '^#' "$(dirname "$0")/parity-into.txt" | while read -r object into; do
	file=${into%%:*}
	[ -s "$objects/$object.bpf.o" ] || continue
	"$skep" verify --all --json "$@" --into "$objects/$file.bpf.o${into#"$file"}" "$objects/$object.bpf.o" </dev/null
	[ $? -lt 126 ] || exit 126
done
