/* SPDX-License-Identifier: BSD-2-Clause */
#include "exec/checked.h"
#include <linux/bpf.h>
int args_check(struct checked *ck, const struct helper_call *call)
{
	(void)ck;
	(void)call;
	return 0;
}
void args_done(struct checked *ck, struct helper_call *call)
{
	(void)ck;
	call->known = (call->known & ~0x3eu) | 1;
}
u32 context_size(const struct prog *prog)
{
	switch (prog->type) {
	case BPF_PROG_TYPE_XDP: return sizeof(struct xdp_md);
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SOCKET_FILTER: return sizeof(struct __sk_buff);
	default: return 0;
	}
}
