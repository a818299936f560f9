#!/bin/sh
# The verdicts on objects, and the work that they took, are the same wherever memory lies and whatever is in it.
#
#	same_verdict.sh SKEP OBJECT...
skep=$1
shift
verdicts() {
	"$@" verify --all --json $objects | sed 's/"time_us":[0-9]*//'
}

objects=$*
want=$(MALLOC_PERTURB_=85 verdicts "$skep") || { echo "$want"; exit 1; }
fixed="setarch -R"
$fixed true 2>/dev/null || fixed=
for way in "env MALLOC_PERTURB_=170" "$fixed env MALLOC_PERTURB_=0" "env -i"; do
	got=$(verdicts $way "$skep")
	if [ "$got" != "$want" ]; then
		echo "$way: other verdicts, or other work:"
		printf '%s\n' "$want" >want.$$
		printf '%s\n' "$got" | diff want.$$ -
		rm -f want.$$
		exit 1
	fi
done
printf '%s\n' "$want" | grep -q '"states"' || { echo "no verdict at all: $want"; exit 1; }
