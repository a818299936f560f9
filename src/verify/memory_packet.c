/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets: bytes are there as far as the program compared with the packet's end.
 *
 * A packet pointer has a range, relative to its variable part: pointers with the same id
 * have the same variable part and share what comparisons find (jump.c).  Never does:
 * compare.  More: state.h; Documentation/bpf/verifier.rst, "Direct packet access".
 */
#include "abi/abi.h"
#include "verify/memory.h"

bool may_access_packet_directly(struct env *env, bool by_helper, bool write)
{
	(void)by_helper;
	switch (env->prog_type) {
	case PROG_TYPE_LWT_IN:
	case PROG_TYPE_LWT_OUT:
	case PROG_TYPE_LWT_SEG6LOCAL:
	case PROG_TYPE_SK_REUSEPORT:
	case PROG_TYPE_FLOW_DISSECTOR:
	case PROG_TYPE_CGROUP_SKB: return !write;
	case PROG_TYPE_SCHED_CLS:
	case PROG_TYPE_SCHED_ACT:
	case PROG_TYPE_XDP:
	case PROG_TYPE_LWT_XMIT:
	case PROG_TYPE_SK_SKB:
	case PROG_TYPE_SK_MSG:
	case PROG_TYPE_CGROUP_SOCKOPT: return true;
	}
	return false;
}

int packet_region_check(struct env *env, u32 regno, s32 off, u32 size, bool zero_size_ok)
{
	const struct reg *reg = &env_regs(env)[regno];
	bool size_ok = size || zero_size_ok;

	if (reg->var.smin < 0)
		return reject(env, OFFSET_MIN_NEGATIVE, (int)regno,
			      (long long)reg->var.smin);
	if ((s32)reg->range < 0)
		return reject(env, PACKET_RANGE, (int)regno);
	if (!size_ok)
		return reject(env, REGION_ZERO, (int)regno);
	if (off >= 0 && (u64)off + size <= reg->range)
		return 0;
	return reject(env, PACKET_BOUNDS, (int)regno, off, size, reg->range);
}

int packet_access(struct env *env, const struct access *access)
{
	const struct reg *reg = &env_regs(env)[access->reg];
	int err;

	if (access->type == ACCESS_WRITE && !may_access_packet_directly(env, false, true))
		return reject(env, PACKET_WRITE);
	err = leak_check(env, access, "the packet");
	if (!err)
		err = packet_region_check(env, access->reg, reg->off + access->off,
					  access->size, false);
	if (!err)
		load_unknown(env, access);
	return err;
}

void forget_packet(struct env *env)
{
	struct reg *reg;

	for_each_reg(env->cur, reg)
	{
		if (reg_is_packet(reg) || reg->kind == PTR_TO_PACKET_END ||
		    (reg->kind == PTR_TO_MEM && reg->flags & PACKET_SLICE))
			reg_forget(env, reg);
	}
}
