#!/bin/sh
# gdb walks through native code of a program, with its functions and source lines: gdb.sh TEST-JIT-DEBUG PROGRAM
test=$1
program=$2
status=0
command -v gdb > /dev/null || exit 77
out=$(ASAN_OPTIONS=detect_leaks=0 gdb -nx -batch -iex 'set auto-load no' -ex 'set debuginfod enabled off' -ex 'break debugged_helper' -ex run -ex bt \
	-ex 'frame function inner' -ex list -ex continue -ex bt -ex 'info symbol inner' -ex 'delete' -ex continue --args "$test" "$program" 2>&1)

wants() {
	echo "$out" | grep -q -- "$1" || { echo "gdb does not say: $1"; status=1; }
}

case $out in
*"ptrace: Operation not permitted"*|*"Could not trace"*) exit 77 ;;
esac
line=$(grep -n 'here' "$program" | tail -1 | cut -d: -f1)
wants "^#1 .* inner () at .*debugged.s:$line"
wants '^#2 .* middle () at .*debugged.s:11'
wants '^#3 .* outer () at .*debugged.s:4'
wants '^#4 .* skep_enter_program ()'
wants '^#[0-9]* .* main ('
wants "^$line.*call 5 # <- here"
wants 'inner in section .text'
wants 'exited normally'
[ $status = 0 ] || echo "$out"
exit $status
