#!/bin/sh
# Another Linux: boot a kernel of Debian's in an emulator, run one command in it, bring out what it prints.
#
#	scripts/lab.sh [--kernel 6.12|6.1] [--timeout SECONDS] [--build FOLDER] [COMMAND [ARGUMENT...]]
#
# Without a command: the oracle tests of FOLDER (build), which is built already.  Inside, the command is root and sees
# this machine's files; what it writes to them stays in memory and is gone afterwards.  Kernels are downloaded once and
# unpacked, never installed, to ~/.cache/skep/lab.  Exit status: the command's; 124: not done in time; 125: the lab
# itself failed.  LAB_ACCEL=kvm where that works; without, everything is emulated.  docs/lab.md.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/skep/lab
kernel=6.12
timeout=1800
build=build

say() {
	echo "skep lab: $*" >&2
}

fail() {
	say "$*"
	exit 125
}

usage() {
	sed -n 's/^#\t\(scripts.*\)/usage: \1/p' "$0" >&2
	exit 2
}

while [ $# -gt 0 ]; do
	case $1 in
	--kernel | --timeout | --build)
		[ $# -ge 2 ] || usage
		case $1 in
		--kernel) kernel=$2 ;;
		--timeout) timeout=$2 ;;
		--build) build=$2 ;;
		esac
		shift 2
		;;
	--)
		shift
		break
		;;
	-*) usage ;;
	*) break ;;
	esac
done

# The newest package of that kernel that apt knows: linux-image-6.1.0-47-amd64, not its -rt-, -cloud-, -dbg.
newest_package() {
	apt-cache pkgnames "linux-image-$kernel" |
		grep -E "^linux-image-$(echo "$kernel" | sed 's/\./\\./g')\.[0-9][^-]*(-[0-9]+)?-amd64\$" | sort -V | tail -n 1
}

# What the emulator boots, and the modules that somebody may ask for: no drivers of real devices.
unpack_kernel() {
	package=$(newest_package)
	[ -n "$package" ] || fail "apt knows no package linux-image-$kernel.*-amd64 (apt-get update?)"
	new=$(mktemp -d "$cache/new.XXXXXX")
	say "downloading $package"
	(cd "$new" && apt-get -q download "$package") >"$new/log" 2>&1 || {
		cat "$new/log" >&2
		fail "cannot download $package (apt-get update?)"
	}
	dpkg-deb --fsys-tarfile "$new"/*.deb | tar -x -C "$new" --wildcards \
		--exclude='*/sound' --exclude='*/drivers/[ad-mo-uw-z]*' --exclude='*/drivers/video' --exclude='*/drivers/net/*/*' \
		'./boot/vmlinuz-*' './lib/modules/*' || fail "cannot unpack $package"
	mv "$new"/boot/vmlinuz-* "$new/vmlinuz"
	depmod -b "$new" "$(ls "$new/lib/modules")"
	rm -rf "$new"/*.deb "$new/log" "${new:?}/boot"
	chmod 755 "$new"
	mv "$new" "$cache/$kernel" 2>/dev/null || rm -rf "$new" # somebody else was faster
}

# The first process, and the modules without which there is no file system and no way out.
pack_initramfs() {
	root=$(mktemp -d "$cache/root.XXXXXX")
	release=$(ls "$home/lib/modules")
	${CC:-cc} -static -Os -Wall -o "$root/init" "$top/tests/lab/init.c" || fail "cannot compile tests/lab/init.c"
	: >"$root/needed"
	for module in virtio_pci virtio_console 9pnet_virtio 9p overlay; do
		modprobe -d "$home" -S "$release" --show-depends "$module" >>"$root/needed" ||
			fail "Linux $release has no $module"
	done
	# "insmod PATH", or "builtin NAME"
	sed -n 's/^insmod \([^ ]*\).*/\1/p' "$root/needed" | awk '!seen[$0]++' | while read -r path; do
		name=$(basename "$path" .xz)
		case $path in
		*.xz) xz -dc "$path" >"$root/$name" ;;
		*) cp "$path" "$root/$name" ;;
		esac
		echo "/$name" >>"$root/modules"
	done
	(cd "$root" && find . | cpio -o -H newc --quiet) >"$root.cpio"
	mv "$root.cpio" "$home/initramfs"
	rm -rf "$root"
}

quoted() {
	for word; do
		printf "'%s' " "$(printf %s "$word" | sed "s/'/'\\\\''/g")"
	done
}

# What the first process hands to sh.
write_command() {
	echo "export PATH=$(quoted "$PATH") HOME=$(quoted "$HOME") LAB=$kernel"
	echo "cd $(quoted "$PWD")"
	echo "exec $(quoted "$@")"
}

"$top/scripts/need.sh" lab >&2
mkdir -p "$cache"
home=$cache/$kernel
[ -d "$home" ] || unpack_kernel
if [ ! -e "$home/initramfs" ] || [ -n "$(find "$top/tests/lab/init.c" -newer "$home/initramfs")" ]; then
	pack_initramfs
fi

run=$(mktemp -d)
qemu=
trap 'rm -rf "$run"; [ -z "$qemu" ] || kill "$qemu" 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM

if [ $# -eq 0 ]; then
	python3 "$top/tests/lab/plan.py" "$build" >"$run/plan" || fail "no tests in $build (make first)"
	set -- "$top/tests/lab/run.sh" "$run/plan"
fi
write_command "$@" >"$run/command"

mkfifo "$run/out" "$run/err"
cat "$run/out" &
cat "$run/err" >&2 &
: >"$run/status"
started=$(date +%s)
say "booting Linux $kernel"
timeout "$timeout" qemu-system-x86_64 -accel "${LAB_ACCEL:-tcg}" -cpu max -smp 2 -m 2048 \
	-nodefaults -display none -no-reboot -serial "file:$run/console" \
	-kernel "$home/vmlinuz" -initrd "$home/initramfs" \
	-append "console=ttyS0 quiet panic=-1 lab_run=$run lab_modules=$home/lib/modules" \
	-fsdev local,id=machine,path=/,security_model=none,readonly=on,multidevs=remap \
	-device virtio-9p-pci,fsdev=machine,mount_tag=machine \
	-device virtio-serial-pci \
	-chardev file,id=out,path="$run/out" -device virtserialport,chardev=out,name=out \
	-chardev file,id=err,path="$run/err" -device virtserialport,chardev=err,name=err \
	-chardev file,id=status,path="$run/status" -device virtserialport,chardev=status,name=status \
	</dev/null >"$run/qemu" 2>&1 &
qemu=$!
code=0
wait "$qemu" || code=$?
qemu=
wait

# What the kernel itself complained about is news, whatever the command made of it.
grep -aE 'BUG:|WARNING:|Oops|Kernel panic|general protection|soft lockup|rcu.*stall' "$run/console" |
	sed 's/^/skep lab: the kernel says: /' >&2 || true
up=$(sed -n 's/^up //p' "$run/status")
status=$(sed -n 's/^exit //p' "$run/status")
if [ -n "$status" ]; then
	say "Linux $(ls "$home/lib/modules"): up after $up s, done after $(($(date +%s) - started)) s"
	exit "$status"
fi
if [ "$code" = 124 ]; then
	say "not done after $timeout s (--timeout)"
	exit 124
fi
tail -n 25 "$run/qemu" "$run/console" >&2
fail "the kernel stopped before the command ended"
