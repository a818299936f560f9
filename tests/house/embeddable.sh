#!/bin/sh
# The libraries fit into any process: they need libc alone and define nothing but skep_ names.
#	embeddable.sh NM SHARED_LIBRARY STATIC_LIBRARY
set -eu
nm=$1
shared=$2
static=$3
status=0
for needed in $(readelf -dW "$shared" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
	case $needed in
	libc.so.*|ld-linux*) ;;
	*) echo "$shared needs $needed"; status=1 ;;
	esac
done

# $1: library, $2: its symbols
only_ours() {
	[ -n "$2" ] || { echo "$1 defines nothing"; status=1; }
	for symbol in $2; do
		case $symbol in
		skep_*) ;;
		*) echo "$1 defines $symbol"; status=1 ;;
		esac
	done
}

only_ours "$shared" "$("$nm" -D --defined-only -j "$shared")"
only_ours "$static" "$("$nm" -g --defined-only -j "$static" | grep -v ':$')"
exit $status
