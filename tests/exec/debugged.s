# What jit_debug.c compiles and gdb.sh looks at from inside of the helper.
	r6 = r1
	r1 = 3
	call middle
	r0 += r6
	exit
.func middle
	r7 = r1
	*(u64 *)(r10 - 8) = 11
	r1 = r7
	call inner
	r0 += r7
	exit
.func inner
	r8 = r1
	call 5 # <- here
	r0 += r8
	exit
