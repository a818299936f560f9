/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One verification under way: what is known of the program, the working state, and how
 * transfer functions tell the explorer what it must know.
 *
 * Three questions, three kinds of files.  What follows from an instruction (transfer, alu,
 * jump, memory*, calls*): changes the working state, may ask for a branch, a precise
 * register, a mark of stack use; never walks the graph, compares states or prints.  Which
 * state comes next (explore, prune, precision, liveness, loops): never looks at what an
 * instruction computes.  What is told (explain, print): only reads.  For src/verify.
 */
#ifndef SKEP_VERIFY_ENV_H
#define SKEP_VERIFY_ENV_H

#include "base/arena.h"
#include "btf/btf.h"
#include "prog/prog.h"
#include "target/target.h"
#include "verify/reasons.h"
#include "verify/rules.h"
#include "verify/state.h"
#include "verify/verify.h"

struct abi_ctx;
struct attach_arg; /* record.h */
struct records;    /* record.c */
struct explorer; /* explore.h */
struct liveness; /* liveness.h */
struct keep_pool; /* keep.c */
struct kfunc;    /* kfunc.h: a kfunc with its prototype */

/* What is known of one instruction slot. */
struct insn_aux {
	const struct op_info *info; /* static: of op */
	u8 op;   /* enum op; OP_INVALID in the second slot of a wide one */
	bool prune_point;  /* states are kept and compared here */
	bool force_checkpoint; /* always kept here */
	bool jump_point;   /* its predecessor must be remembered */
	bool calls_callback;
	bool seen;         /* on a path that is no speculation */
	bool nospec, nospec_result; /* unprivileged: speculation ends here */
	bool fastcall_pattern; /* spill, fill or call of a fastcall: may touch fastcall_stack_off */
	bool iter_next;    /* a call of an iterator's next */
	u16 live_regs;     /* a bit each: read before written from here on */
	u32 scc;           /* of the control flow; 0: in no loop */
	bool only_rounds;  /* the loop is nothing but what this call does: calls_callback */
	u32 subprog;       /* index of the one it belongs to */
	/* What a pointer is that this instruction uses: every path must agree.  UNINIT: none yet */
	u8 ptr_kind;       /* enum reg_kind, of loads and stores */
	bool cuts, keeps;  /* computes with an arena's address, of which the upper half goes; with anything else */
	u16 ptr_flags;
	/* calls: of the map that is used, to notice where paths use different ones */
	const struct map_def *map;
	bool map_poisoned;
	u64 map_key; /* constant key or index of tail calls and array look-ups, + 1; ~0: several */
	const struct kfunc *kfunc; /* of calls to kfuncs; owned by the arena */
	u32 alu_state, alu_limit; /* unprivileged: masking of pointer arithmetic */
	u8 fastcall_spills; /* of a fast call: pairs around it that need not run (fastcall.c) */
	u8 ways;  /* enum verify_way, of conditional jumps */
	bool believed; /* a jump that went one way, of a packet's pointer that was moved */
	u32 work; /* how often it was processed: for complexity reports */
};

/* What is known of one function of the program. */
struct sub_arg {
	u8 kind; /* enum abi_arg base */
	u32 flags; /* of abi_arg */
	u32 mem_size;
	const struct btf *btf;
	u32 btf_id;
};

struct sub_info {
	u32 start, end; /* instructions [start, end) */
	u32 stack_depth;
	u32 exit_pc; /* of its last exit: where callers' pruning starts */
	bool has_tail_call;
	bool has_ld_abs;
	bool is_callback, is_async_callback, is_exception_callback;
	bool changes_packet;  /* some instruction in it or in what it calls may */
	bool might_sleep;
	bool called;          /* a global function that something calls */
	bool given_otherwise; /* a static one: some call, or call of what calls it back, does not fit its types; noted where
				 env->watches_calls */
	bool verified;
	bool args_cached;
	bool keep_fastcall_stack; /* some of the pairs stay: so does their stack */
	s32 fastcall_stack_off; /* spills around fast calls are from here down */
	u32 n_args;
	struct sub_arg args[5];
	u32 postorder_start, n_postorder; /* in env->postorder */
};

/* One function calls another, or takes its address: each pair once. */
struct sub_call {
	u32 pc; /* the first place */
	u32 caller, callee;
	bool direct; /* a call */
};

/* What special fields a type has (record.h). */
struct record;

/* The function of another program that this one attaches to. */
struct replaced {
	bool changes_packet, might_sleep;
	bool is_exception_callback;
	bool is_reliable; /* are its types what it takes? */
};

/* What a transfer did, beside changing the working state. */
enum step {
	STEP_NEXT,  /* go on at env->pc */
	STEP_DONE,  /* the path ends here, all is well */
};

struct env {
	/* ---- fixed when exploration starts ---- */
	const struct prog *prog;     /* borrowed */
	const struct verify_opts *opts; /* borrowed */
	const struct target *target; /* borrowed */
	const struct btf *kernel;    /* borrowed: the target's types; NULL: not known */
	const struct rules *rules;   /* static */
	const struct insn *insns;    /* prog's */
	u32 n_insns;
	struct arena arena;          /* what lives as long as the verification */
	struct insn_aux *aux;        /* owned by the arena: one a slot */
	struct sub_info *subs;       /* owned by the arena: n_subs, in the order of prog */
	u32 n_subs;
	struct sub_call *calls;      /* owned by the arena; cfg.c */
	u32 n_calls;
	u32 exception_sub;           /* index of the exception callback; 0: none */
	struct back_op *back_ops;    /* owned by the arena: one a slot (precision.c) */
	struct computed *computed;   /* owned: alu.c; or NULL */
	u32 *postorder;              /* owned by the arena: instructions of each function */
	u32 n_sccs;
	bool any_rounds;             /* aux->only_rounds somewhere */
	u32 prog_type, attach_type;  /* of the target program where this is an EXT */
	/* TRACING, LSM, STRUCT_OPS ...: the prototype of what it attaches to */
	const struct btf *attach_btf;
	u32 attach_func;             /* FUNC or TYPEDEF of a raw tracepoint; 0: none */
	u32 attach_proto;            /* its FUNC_PROTO */
	const char *attach_name;
	struct replaced replaced;    /* of a function of opts->attach_prog */
	u64 other_ns;                /* that judging it took: not this program's time */
	const char *struct_ops;      /* STRUCT_OPS: the kernel's struct, "tcp_congestion_ops" */
	struct attach_arg *attach_args; /* attach.c: arguments with more meaning than types */
	u32 n_attach_args;
	const struct abi_ctx *ctx;   /* static: of prog_type, or NULL */
	struct records *records;     /* record.c; owned by the arena */
	u32 members_looked;          /* while they were made */
	bool places_only;            /* ... for where special fields are, not for what they point to */
	u32 abi_structs[32];         /* helper.c: enum abi_struct -> kernel's id + 1; 0: not looked up */
	bool privileged;             /* CAP_BPF: loops, bpf2bpf calls, all helpers ... */
	bool allow_ptr_leaks, allow_uninit_stack, bypass_spec_v1, bypass_spec_v4;
	bool strict_alignment, test_state_freq, test_invariants;
	bool changes_packet;
	bool watches_calls;          /* is sub_info.given_otherwise asked for? */
	/* Unprivileged pointer arithmetic was masked: from now on scalars are compared exactly. */
	bool exact_scalars;
	/* ---- the working state ---- */
	struct state *cur;           /* owned */
	u32 pc, prev_pc;             /* next to be processed; processed before it */
	u32 sub;                     /* function under verification (0: main; global ones) */
	u32 next_id;
	/* ---- of one step, for the explorer ---- */
	struct explorer *explorer;   /* owned */
	struct liveness *liveness;   /* owned */
	struct keep_pool *pool;      /* owned: memory of kept states */
	/* ---- results ---- */
	struct verify_stats stats;
	struct verify_context context;
	u32 untrusted; /* as in struct verify_result */
	struct verify_blame blame;
	struct skep_diag *diag;      /* the caller's */
};

static inline struct reg *env_regs(const struct env *env)
{
	return state_regs(env->cur);
}

/* Asked of registers and done to them by many: refs.c, transfer.c. */

/* A pointer whose value an ordinary user must not learn? */
static inline bool leaks_pointer(const struct env *env, const struct reg *reg)
{
	return !env->allow_ptr_leaks && reg->kind != SCALAR;
}

/* What it was is gone: unknown, or not even readable where pointers must not leak. */
void reg_forget(const struct env *env, struct reg *reg);
/* It was compared with NULL: MAYBE_NULL is lifted (look-ups in maps of maps: it is the map). */
void reg_not_null(const struct env *env, struct reg *reg);
/* The kernel promises that the object is there while the program uses it. */
bool reg_is_trusted(const struct reg *reg);
/* May never be NULL, whatever was compared. */
bool reg_never_null(const struct reg *reg);

/* Verified once by its BTF, for any arguments; without BTF every function is static. */
static inline bool env_sub_is_global(const struct env *env, u32 sub)
{
	const struct subprog *subprog = &env->prog->subprogs[sub];

	return subprog->global && subprog->btf_id;
}

static inline u32 env_new_id(struct env *env)
{
	return ++env->next_id;
}

/*
 * Refuses: return reject(env, ID, ...) with the arguments of the row's format.  Fills
 * env->diag with the instruction env->pc.  Always negative.
 */
#define reject(env, id, ...) reject_at(env, (int)(env)->pc, id, ##__VA_ARGS__)
#define reject_at(env, at, id, ...)                                                      \
	env_reject(env, REASON_##id, at, reason_text_##id, ##__VA_ARGS__)
int env_reject(struct env *env, enum reason_id id, int pc, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
/* The same for what skep cannot judge: the verdict is "unsupported". */
#define unsupported(env, what, ...) reject(env, UNSUPPORTED, what, ##__VA_ARGS__)
int env_no_memory(struct env *env);

/* ---- what transfers ask of the explorer (explore.c, precision.c, liveness.c) ---- */

/*
 * Another way on from here: a copy of the working state is explored later, starting at pc.
 * The copy may be changed until the transfer returns (its frames hold no more slots than are
 * in use).  NULL: out of memory or too many branches; the reason is told.
 */
struct state *env_branch(struct env *env, u32 pc, bool speculative);
/* The same with nothing but one new frame for subprog (callbacks that run later). */
struct state *env_branch_async(struct env *env, u32 pc, u32 subprog, bool sleepable);

/*
 * One more frame for st, which is the working state or what env_branch() gave: made fresh in
 * frames[depth + 1], called at env->pc, with registers uninitialised but R10 and no slots.
 * depth is not counted up yet, so that its caller's registers can be copied first.  NULL: no
 * memory; told.  keep.c
 */
struct frame *env_new_frame(struct env *env, struct state *st, u32 subprog);

/* The number in that register decides: it and what it was made of must be precise when states are compared. */
int env_need_precise(struct env *env, u32 regno);
/* The same for several registers (bits) of a frame, and stack slots (bits). */
int env_need_precise_in(struct env *env, u32 frame, u32 regs, u64 slots);

/* The instruction at env->pc used the stack: bits are slots.  Written: wholly, on every path. */
int env_stack_read(struct env *env, u32 frame, u64 slots);
void env_stack_written(struct env *env, u32 frame, u64 slots);

/*
 * For going back along the path (precision.c).  Each is told at most once an instruction
 * and before env_branch(); negative: out of memory.
 *
 * The instruction filled a register from the slot of a frame where something was spilled,
 * or spilled a register or constant to it (whatever register the address was in); not
 * told where it reads or leaves other bytes.
 */
int env_note_stack_access(struct env *env, u32 frame, u32 slot);
/* A register or a stack slot that is refined together with others. */
struct linked {
	u8 frame;
	u8 no;
	bool is_reg;
};
enum { MAX_LINKED = 6 };
struct links {
	u32 n;
	struct linked at[MAX_LINKED];
};
/* The comparison at env->pc also refines the registers and slots with these ids (0: none) in
 * both outcomes; told before anything is refined, and finds them.  Beyond MAX_LINKED they lose
 * their id. */
int env_note_linked(struct env *env, u32 id_dst, u32 id_src, struct links *links);
/* The comparison of two registers at env->pc: these are pointers to the stack. */
int env_note_stack_compared(struct env *env, bool dst, bool src);

#endif
