#!/bin/sh
# Build and test skep in several ways; warnings are errors.  Ends with one line: N passed, N failed, N skipped.
#
#	scripts/check.sh [WAY...]		gcc asan aarch64 (the default), clang, tsan
#
# Every way has its own folder build-WAY; a way that does not build counts as one failure.  Compiling is most of
# the time, so each way covers several things:
#
#	gcc	optimised, as it is installed; the benchmark's programs through every engine beside native code
#	asan	clang, address and undefined-behaviour sanitizers, char unsigned, without what asks other programs (suite
#		plain).  Optimised is only what the tests run longest ("hot" in meson.build): clang takes four times as
#		long to optimise what the sanitizers insert.  A finding ends the program, which keeps that in bounds
#	aarch64	under an emulator, without what no machine changes (suite once) and without Linux (suite oracle);
#		optimised less, which takes half the time to compile
set -u
cd "$(dirname "$0")/.." || exit 1
[ $# -gt 0 ] || set -- gcc asan aarch64
version=$(sed -n "s/^ *version: '\(.*\)',$/\1/p" meson.build | head -n 1)
full='-Dcommand=enabled -Dexamples=enabled'

options_of() {
	case $1 in
	gcc) echo "$full -Ddebug=false -Dbench=enabled" ;;
	clang) echo "$full" ;;
	asan) echo "$full -Db_sanitize=address,undefined -Dprovoked=true -Doptimization=0 -Dc_args=['-g1','-funsigned-char','-fno-sanitize-recover=all']" ;;
	tsan) echo "$full -Db_sanitize=thread" ;;
	aarch64) echo "--cross-file=scripts/aarch64.ini -Dcommand=disabled -Dexamples=enabled -Ddebug=false -Doptimization=1" ;;
	*) echo "check.sh: no such way: $1" >&2; exit 2 ;;
	esac
}

export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:allocator_may_return_null=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1
export MESON_TESTTHREADS="${MESON_TESTTHREADS:-$(nproc)}"

compiler_of() {
	case $1 in clang|asan|tsan) echo clang-19 ;; *) echo gcc ;; esac
}

# With the sanitizers' runtime in each of a hundred programs, the linker counts.
linker_of() {
	case $1 in asan|tsan) echo lld ;; *) echo bfd ;; esac
}

# What a way leaves out: options of meson test.
left_out_of() {
	case $1 in
	aarch64) echo "--no-suite once --no-suite oracle" ;;
	asan|tsan) echo "--no-suite plain" ;;
	esac
}

# While one way is tested, the next one is built: tests alone do not keep all cores busy.
build() {
	mkdir -p "build-$1"
	rm -f "build-$1/meson-logs/testlog.json"
	# shellcheck disable=SC2046
	CC=$(compiler_of "$1") CC_LD=$(linker_of "$1") \
		scripts/build.sh "build-$1" -Dwerror=true $(options_of "$1") >"build-$1/build.log" 2>&1
}

start_build() {
	way_built=$1
	build "$1" &
	builder=$!
}

# next_of WAY WAYS...: the one after it
next_of() {
	this=$1
	shift
	while [ $# -gt 0 ] && [ "$1" != "$this" ]; do shift; done
	echo "${2:-}"
}

logs=
start_build "$1"
for way; do
	folder=build-$way
	logs="$logs $way=$folder/meson-logs/testlog.json"
	echo "== skep $version: $way: build"
	[ "$way_built" = "$way" ] || start_build "$way"
	built=0
	wait "$builder" || built=$?
	next=$(next_of "$way" "$@")
	[ -z "$next" ] || start_build "$next"
	if [ $built != 0 ]; then
		grep -E 'error|FAILED|ERROR' "$folder/build.log" | head -n 40 >&2
		echo "== skep $version: $way: did not build; all of it: $folder/build.log" >&2
		continue
	fi
	echo "== skep $version: $way: test"
	# shellcheck disable=SC2046
	meson test -C "$folder" --no-rebuild --quiet --print-errorlogs --timeout-multiplier 4 $(left_out_of "$way") |
		sed '/^$/d; /^[A-Z][A-Za-z ]*: *[0-9]* *$/d; /^Full log/d'
done
# shellcheck disable=SC2086
exec python3 scripts/summary.py $logs
