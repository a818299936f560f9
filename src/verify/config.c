/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a kernel was configured, as far as its types tell: which types of programs and
 * which helpers it was built with, for how many CPUs.
 *
 * A function that is not in the types was not compiled.  Types that hold no functions, as
 * those that are cut down for shipping, tell nothing, and then all is there.  Never does:
 * ask the machine.  For src/verify.
 */
#include "verify/config.h"

#include <linux/bpf.h>

#include "abi/abi.h"

enum { MAX_CPUS = 8192 }; /* of any configuration */

/* Helpers that depend on the configuration alone. */
static const struct {
	u32 helper;
	const char *function, *option;
} optional[] = {
	{BPF_FUNC_probe_read, "bpf_probe_read_compat",
	 "ARCH_HAS_NON_OVERLAPPING_ADDRESS_SPACE"},
	{BPF_FUNC_probe_read_str, "bpf_probe_read_compat_str",
	 "ARCH_HAS_NON_OVERLAPPING_ADDRESS_SPACE"},
	{BPF_FUNC_override_return, "bpf_override_return", "BPF_KPROBE_OVERRIDE"},
	{BPF_FUNC_skb_get_xfrm_state, "bpf_skb_get_xfrm_state", "XFRM"},
	{BPF_FUNC_skb_cgroup_classid, "bpf_skb_cgroup_classid", "CGROUP_NET_CLASSID"},
	{BPF_FUNC_skb_cgroup_id, "bpf_skb_cgroup_id", "SOCK_CGROUP_DATA"},
	{BPF_FUNC_skb_ancestor_cgroup_id, "bpf_skb_ancestor_cgroup_id",
	 "SOCK_CGROUP_DATA"},
	{BPF_FUNC_sk_cgroup_id, "bpf_sk_cgroup_id", "SOCK_CGROUP_DATA"},
	{BPF_FUNC_sk_ancestor_cgroup_id, "bpf_sk_ancestor_cgroup_id", "SOCK_CGROUP_DATA"},
	{BPF_FUNC_get_current_cgroup_id, "bpf_get_current_cgroup_id", "CGROUPS"},
	{BPF_FUNC_get_current_ancestor_cgroup_id, "bpf_get_current_ancestor_cgroup_id",
	 "CGROUPS"},
	{BPF_FUNC_lwt_seg6_store_bytes, "bpf_lwt_seg6_store_bytes", "IPV6_SEG6_BPF"},
	{BPF_FUNC_lwt_seg6_adjust_srh, "bpf_lwt_seg6_adjust_srh", "IPV6_SEG6_BPF"},
	{BPF_FUNC_lwt_seg6_action, "bpf_lwt_seg6_action", "IPV6_SEG6_BPF"},
	{BPF_FUNC_tcp_raw_gen_syncookie_ipv4, "bpf_tcp_raw_gen_syncookie_ipv4",
	 "SYN_COOKIES"},
	{BPF_FUNC_tcp_raw_gen_syncookie_ipv6, "bpf_tcp_raw_gen_syncookie_ipv6",
	 "SYN_COOKIES"},
	{BPF_FUNC_tcp_raw_check_syncookie_ipv4, "bpf_tcp_raw_check_syncookie_ipv4",
	 "SYN_COOKIES"},
	{BPF_FUNC_tcp_raw_check_syncookie_ipv6, "bpf_tcp_raw_check_syncookie_ipv6",
	 "SYN_COOKIES"},
};

/* Every kernel with programs has these: are functions told, and with their names? */
static bool tells_functions(const struct btf *kernel)
{
	return kernel && btf_find(kernel, "bpf_map_lookup_elem", BTF_FUNC) &&
	       btf_find(kernel, "bpf_probe_read_kernel", BTF_FUNC);
}

const char *config_missing_for(const struct env *env, u32 helper)
{
	for (u32 i = 0; i < ARRAY_SIZE(optional); i++) {
		if (optional[i].helper != helper)
			continue;
		if (tells_functions(env->kernel) &&
		    !btf_find(env->kernel, optional[i].function, BTF_FUNC))
			return optional[i].option;
	}
	return NULL;
}

bool config_injects_errors(const struct env *env)
{
	return !tells_functions(env->kernel) ||
	       btf_find(env->kernel, "within_error_injection_list", BTF_FUNC);
}

/* One struct of the kernel has a pair of members for each type that it was built with. */
bool config_has_type(const struct env *env, u32 prog_type)
{
	static const char *const members[] = {
#define P(name, ...) [PROG_TYPE_##name] = "BPF_PROG_TYPE_" #name "_prog",
#include "abi/prog_types.def"
#undef P
	};
	u32 id = env->kernel ? btf_find(env->kernel, "bpf_ctx_convert", BTF_STRUCT) : 0;

	if (!id || prog_type >= ARRAY_SIZE(members) || !members[prog_type])
		return true;
	struct btf_type all = btf_type(env->kernel, id);
	return btf_find_member(env->kernel, &all, members[prog_type]) >= 0;
}

u32 config_cpus(const struct env *env)
{
	u32 id = env->kernel ? btf_find(env->kernel, "cpumask", BTF_STRUCT) : 0;
	u32 n = id ? 8 * btf_type(env->kernel, id).size : MAX_CPUS;

	return n < env->opts->n_cpus ? env->opts->n_cpus : n;
}
