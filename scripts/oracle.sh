#!/bin/sh
# Random programs and random map operations, ours against the running kernel's: scripts/oracle.sh [SECONDS [SEED]]
#
# Then random programs under sanitizers, in our engines alone: make check has time for few of them.  Each takes
# SECONDS (60).  SEED says where the seeds begin (the time, so that every run tries others); one seed is one program
# or one history of a map, and a difference prints the command that repeats it.  Programs that differ are written to
# build-oracle/ as case files.  Needs bpf(2), as root has it; says so where it is refused.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
seed=${2:-$(date +%s)000000}
scripts/build.sh build-oracle -Dcommand=disabled -Dexamples=disabled \
	tests/oracle/oracle-programs tests/maps/test-maps-oracle >/dev/null

failed=0
run() {
	status=0
	"$@" || status=$?
	case $status in 0 | 77) ;; *) failed=$((failed + 1)) ;; esac
}
echo "== programs: $seconds s"
run build-oracle/tests/oracle/oracle-programs --seed "$seed" --count 1000000000 --inputs 64 --seconds "$seconds" \
	--cases build-oracle
echo "== changed programs, verdicts and claims: $seconds s"
run build-oracle/tests/oracle/oracle-programs --mutate --claims --seed "$seed" --count 1000000000 --inputs 8 \
	--seconds "$seconds" --cases build-oracle
echo "== map operations: $seconds s"
run build-oracle/tests/maps/test-maps-oracle "$seed" 1000000000 "$seconds"

sanitized=build-oracle-asan/tests
CC=clang-19 scripts/build.sh build-oracle-asan -Dcommand=disabled -Dexamples=disabled -Db_sanitize=address,undefined \
	-Dc_args=-fno-sanitize-recover=all tests/oracle/oracle-programs tests/exec/test-random tests/opt/test-agree >/dev/null
echo "== changed programs, claims, under sanitizers: $seconds s"
run $sanitized/oracle/oracle-programs --no-kernel --mutate --claims --seed "$seed" --count 1000000000 --inputs 8 \
	--seconds "$seconds" --cases build-oracle
echo "== programs that nobody verified, in every engine and as intermediate form: some $seconds s"
run $sanitized/exec/test-random "$seed" $((seconds * 3000))
run $sanitized/opt/test-agree "$seed" $((seconds * 3000))
[ "$failed" = 0 ]
