/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux's numbered facts: helpers, program, map and attach types, section names, contexts
 * and constants, each with the version of Linux that first had it.
 *
 * The facts are rows of the .def files beside this header; here are the questions that
 * can be asked of them.  Everything is static and constant.  Anybody may include this.
 * Words are those of the kernel's struct bpf_func_proto and of bpf-helpers(7).
 */
#ifndef SKEP_ABI_ABI_H
#define SKEP_ABI_ABI_H

#include "base/types.h"

/* A version as Linux' KERNEL_VERSION() gives it. */
#define ABI_LINUX(major, minor) ((u32)(major) << 16 | (u32)(minor) << 8)

/* ---- program, attach and map types ---- */

enum abi_prog_type {
#define P(name, number, ...) PROG_TYPE_##name = number,
#include "abi/prog_types.def"
#undef P
	PROG_TYPES
};

enum abi_attach_type {
#define A(name, number, ...) ATTACH_##name = number,
#include "abi/attach_types.def"
#undef A
	ATTACH_TYPES
};

enum map_type {
	MAP_TYPE_UNSPEC,
#define T(name, number, major, minor, ops) MAP_TYPE_##name = number,
#include "abi/map_types.def"
#undef T
};

/* BPF_MAP_CREATE: BPF_F_* */
enum map_flags {
	MAP_NO_PREALLOC = 1u << 0,
	MAP_NO_COMMON_LRU = 1u << 1,
	MAP_NUMA_NODE = 1u << 2,
	MAP_RDONLY = 1u << 3, /* the user cannot write */
	MAP_WRONLY = 1u << 4, /* the user cannot read */
	MAP_STACK_BUILD_ID = 1u << 5,
	MAP_ZERO_SEED = 1u << 6,
	MAP_RDONLY_PROG = 1u << 7, /* programs cannot write */
	MAP_WRONLY_PROG = 1u << 8, /* programs cannot read */
	MAP_CLONE = 1u << 9,
	MAP_MMAPABLE = 1u << 10,
	MAP_PRESERVE_ELEMS = 1u << 11,
	MAP_INNER_MAP = 1u << 12,
	MAP_LINK = 1u << 13,
	MAP_PATH_FD = 1u << 14,
	MAP_VTYPE_BTF_OBJ_FD = 1u << 15,
	MAP_TOKEN_FD = 1u << 16,
	MAP_SEGV_ON_FAULT = 1u << 17,
	MAP_NO_USER_CONV = 1u << 18,
};

struct abi_name {
	const char
		*name; /* as bpftool has it: "sched_cls", "cgroup_inet4_bind", "hash" */
	u32 number;
	u32 since; /* ABI_LINUX() */
};

/* By number or by name (any case, with or without BPF_PROG_TYPE_ ... in front); NULL:
 * Linux 6.18 has no such thing. */
const struct abi_name *abi_prog_type(u32 number);
const struct abi_name *abi_find_prog_type(const char *name);
const struct abi_name *abi_attach_type(u32 number);
const struct abi_name *abi_find_attach_type(const char *name);
const struct abi_name *abi_map_type(u32 number);
const struct abi_name *abi_find_map_type(const char *name);

/* ---- helpers ---- */

/* What a helper returns: a base and flags. */
enum abi_ret {
	RET_INTEGER,
	RET_VOID,
	RET_PTR_TO_MAP_VALUE,
	RET_PTR_TO_SOCKET,
	RET_PTR_TO_TCP_SOCK,
	RET_PTR_TO_SOCK_COMMON,
	RET_PTR_TO_MEM, /* ARG_CONST_ALLOC_SIZE_OR_ZERO says how much, or the dynptr */
	RET_PTR_TO_MEM_OR_BTF_ID,
	RET_PTR_TO_BTF_ID,
};

/* What an argument must be: a base and flags. */
enum abi_arg {
	ARG_DONTCARE, /* the helper has fewer arguments */
	ARG_CONST_MAP_PTR,
	ARG_PTR_TO_MAP_KEY,   /* of the map in an argument before */
	ARG_PTR_TO_MAP_VALUE, /* value_size bytes, readable (MEM_UNINIT: writable) */
	ARG_PTR_TO_MEM, /* MEM_FIXED_SIZE: abi_mem_size() bytes; else the next argument
			   says how many */
	ARG_PTR_TO_ARENA,
	ARG_CONST_SIZE,         /* of the memory in the argument before; not 0 */
	ARG_CONST_SIZE_OR_ZERO, /* 0 only with NULL or no access */
	ARG_PTR_TO_CTX,
	ARG_ANYTHING, /* any initialised value */
	ARG_PTR_TO_SPIN_LOCK,
	ARG_PTR_TO_SOCK_COMMON,
	ARG_PTR_TO_SOCKET,
	ARG_PTR_TO_BTF_ID, /* abi_btf_struct() */
	ARG_PTR_TO_RINGBUF_MEM,
	ARG_CONST_ALLOC_SIZE_OR_ZERO,
	ARG_PTR_TO_BTF_ID_SOCK_COMMON,
	ARG_PTR_TO_PERCPU_BTF_ID,
	ARG_PTR_TO_FUNC,
	ARG_PTR_TO_STACK,
	ARG_PTR_TO_CONST_STR, /* NUL-terminated, in a read-only map */
	ARG_PTR_TO_TIMER,
	ARG_KPTR_XCHG_DEST,
	ARG_PTR_TO_DYNPTR,
};

enum {
	ABI_BASE = 0xff,         /* the base of an argument or result; flags follow */
	PTR_MAYBE_NULL = 1 << 8, /* may be NULL */
	MEM_RDONLY = 1 << 9,     /* the helper only reads it */
	MEM_RINGBUF = 1 << 10,
	MEM_UNINIT = 1 << 11,     /* may be uninitialised: the helper fills it */
	MEM_WRITE = 1 << 12,      /* the helper writes it */
	MEM_FIXED_SIZE = 1 << 13, /* of ARG_PTR_TO_MEM */
	MEM_ALIGNED = 1 << 14,    /* naturally for its size */
	OBJ_RELEASE = 1 << 15,    /* the helper releases the reference */
	PTR_TRUSTED = 1 << 16,
	DYNPTR_TYPE_LOCAL = 1 << 17,
	DYNPTR_TYPE_RINGBUF = 1 << 18,
	DYNPTR_TYPE_SKB = 1 << 19,
	DYNPTR_TYPE_XDP = 1 << 20,
	PTR_UNTRUSTED = 1 << 21, /* of arguments of the program's own functions */
};

/* Structs of the kernel that arguments and results point to. */
#define ABI_STRUCTS(X)                                                                   \
	X(task_struct)                                                                   \
	X(seq_file)                                                                      \
	X(inode)                                                                         \
	X(cgroup) X(xdp_buff) X(socket) X(file) X(sk_buff) X(path) X(linux_binprm)       \
		X(sock_common) X(tcp_sock) X(tcp6_sock) X(tcp_timewait_sock)             \
			X(tcp_request_sock) X(udp6_sock) X(unix_sock) X(mptcp_sock)      \
				X(pt_regs)
enum abi_struct {
	ABI_STRUCT_ANY, /* the program or another argument decides */
#define X(name) ABI_STRUCT_##name,
	ABI_STRUCTS(X)
#undef X
};

#define ABI_PARAM(n) ((u32)(n) << 24) /* size, or which struct of the kernel */
#define MEM_SIZE(n)  (MEM_FIXED_SIZE | ABI_PARAM(n))
#define OF(name)     ABI_PARAM(ABI_STRUCT_##name)

enum { ABI_DYNPTR_SIZE = 16 }; /* of ARG_PTR_TO_DYNPTR */

static inline u32 abi_mem_size(u32 arg)
{
	return arg >> 24;
}

/* "task_struct": what an ARG_PTR_TO_BTF_ID or RET_PTR_TO_BTF_ID points to; NULL: any, or
 * the program decides. */
const char *abi_btf_struct(u32 arg_or_ret);

struct abi_helper {
	const char *name;      /* "map_lookup_elem" */
	const char *full_name; /* "bpf_map_lookup_elem" */
	u32 number;
	u32 since;     /* ABI_LINUX() */
	u64 callers;   /* 1 << PROG_TYPE_*: which types of programs this row is for */
	bool gpl;      /* the program's license must be compatible with the GPL */
	bool pkt;      /* memory arguments may be in the packet */
	bool sleeps;   /* only sleepable programs may call it */
	bool fastcall; /* may leave R1 to R5 alone (JITs inline it) */
	u32 ret;       /* enum abi_ret and flags */
	u32 args[5];   /* enum abi_arg and flags */
};

/* The first row of a helper: what most callers are offered.  NULL: no such helper. */
const struct abi_helper *abi_helper(u32 number);

/* By name, "map_lookup_elem" or "bpf_map_lookup_elem". */
const struct abi_helper *abi_find_helper(const char *name);

/* The row for this type of program; NULL: it may not call the helper. */
const struct abi_helper *abi_helper_for(u32 number, u32 prog_type);

/* Like that, and the attach type matters, too: some helpers are for a few of them. */
const struct abi_helper *abi_helper_at(u32 number, u32 prog_type, u32 attach_type);

/* ABI_LINUX(): since when such programs, that are offered it today, may call it. */
u32 abi_helper_since(const struct abi_helper *helper, u32 prog_type, u32 attach_type);

/* Linux 6.18 has the numbers 1 .. 211. */
enum { ABI_HELPERS = 212 };

enum { HELPER_TAIL_CALL = 12 }; /* the engines' own */

/* ---- kfuncs ---- */

enum abi_kfunc_id {
	KFUNC_NONE,
#define K(name, ...) KFUNC_##name,
#define K2(name, ...)
#include "abi/kfuncs.def"
#undef K2
#undef K
	KFUNCS
};

enum abi_kfunc_flag {
	KF_ACQUIRE = 1 << 0, /* the result is a reference */
	KF_RELEASE = 1 << 1, /* an argument is one, and ends */
	KF_RET_NULL = 1 << 2,
	KF_TRUSTED_ARGS = 1 << 3,
	KF_SLEEPABLE = 1 << 4,
	KF_DESTRUCTIVE = 1 << 5, /* needs CAP_SYS_BOOT */
	KF_RCU = 1 << 6,         /* pointer arguments: trusted, or protected by RCU */
	KF_ITER_NEW = 1 << 7,
	KF_ITER_NEXT = 1 << 8,
	KF_ITER_DESTROY = 1 << 9,
	KF_RCU_PROTECTED = 1 << 10, /* only in RCU read sections */
	KF_FASTCALL = 1 << 11,
	/* Filters beside the type of the program: */
	KF_ONLY_ITER = 1 << 12,    /* programs attached to iterators */
	KF_ONLY_SESSION = 1 << 13, /* sessions of kprobes and uprobes */
	KF_DEV_BOUND = 1 << 14,    /* programs bound to a device */
};

struct abi_kfunc {
	const char *name;
	enum abi_kfunc_id id;
	u32 since;   /* ABI_LINUX() */
	u64 callers; /* 1 << PROG_TYPE_* */
	u32 flags;   /* enum abi_kfunc_flag */
};

/* The first row of a kfunc; NULL: nobody knows it. */
const struct abi_kfunc *abi_find_kfunc(const char *name);

/* The row of that kfunc for this version and type of program; NULL: it may not call it.
 */
const struct abi_kfunc *abi_kfunc_for(const struct abi_kfunc *kfunc, u32 version,
				      u32 prog_type);

/* May programs of this type call it, in some Linux?  By the number below. */
bool abi_kfunc_suits(u32 number, u32 prog_type);

/*
 * Kfuncs that engines have a body for are called as helpers are: under numbers behind all
 * that helpers have, by prototypes in the words of helpers (abi/kfunc_protos.def).
 */
enum { KFUNC_NUMBERS = 1 << 16 };

static inline u32 abi_kfunc_number(enum abi_kfunc_id id)
{
	return KFUNC_NUMBERS + (u32)id;
}

static inline bool abi_is_kfunc(u32 number)
{
	return number - KFUNC_NUMBERS < KFUNCS;
}

/* Of the name in a program, "bpf_throw" or "bpf_throw___mine"; that of KFUNC_NONE: nobody
 * knows it. */
u32 abi_kfunc_number_of(const char *name);

/* By that number; NULL: no engine has it. */
const struct abi_helper *abi_kfunc_proto(u32 number);

/* ---- section names ---- */

struct abi_section {
	const char *name; /* "fentry.s" */
	u32 prog_type, attach_type;
	bool target;    /* "fentry.s/vfs_read": a target may follow */
	bool sleepable; /* loaded with BPF_F_SLEEPABLE */
	bool frags;     /* loaded with BPF_F_XDP_HAS_FRAGS */
	bool needs_btf; /* the target is a function or type of the kernel's BTF */
	bool attach;    /* attach_type says something (0 is one, too) */
	bool loose;     /* old loaders took names that only start like this, "xdp_main" */
};

/* The row for the name of a section, and what follows the '/' (NULL: nothing).  NULL: no
 * program type is known by that name. */
const struct abi_section *abi_find_section(const char *section, const char **target);

/* The first row for programs that are attached so, or NULL: "cgroup/connect4". */
const struct abi_section *abi_section_of(u32 attach_type);

/* The known name that looks most like this one, or NULL when none does. */
const char *abi_nearest_section(const char *section);

/* ---- contexts ---- */

/* What a program reads from a field. */
enum abi_ctx_value {
	CTX_NUMBER,
	CTX_PACKET,
	CTX_PACKET_END,
	CTX_PACKET_META,
	CTX_FLOW_KEYS,
	CTX_SOCKET, /* struct bpf_sock */
	CTX_SOCKET_OR_NULL,
	CTX_SOCK_COMMON_OR_NULL, /* the same, but only its addresses may be read */
	CTX_BTF_SK_BUFF,         /* the kernel's own structs */
	CTX_BTF_NF_HOOK_STATE,
	CTX_TP_BUFFER, /* what a writable tracepoint lends to the program */
};

/* Which parts of a field one access may touch; always aligned to its own size. */
enum abi_ctx_rule {
	CTX_WHOLE,   /* one unit */
	CTX_NARROW,  /* reads: also 1, 2 and 4 bytes anywhere in a unit */
	CTX_NARROW2, /* reads: also 2 bytes anywhere in a unit */
	CTX_START,   /* reads: also 1, 2 and 4 bytes where the unit starts */
	CTX_WIDE,    /* as NARROW, and 8 aligned bytes of an array, writes too */
	CTX_ANY,     /* 1, 2, 4 or 8 bytes anywhere, writes too */
};

struct abi_ctx_field {
	const char *name;
	u16 offset;
	u16 unit, count;      /* count units of 1, 2, 4 or 8 bytes */
	u8 value;             /* enum abi_ctx_value */
	u8 rule;              /* enum abi_ctx_rule */
	u32 since;            /* ABI_LINUX() */
	u64 readers, writers; /* 1 << PROG_TYPE_* */
	u64 attach;           /* 1 << ATTACH_*: with these only; 0: with any */
};

struct abi_ctx {
	const char *name; /* "__sk_buff" */
	u32 size;
	bool open; /* ... at most: a run says how much there is */
	u64 readers; /* 1 << PROG_TYPE_*: of any field */
	const struct abi_ctx_field *fields; /* by offset */
	u32 n_fields;
};

/* What R1 points to when a program of that type starts; NULL: nothing that has one layout
 * (TRACING, TRACEPOINT, SYSCALL, ...). */
const struct abi_ctx *abi_ctx(u32 prog_type);
const struct abi_ctx *abi_find_ctx(const char *name); /* "bpf_sock" too */

struct abi_ctx_access {
	u32 prog_type, attach_type;
	u32 offset, size;
	bool write;
};

/* The field that such an access is allowed to; NULL: Linux refuses it. */
const struct abi_ctx_field *abi_ctx_allows(const struct abi_ctx *ctx,
					   const struct abi_ctx_access *access);

/* The same for a pointer to the struct that a helper gave: whoever reads. */
const struct abi_ctx_field *abi_ctx_has(const struct abi_ctx *ctx, u32 offset, u32 size);

/* The field at an offset, allowed or not, or NULL: for messages. */
const struct abi_ctx_field *abi_ctx_field(const struct abi_ctx *ctx, u32 offset);

/* ---- constants ---- */

/* XDP_PASS, BPF_F_NO_PREALLOC, TC_ACT_OK, ETH_P_IP ...: false when nobody knows it. */
bool abi_find_constant(const char *name, s64 *value);

#endif
