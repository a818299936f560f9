#!/bin/sh
# Configure a build folder if it is new, then build it.
#
#	scripts/build.sh FOLDER [meson setup options]
set -eu
folder=$1
shift
if [ ! -f "$folder/build.ninja" ]; then
	meson setup "$folder" "$@" >"${TMPDIR:-/tmp}/skep-setup.$$" 2>&1 || {
		cat "${TMPDIR:-/tmp}/skep-setup.$$" >&2
		rm -f "${TMPDIR:-/tmp}/skep-setup.$$"
		exit 1
	}
	rm -f "${TMPDIR:-/tmp}/skep-setup.$$"
fi
ninja -C "$folder"
