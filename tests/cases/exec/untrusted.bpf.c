/* SPDX-License-Identifier: BSD-2-Clause */
/* Arguments that are read whatever they are: Linux survives it. */
#include "../verify/case.h"

__attribute__((noinline)) int read_of(int *p
				      __attribute__((btf_decl_tag("arg:untrusted"))))
{
	return *p;
}

CASE("fault OUT_OF_BOUNDS")
CASE("refuse UNTRUSTED_READ")
SEC("tc") int number_is_read_through(struct __sk_buff *ctx)
{
	return read_of((int *)(0x4141414141 + ctx->mark));
}
