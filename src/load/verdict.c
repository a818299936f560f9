/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of verdicts, from <linux/bpf.h> and <linux/pkt_cls.h>.
 */
#include "load/verdict.h"

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

static const char *const xdp_verdicts[] = {
	[XDP_ABORTED] = "XDP_ABORTED",   [XDP_DROP] = "XDP_DROP",
	[XDP_PASS] = "XDP_PASS",         [XDP_TX] = "XDP_TX",
	[XDP_REDIRECT] = "XDP_REDIRECT",
};

static const char *const tc_verdicts[] = {
	[TC_ACT_OK] = "TC_ACT_OK",         [TC_ACT_RECLASSIFY] = "TC_ACT_RECLASSIFY",
	[TC_ACT_SHOT] = "TC_ACT_SHOT",     [TC_ACT_PIPE] = "TC_ACT_PIPE",
	[TC_ACT_STOLEN] = "TC_ACT_STOLEN", [TC_ACT_QUEUED] = "TC_ACT_QUEUED",
	[TC_ACT_REPEAT] = "TC_ACT_REPEAT", [TC_ACT_REDIRECT] = "TC_ACT_REDIRECT",
	[TC_ACT_TRAP] = "TC_ACT_TRAP",
};

bool takes_packets(u32 prog_type)
{
	return prog_type == BPF_PROG_TYPE_XDP || prog_type == BPF_PROG_TYPE_SCHED_CLS ||
	       prog_type == BPF_PROG_TYPE_SCHED_ACT ||
	       prog_type == BPF_PROG_TYPE_SOCKET_FILTER;
}

const char *verdict_name(u32 prog_type, u64 ret)
{
	if (prog_type == BPF_PROG_TYPE_XDP)
		return ret < ARRAY_SIZE(xdp_verdicts) ? xdp_verdicts[ret] : NULL;
	if (prog_type != BPF_PROG_TYPE_SCHED_CLS && prog_type != BPF_PROG_TYPE_SCHED_ACT)
		return NULL;
	if (ret == (u32)TC_ACT_UNSPEC)
		return "TC_ACT_UNSPEC";
	return ret < ARRAY_SIZE(tc_verdicts) ? tc_verdicts[ret] : NULL;
}

bool verdict_goes_on(u32 prog_type, s32 *verdict)
{
	bool tc = prog_type == BPF_PROG_TYPE_SCHED_CLS ||
		  prog_type == BPF_PROG_TYPE_SCHED_ACT;

	*verdict = tc ? TC_ACT_UNSPEC : XDP_PASS;
	return tc || prog_type == BPF_PROG_TYPE_XDP;
}
