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
#include "verify/config.h"

/* Each list is sorted. */

/* Functions made for errors to be injected, beside system calls; and those that are there
 * for programs to modify, however the kernel was configured.  sleeps: not called where
 * nobody may sleep. */
static const struct replaceable {
	const char *name;
	bool sleeps, for_programs;
} replaceable[] = {
	{"__filemap_add_folio", false, false},
	{"bpf_fentry_test1", true, true},
	{"bpf_modify_return_test", false, true},
	{"bpf_modify_return_test2", false, true},
	{"bpf_modify_return_test_tp", false, true},
	{"btrfs_search_slot", true, false},
	{"ftrace_modify_code", true, false},
	{"io_ctl_init", true, false},
	{"open_ctree", true, false},
	{"should_fail_alloc_page", false, false},
	{"should_fail_bio", true, false},
	{"should_failslab", false, false},
	{"update_socket_protocol", false, true},
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

/* NULL: its result cannot be replaced. */
static const struct replaceable *find_replaceable(const struct env *env, const char *func)
{
	static const struct replaceable system_call = {"", true, false};
	const struct replaceable *found = is_system_call(func) ? &system_call : NULL;

	for (u32 i = 0; i < ARRAY_SIZE(replaceable); i++) {
		if (!strcmp(func, replaceable[i].name))
			found = &replaceable[i];
	}
	if (found && (!found->for_programs || !env->rules->modified_by_set) &&
	    !config_injects_errors(env))
		return NULL;
	return found;
}

bool trace_is_sleepable(const struct env *env, const char *func)
{
	const struct replaceable *found = find_replaceable(env, func);

	return found && found->sleeps;
}

bool trace_is_modifiable(const struct env *env, const char *func)
{
	return find_replaceable(env, func) || starts_with(func, "security_");
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
