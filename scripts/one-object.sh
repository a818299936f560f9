#!/bin/sh
# Make a static library of one object in which hidden symbols are local.
#	one-object.sh INPUT.a OUTPUT.a AR OBJCOPY COMPILER...
set -eu
input=$1
output=$2
ar=$3
objcopy=$4
shift 4
object=${output%.a}.o
rm -f "$output"
"$@" -r -nostdlib -o "$object" -Wl,--whole-archive "$input" -Wl,--no-whole-archive
"$objcopy" --localize-hidden "$object"
"$ar" rcs "$output" "$object"
rm -f "$object"
