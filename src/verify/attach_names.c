/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel's types do not say of its functions: where programs may sleep, which
 * results they may replace, what must not be traced.
 *
 * Never does: know hooks of security modules (lsm.c).  Facts of Linux 6.18.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/abi.h"
#include "verify/attach.h"

/* Each list is sorted. */

/* Functions made for errors to be injected, beside system calls; sleeps: not called where
 * nobody may sleep. */
static const struct {
	const char *name;
	bool sleeps;
} injectable[] = {
	{"__filemap_add_folio", false},
	{"bpf_fentry_test1", true},
	{"bpf_modify_return_test", false},
	{"bpf_modify_return_test2", false},
	{"bpf_modify_return_test_tp", false},
	{"btrfs_search_slot", true},
	{"ftrace_modify_code", true},
	{"io_ctl_init", true},
	{"open_ctree", true},
	{"should_fail_alloc_page", false},
	{"should_fail_bio", true},
	{"should_failslab", false},
	{"update_socket_protocol", false},
};

static const char *const denied[] = {
	"__rcu_read_lock",        "__rcu_read_unlock", "migrate_disable",
	"migrate_enable",         "preempt_count_add", "preempt_count_sub",
	"rcu_read_unlock_strict",
};

static const char *const never_return[] = {
	"__ia32_sys_exit",
	"__ia32_sys_exit_group",
	"__kunit_abort",
	"__module_put_and_kthread_exit",
	"__x64_sys_exit",
	"__x64_sys_exit_group",
	"do_exit",
	"do_group_exit",
	"kthread_complete_and_exit",
	"kthread_exit",
	"kunit_try_catch_throw",
	"make_task_dead",
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, *(const char *const *)b);
}

#define IS_IN(list, name)                                                                \
	(bsearch(name, list, ARRAY_SIZE(list), sizeof((list)[0]), compare_names) != NULL)

static bool starts_with(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

static bool is_system_call(const char *func)
{
	return starts_with(func, "__x64_sys_") || starts_with(func, "__ia32_sys_") ||
	       starts_with(func, "__arm64_sys_") ||
	       starts_with(func, "__arm64_compat_sys_") ||
	       starts_with(func, "__ia32_compat_sys_") ||
	       starts_with(func, "__x64_compat_sys_");
}

bool trace_is_sleepable(const char *func)
{
	for (u32 i = 0; i < ARRAY_SIZE(injectable); i++) {
		if (!strcmp(func, injectable[i].name))
			return injectable[i].sleeps;
	}
	return is_system_call(func);
}

bool trace_is_modifiable(const char *func)
{
	for (u32 i = 0; i < ARRAY_SIZE(injectable); i++) {
		if (!strcmp(func, injectable[i].name))
			return true;
	}
	return is_system_call(func) || starts_with(func, "security_");
}

bool trace_is_denied(const char *func)
{
	return IS_IN(denied, func);
}

bool trace_never_returns(const char *func)
{
	return IS_IN(never_return, func);
}

/* The kernel keeps a struct with a pair of members for each type: as programs see it, as
 * it is. */
u32 kernel_ctx_struct(const struct btf *kernel, u32 prog_type)
{
	static const char *const names[] = {
#define P(name, ...) [PROG_TYPE_##name] = "BPF_PROG_TYPE_" #name "_kern",
#include "abi/prog_types.def"
#undef P
	};
	u32 convert = btf_find(kernel, "bpf_ctx_convert", BTF_STRUCT);
	struct btf_type t = btf_type(kernel, convert);

	if (!convert || prog_type >= ARRAY_SIZE(names) || !names[prog_type])
		return 0;
	int i = btf_find_member(kernel, &t, names[prog_type]);
	if (i < 0)
		return 0;
	u32 id = btf_resolve(kernel, btf_member(kernel, &t, (u32)i).type);
	return btf_kind(kernel, id) == BTF_STRUCT ? id : 0;
}
