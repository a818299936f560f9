#!/bin/sh
# The plugin of the conformance suite keeps its contract: conformance.sh PLUGIN [SKEP]
# Each row: arguments | program | what is printed, or "error".
plugin=$1
skep=$2
passed=0
failed=0

try() { # arguments... program wanted
	want=$3
	got=$(printf '%s\n' "$2" | eval "$plugin $1" 2>/tmp/conformance.$$)
	status=$?
	[ $status -ne 0 ] && got=error$got
	if [ "$got" = "$want" ] && { [ $status -eq 0 ] || { [ $status -eq 1 ] && [ -s /tmp/conformance.$$ ]; }; }; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "$plugin $1: $2: wanted $want, got $got (exit $status)" >&2
	fi
	rm -f /tmp/conformance.$$
}

exit='95 00 00 00 00 00 00 00'
r0_is_r1='bf 10 00 00 00 00 00 00'
r0_is_r2='bf 20 00 00 00 00 00 00'
r0_is_2='b7 00 00 00 02 00 00 00'
engines='--interp --checked'
echo "$exit" | eval "$plugin --jit" >/tmp/conformance.$$ 2>&1 && engines="$engines --jit" # not every machine has it
rm -f /tmp/conformance.$$
for engine in $engines; do
	# memory: none, its length, its bytes, and a copy that may be written
	try "$engine" "$r0_is_r1 $exit" 0
	try "'' $engine" "$r0_is_r1 $exit" 0
	try "$engine ''" "$r0_is_r2 $exit" 0
	try "'00  01  02  ' $engine" "$r0_is_r2 $exit" 3
	try "'11 22 33 44 55 66 77 88' $engine" "79 10 00 00 00 00 00 00 $exit" 8877665544332211
	try "$engine '11 22'" "72 01 01 00 ab 00 00 00 69 10 00 00 00 00 00 00 $exit" ab11
	# blanks between bytes, as the suite prints them
	try "$engine" "b7  00  00  00  ff  ff  ff  ff   95  00  00  00  00  00  00  00  " ffffffffffffffff
	# helper 5 by number and by register, in either field: 0 ends the program, -1 does not
	try "$engine" "b7 01 00 00 ff ff ff ff 85 00 00 00 05 00 00 00 $r0_is_2 $exit" 2
	try "$engine" "b7 01 00 00 00 00 00 00 85 00 00 00 05 00 00 00 $r0_is_2 $exit" 0
	try "$engine" "b7 01 00 00 ff ff ff ff b7 02 00 00 05 00 00 00 8d 02 00 00 00 00 00 00 $r0_is_2 $exit" 2
	try "$engine" "b7 01 00 00 00 00 00 00 b7 02 00 00 05 00 00 00 8d 00 00 00 02 00 00 00 $r0_is_2 $exit" 0
	# LD_ABS and LD_IND read the memory; past its end the answer is 0
	try "$engine '11 22 33 44'" "bf 16 00 00 00 00 00 00 28 00 00 00 02 00 00 00 $exit" 3344
	try "$engine '11 22 33 44'" "bf 16 00 00 00 00 00 00 b7 01 00 00 01 00 00 00 50 10 00 00 02 00 00 00 $exit" 44
	try "$engine '11 22 33 44'" "bf 16 00 00 00 00 00 00 20 00 00 00 01 00 00 00 $exit" 0
	# atomic operations and signed division work on it
	try "$engine '05 00 00 00 00 00 00 00'" "b7 00 00 00 05 00 00 00 b7 03 00 00 09 00 00 00 db 31 00 00 f1 00 00 00 79 10 00 00 00 00 00 00 $exit" 9
	try "$engine" "b7 00 00 00 f3 ff ff ff 37 00 01 00 04 00 00 00 $exit" fffffffffffffffd
	# what is no program
	try "$engine" "95 00 00" error
	try "$engine" "ff 00 00 00 00 00 00 00" error
	try "$engine" "zz" error
	try "$engine" "" error
	try "$engine --elf" "7f 45 4c 46" error
	try "$engine 1 2" "$exit" error
done
# only one of them may be shown what is wrong
try "--checked '11 22 33 44'" "79 10 00 00 00 00 00 00 $exit" error
try "--checked" "$exit" error
try "--fastest" "$r0_is_2 $exit" error

if [ -n "$skep" ]; then
	folder=$(mktemp -d)
	printf '.section xdp\n.program first xdp\n\tr0 = *(u8 *)(r1 + 1)\n\tr0 += r2\n\texit\n' >"$folder/first.s"
	"$skep" asm "$folder/first.s" -o "$folder/first.o" || exit 1
	try "'05 06 07' --elf" "$(od -An -v -tx1 "$folder/first.o" | tr '\n' ' ')" 9
	try "'05 06 07' --elf --checked" "$(od -An -v -tx1 "$folder/first.o" | tr '\n' ' ')" 9
	rm -r "$folder"
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
