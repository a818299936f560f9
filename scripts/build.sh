#!/bin/sh
# Configure a build folder if it is new, then build it.
#
#	scripts/build.sh FOLDER [-OPTION of meson setup...] [TARGET of ninja...]
set -eu
folder=$1
shift
options=
while [ $# -gt 0 ] && [ "${1#-}" != "$1" ]; do
	options="$options
$1"
	shift
done

if [ ! -f "$folder/build.ninja" ]; then
	mkdir -p "$folder"
	# one option a line: values may have blanks
	(
		IFS='
'
		set -f
		# shellcheck disable=SC2086
		exec meson setup "$folder" $options
	) >"$folder/setup.log" 2>&1 || {
		cat "$folder/setup.log" >&2
		exit 1
	}
fi
exec ninja -C "$folder" "$@"
