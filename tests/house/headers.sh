#!/bin/sh
# Every header can be included alone; the installed ones in strict C17 and in C++ too.
#	headers.sh ROOT COMPILER...
set -u
cd "$1" || exit 1
shift
status=0

# $1: header as it is included; then options
try() {
	included=$1
	shift
	echo "#include $included" | "$@" -fsyntax-only -Wall -Wextra -Werror - || {
		echo "$included cannot be included alone: $*"
		status=1
	}
}

for header in $(cd include && find skep -name '*.h'); do
	try "<$header>" "$@" -x c -std=c17 -pedantic -Iinclude
	if command -v g++ >/dev/null; then
		try "<$header>" g++ -x c++ -std=c++17 -Iinclude
	fi
done
for header in $(cd src && find . -name '*.h'); do
	try "\"${header#./}\"" "$@" -x c -std=gnu17 -Wno-unused -Iinclude -Isrc
done
exit $status
