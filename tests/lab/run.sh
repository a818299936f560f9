#!/bin/sh
# Run in the lab what tests/lab/plan.py listed; one line a test, then: N passed, N failed, N skipped.
#
#	tests/lab/run.sh PLAN
#
# As in meson: exit status 77 is a skipped test.  What a failed test printed is shown, of a skipped one the reason.
set -u
passed=0 failed=0 skipped=0
output=$(mktemp)

now() { # tenths of a second
	read -r uptime _ </proc/uptime
	echo "${uptime%.*}${uptime#*.}" | sed 's/.$//'
}

check() {
	name=$1 limit=$2 folder=$3
	shift 3
	printf '%-28s ' "$name"
	from=$(now)
	(cd "$folder" && exec timeout -k 5 "$limit" "$@") </dev/null >"$output" 2>&1
	code=$?
	took=$(($(now) - from))
	took=$((took / 10)).$((took % 10))
	case $code in
	0)
		passed=$((passed + 1))
		echo "ok       $took s"
		;;
	77)
		skipped=$((skipped + 1))
		echo "skipped  $took s: $(tail -n 1 "$output")"
		;;
	*)
		failed=$((failed + 1))
		[ $code != 124 ] || echo "not done after $limit s" >>"$output"
		echo "FAILED   $took s: exit status $code"
		sed 's/^/    /' "$output" | tail -n 60
		;;
	esac
}

# shellcheck source=/dev/null
. "$1"
rm -f "$output"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
