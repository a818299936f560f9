#!/bin/sh
# What make install leaves behind is enough to build against: headers, libraries, pkg-config.
#	installed.sh BUILD_ROOT SOURCE COMPILER...
set -eu
build=$1
source=$2
shift 2
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
DESTDIR=$stage meson install -C "$build" --no-rebuild --quiet >/dev/null
pc=$(find "$stage" -name skep.pc)
root=$(sed -n 's/^prefix=//p' "$pc")
export PKG_CONFIG_PATH="${pc%/*}" PKG_CONFIG_SYSROOT_DIR="$stage"
[ -d "$stage$root/include/skep" ]

# shellcheck disable=SC2046
"$@" -Wall -Werror "$source" -o "$stage/shared" $(pkg-config --cflags --libs skep)
LD_LIBRARY_PATH=$(find "$stage" -name 'libskep.so' -printf '%h') "$stage/shared"
# shellcheck disable=SC2046
"$@" -Wall -Werror "$source" -o "$stage/static" $(pkg-config --cflags skep) "$(find "$stage" -name libskep.a)"
"$stage/static"
