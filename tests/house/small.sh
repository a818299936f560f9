#!/bin/sh
# The stripped command stays below 2 MB.
#	small.sh COMMAND
set -eu
stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
strip -o "$stripped" "$1"
size=$(wc -c <"$stripped")
echo "$1 stripped: $size bytes"
[ "$size" -lt $((2 * 1024 * 1024)) ]
