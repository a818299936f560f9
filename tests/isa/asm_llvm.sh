#!/bin/sh
# Our assembler and LLVM's make the same bytes of every instruction that both know.
#
#	asm_llvm.sh ASM-BYTES FILE...
set -eu
asm=$1
shift
for version in 22 21 20 19; do
	bin=/usr/lib/llvm-$version/bin
	[ -x $bin/llvm-mc ] && break
done
[ -x "$bin/llvm-mc" ] || { echo "skipped: no llvm-mc of version 19 or later"; exit 77; }

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$asm" corpus >"$dir/corpus.s"
lines=0
for file in "$dir/corpus.s" "$@"; do
	"$asm" bytes <"$file" >"$dir/ours"
	"$bin/llvm-mc" -triple=bpfel -mcpu=v4 -filetype=obj "$file" -o "$dir/object"
	"$bin/llvm-objcopy" -O binary --only-section=.text "$dir/object" "$dir/theirs"
	cmp "$dir/ours" "$dir/theirs" || {
		byte=$(cmp "$dir/ours" "$dir/theirs" | sed 's/.*byte \([0-9]*\),.*/\1/')
		echo "$file: differs in instruction $(((byte - 1) / 8))"
		"$bin/llvm-objdump" -d "$dir/object" | grep -A 2 "^ *$(((byte - 1) / 8)):"
		exit 1
	}
	lines=$((lines + $(wc -l <"$file")))
done
echo "$lines lines: the same bytes"
[ $lines -gt 5000 ]
