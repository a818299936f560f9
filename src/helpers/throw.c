/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_throw(): the program ends, whatever it was called from.  Engines find run->err set,
 * leave all of its frames and call the exception callback; nothing happens here.
 */
#include "helpers/bodies.h"

KFUNC(bpf_throw)
{
	run->thrown = r1;
	run->err = EXEC_THROWN;
	return 0;
}
