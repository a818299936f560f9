/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sending packets elsewhere: noted in the run, for the hook to carry out when the verdict
 * says so.  The last call counts, as in Linux.
 */
#include <linux/pkt_cls.h>

#include "helpers/bodies.h"
#include "prog/prog.h"

static u64 redirect_to(struct run *run, u32 helper, u32 ifindex, u64 flags)
{
	run->redirect = (struct redirect){
		.helper = helper,
		.ifindex = ifindex,
		.flags = flags,
	};
	return run->prog->type == BPF_PROG_TYPE_XDP ? XDP_REDIRECT : TC_ACT_REDIRECT;
}

HELPER(redirect)
{
	bool xdp = run->prog->type == BPF_PROG_TYPE_XDP;

	if (r2 & ~(xdp ? 0 : (u64)BPF_F_INGRESS))
		return xdp ? XDP_ABORTED : TC_ACT_SHOT;
	return redirect_to(run, BPF_FUNC_redirect, (u32)r1, r2);
}

HELPER(redirect_peer)
{
	if (r2)
		return TC_ACT_SHOT;
	return redirect_to(run, BPF_FUNC_redirect_peer, (u32)r1, 0);
}

HELPER(redirect_neigh)
{
	u32 len = (u32)r3;

	if ((len && len < sizeof(struct bpf_redir_neigh)) || r4)
		return TC_ACT_SHOT;
	return redirect_to(run, BPF_FUNC_redirect_neigh, (u32)r1, 0);
}

HELPER(clone_redirect)
{
	u32 ifindex = (u32)r2;

	if (r3 & ~(u64)BPF_F_INGRESS || !ifindex)
		return answer(-EINVAL);
	run->clones++;
	if (run->clone)
		run->clone(run, ifindex, r3);
	return 0;
}
