#!/bin/sh
# Run every fuzz target with libFuzzer: scripts/fuzz.sh [SECONDS [TARGET...]]
#
# What is found is kept in build-fuzz/corpus/TARGET and used again; an input that kills a target is kept as
# build-fuzz/TARGET-crash-*.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
[ $# -eq 0 ] || shift
CC=clang-19 scripts/build.sh build-fuzz -Dfuzz=true -Db_sanitize=address,undefined -Dcommand=enabled \
	-Dexamples=enabled -Dc_args='-fsanitize=fuzzer-no-link -fno-sanitize-recover=all' fuzz
# shellcheck disable=SC2046
[ $# -gt 0 ] || set -- $(cd build-fuzz/tests/fuzz && find . -maxdepth 1 -type f -name 'fuzz-*' -printf '%f\n' | sort)

failed=0
for target; do
	name=${target#fuzz-}
	corpus=build-fuzz/corpus/$name
	mkdir -p "$corpus"
	echo "== $name: $seconds s"
	if build-fuzz/tests/fuzz/"fuzz-$name" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 -max_len=65536 \
		-print_final_stats=1 -artifact_prefix="build-fuzz/$name-" "$corpus" build-fuzz/tests/fuzz/seeds-"$name" \
		>"build-fuzz/$name.log" 2>&1; then
		grep -E 'number_of_executed_units|new_units_added|peak_rss' "build-fuzz/$name.log"
	else
		tail -n 40 "build-fuzz/$name.log" >&2
		failed=$((failed + 1))
	fi
done
echo "$# fuzz targets, $failed failed"
[ "$failed" = 0 ]
