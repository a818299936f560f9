/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hooks of security modules: which of them a program may have, where it may sleep, what
 * it may return.
 *
 * A hook is a function bpf_lsm_NAME of the kernel; that it exists is asked of the
 * kernel's types, the rest is lists.  Never does: know prototypes.  Kernel documentation:
 * bpf/prog_lsm.rst.
 */
#include <stdlib.h>
#include <string.h>

#include "abi/abi.h"
#include "verify/attach.h"

enum { MAX_ERRNO = 4095 };

/* Each list is sorted. */

/* Their results or arguments are not what programs can handle. */
static const char *const disabled[] = {
	"audit_rule_match",    "getprocattr",       "getselfattr",
	"inode_copy_up_xattr", "inode_getsecurity", "inode_listsecurity",
	"inode_need_killpriv", "ismaclabel",        "key_getsecurity",
	"setprocattr",         "vm_enough_memory",  "xfrm_decode_session",
};

static const char *const sleepable[] = {
	"bpf",
	"bpf_map",
	"bpf_map_create",
	"bpf_map_free",
	"bpf_prog",
	"bpf_prog_load",
	"bpf_token_capable",
	"bpf_token_cmd",
	"bpf_token_create",
	"bpf_token_free",
	"bprm_check_security",
	"bprm_committed_creds",
	"bprm_committing_creds",
	"bprm_creds_for_exec",
	"bprm_creds_from_file",
	"capget",
	"capset",
	"cred_prepare",
	"current_getlsmprop_subj",
	"current_getsecid_subj",
	"file_ioctl",
	"file_lock",
	"file_open",
	"file_post_open",
	"file_receive",
	"inode_create",
	"inode_free_security",
	"inode_getattr",
	"inode_getxattr",
	"inode_mknod",
	"inode_need_killpriv",
	"inode_post_setxattr",
	"inode_readlink",
	"inode_rename",
	"inode_rmdir",
	"inode_setattr",
	"inode_setxattr",
	"inode_symlink",
	"inode_unlink",
	"kernel_module_request",
	"kernel_read_file",
	"kernfs_init_security",
	"mmap_file",
	"netlink_send",
	"path_chmod",
	"path_chown",
	"path_link",
	"path_mkdir",
	"path_notify",
	"path_rename",
	"path_rmdir",
	"path_symlink",
	"path_truncate",
	"path_unlink",
	"release_secctx",
	"sb_alloc_security",
	"sb_eat_lsm_opts",
	"sb_kern_mount",
	"sb_mount",
	"sb_remount",
	"sb_set_mnt_opts",
	"sb_show_options",
	"sb_statfs",
	"sb_umount",
	"settime",
	"socket_accept",
	"socket_bind",
	"socket_connect",
	"socket_create",
	"socket_getpeername",
	"socket_getpeersec_dgram",
	"socket_getsockname",
	"socket_getsockopt",
	"socket_listen",
	"socket_post_create",
	"socket_recvmsg",
	"socket_sendmsg",
	"socket_shutdown",
	"socket_socketpair",
	"syslog",
	"task_alloc",
	"task_getlsmprop_obj",
	"task_getsecid_obj",
	"task_prctl",
	"task_setscheduler",
	"userns_create",
};

/* Objects that are about to go, or not there yet. */
static const char *const untrusted[] = {
	"bpf_map_free",       "bpf_prog_free",     "file_alloc_security",
	"file_free_security", "sk_alloc_security", "sk_free_security",
	"task_free",
};

/* These answer 0 or 1, the others 0 or an error. */
static const char *const boolean[] = {
	"audit_rule_known",
	"inode_xattr_skipcap",
	"xfrm_state_pol_flow_match",
};

/* Functions of the kernel that are called like hooks. */
static const char *const no_hooks[] = {
	"find_cgroup_shim",  "func_proto", "get_retval_range",
	"is_sleepable_hook", "is_trusted", "verify_prog",
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, *(const char *const *)b);
}

static bool is_in(const char *const *list, size_t n, const char *name)
{
	return bsearch(name, list, n, sizeof(*list), compare_names);
}

#define IS_IN(list, name) is_in(list, ARRAY_SIZE(list), name)

/* What follows "bpf_lsm_". */
static const char *hook_of(const char *func)
{
	static const char prefix[] = "bpf_lsm_";

	return strncmp(func, prefix, sizeof(prefix) - 1) ? func
							 : func + sizeof(prefix) - 1;
}

int lsm_check(struct env *env)
{
	const char *hook = hook_of(env->attach_name);

	if (!env->prog->gpl_compatible)
		return reject_at(env, NO_PC, ATTACH_GPL, "LSM");
	if (hook == env->attach_name || IS_IN(disabled, hook) || IS_IN(no_hooks, hook))
		return reject_at(env, NO_PC, LSM_NO_HOOK, env->attach_name);
	return 0;
}

bool lsm_is_sleepable(const char *func)
{
	return IS_IN(sleepable, hook_of(func));
}

bool lsm_args_are_trusted(const struct env *env)
{
	return !IS_IN(untrusted, hook_of(env->attach_name));
}

bool lsm_return_range(const struct env *env, s32 *min, s32 *max)
{
	bool is_bool = IS_IN(boolean, hook_of(env->attach_name));

	if (!env->attach_proto || !btf_type(env->attach_btf, env->attach_proto).type)
		return false;
	*min = is_bool ? 0 : -MAX_ERRNO;
	*max = is_bool;
	return true;
}
