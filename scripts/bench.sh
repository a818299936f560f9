#!/bin/sh
# Build the benchmarks optimised, then run them: scripts/bench.sh [PROGRAM...]
set -eu
cd "$(dirname "$0")/.."
scripts/build.sh build-bench -Dbuildtype=release -Dbench=enabled -Dcommand=disabled -Dexamples=disabled
exec build-bench/bench/skep-bench build-bench/bench "$@"
