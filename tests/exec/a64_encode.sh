#!/bin/sh
# What the aarch64 encoder writes is what binutils reads.
#
#	a64_encode.sh TEST-A64-ENCODE
set -eu
objdump=$(command -v aarch64-linux-gnu-objdump) || { echo "skipped: no aarch64-linux-gnu-objdump"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$1" "$dir/words" "$dir/wanted"
"$objdump" -D -b binary -m aarch64 -M no-aliases "$dir/words" |
	sed -n 's/^ *[0-9a-f]*:\t[0-9a-f]* *\t//p' | sed 's/\t/ /; s,[ \t]*//.*,,; s/ *<.*>//' >"$dir/got"
diff "$dir/wanted" "$dir/got" | head -20
cmp -s "$dir/wanted" "$dir/got"
echo "$(wc -l <"$dir/got") instructions: the same text"
