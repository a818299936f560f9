/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The abstract state of a program before one instruction: frames with their registers and
 * stack slots, references held, locks held.
 *
 * There is one working state, with room for everything; what is kept for later (branches
 * to explore, states to compare with) is a copy that holds no more than was in use.  Words
 * are those of Documentation/bpf/verifier.rst.  This file knows what a state is, never
 * what an instruction does to it.  For src/verify.
 */
#ifndef SKEP_VERIFY_STATE_H
#define SKEP_VERIFY_STATE_H

#include "verify/scalar.h"

struct btf;
struct map_def;
struct record;

enum {
	STACK_BYTES = 512,
	STACK_SLOTS = STACK_BYTES / 8,
	FRAMES = 8, /* that call each other */
	MAX_REFS = 64,
	MAX_VAR_OFF = 1 << 29, /* beyond, pointer arithmetic is refused */
};

enum reg_kind {
	UNINIT,
	SCALAR,
	PTR_TO_CTX,
	CONST_PTR_TO_MAP,
	PTR_TO_MAP_VALUE,
	PTR_TO_MAP_KEY,
	PTR_TO_STACK,
	PTR_TO_PACKET_META,
	PTR_TO_PACKET,
	PTR_TO_PACKET_END,
	PTR_TO_FLOW_KEYS,
	PTR_TO_SOCKET,
	PTR_TO_SOCK_COMMON,
	PTR_TO_TCP_SOCK,
	PTR_TO_TP_BUFFER,
	PTR_TO_XDP_SOCK,
	PTR_TO_BTF_ID,
	PTR_TO_MEM,
	PTR_TO_ARENA,
	PTR_TO_BUF,
	PTR_TO_FUNC,
	CONST_PTR_TO_DYNPTR,
	REG_KINDS
};

/* What is said of a pointer beside its kind. */
enum reg_flag {
	MAYBE_NULL = 1 << 0,
	RDONLY = 1 << 1,    /* the memory may only be read */
	RINGBUF = 1 << 2,   /* PTR_TO_MEM: a record reserved in a ring buffer */
	USER = 1 << 3,      /* memory of user space */
	PERCPU = 1 << 4,
	UNTRUSTED = 1 << 5, /* may be dangling: reads are by exception table */
	ALLOCATED = 1 << 6, /* made by bpf_obj_new */
	TRUSTED = 1 << 7,
	RCU = 1 << 8,
	NON_OWN_REF = 1 << 9,
	PACKET_SLICE = 1 << 10, /* PTR_TO_MEM: dynptr slice of a packet, ends as packet pointers do */
	OTHER_SLICE = 1 << 11, /* PTR_TO_MEM: dynptr slice of other memory */
};

enum dynptr_type {
	DYNPTR_NONE,
	DYNPTR_LOCAL,
	DYNPTR_RINGBUF,
	DYNPTR_SKB,
	DYNPTR_XDP,
	DYNPTR_SKB_META,
};

enum iter_state { ITER_NONE, ITER_ACTIVE, ITER_DRAINED };

/*
 * A register, or what is spilled in a stack slot.
 *
 * SCALAR: var is the value.  Pointers: the address is base + off + var.  To ask whether two
 * registers are the same one compares all that follows kind.
 */
struct reg {
	u8 kind; /* enum reg_kind */
	bool precise; /* SCALAR: its value mattered; meaningful in kept states */
	u16 flags;    /* enum reg_flag */
	s32 off;
	union {
		struct { /* CONST_PTR_TO_MAP, PTR_TO_MAP_VALUE, PTR_TO_MAP_KEY */
			const struct map_def *map; /* borrowed */
			u32 map_uid; /* which of several inner maps */
		};
		struct { /* PTR_TO_BTF_ID */
			const struct btf *btf; /* borrowed: the kernel's, a module's, the program's */
			u32 btf_id;
		};
		struct { /* PTR_TO_MEM */
			u32 mem_size;
			u32 dynptr_id; /* slices: of the dynptr they are of */
		};
		struct { /* packet */
			u32 range; /* so many bytes from var and id on are there */
			/* ... or as s32 negative: PACKET_AT_END, PACKET_BEYOND_END */
			bool moved; /* down since then: what is negative is believed, not known */
		};
		u32 subprog; /* PTR_TO_FUNC */
		struct { /* first slot of a dynptr on the stack, CONST_PTR_TO_DYNPTR */
			u8 dynptr_type; /* enum dynptr_type */
			bool first_slot;
		};
		struct { /* first slot of an iterator on the stack */
			const struct btf *iter_btf; /* borrowed */
			u32 iter_id; /* the struct's type */
			u16 iter_state; /* enum iter_state */
			u16 iter_depth;
		};
		struct { /* saved interrupt flags on the stack */
			u8 irq_class; /* of which pair of kfuncs */
		};
		u64 raw[2]; /* all of the above, for comparing and copying */
	};
	struct scalar var;
	/*
	 * SCALAR: registers with the same id hold the same number (ADD_CONST: that number
	 * plus off).  MAYBE_NULL pointers: become NULL or not together.  Packet pointers:
	 * have the same variable offset.  Locks: which map value.  Dynptr: which one.
	 */
	u32 id;
	u32 ref_id; /* of the reference that it stands for or comes from; 0: none */
	u32 ends_with; /* of the reference that it was made from but does not stand for */
	u32 frame;     /* PTR_TO_STACK: whose */
};

/* range of a packet pointer that was compared and is not before the end: nothing may be read
 * (a range that is no more than MAX_PACKET_OFF is never one of these). */
enum { PACKET_AT_END = -1, PACKET_BEYOND_END = -2, MAX_PACKET_OFF = 0xffff };

/* In id: the number of that id plus off, by an addition of 64 or of 32 bits. */
#define ID_ADD_CONST64 (1u << 31)
#define ID_ADD_CONST32 (1u << 30)
#define ID_ADD_CONST (ID_ADD_CONST64 | ID_ADD_CONST32)

enum slot_type {
	SLOT_INVALID, /* never written */
	SLOT_SPILL,   /* part of slot->spilled */
	SLOT_MISC,    /* some bytes */
	SLOT_ZERO,
	SLOT_DYNPTR,
	SLOT_ITER,
	SLOT_IRQ_FLAG,
};

/* 8 bytes of stack. */
struct slot {
	struct reg spilled; /* where type[0] is SLOT_SPILL, and of dynptrs, iterators, flags */
	u8 type[8];         /* enum slot_type; [i]: of byte i from the lowest address on */
};

/* One function that is being executed. */
struct frame {
	struct reg regs[N_REGS];
	u32 callsite; /* pc of the call that made it */
	u32 no;       /* 0: main */
	u32 subprog;
	u32 async_entries; /* how often asynchronous callbacks were entered, of frame 0 */
	s64 callback_ret_min, callback_ret_max; /* what a callback may return */
	bool in_callback, in_async_callback, in_exception_callback;
	u32 callback_depth; /* iterations of the callback that this frame calls */
	u32 n_slots;
	struct slot slots[]; /* [i]: bytes -(i+1)*8 .. of the frame; n_slots of STACK_SLOTS */
};

enum ref_kind {
	REF_PTR = 1 << 1,
	REF_IRQ = 1 << 2,
	REF_LOCK = 1 << 3,
	REF_RES_LOCK = 1 << 4,
	REF_RES_LOCK_IRQ = 1 << 5,
};

struct ref {
	u8 kind; /* enum ref_kind */
	u32 id;
	u32 pc;          /* where it was acquired */
	const void *ptr; /* locks: which map or BTF the lock is in */
};

/* How the path came to the state: instructions where something happened that going back
 * along the path must know (precision.c). */
struct history; /* history.h */

struct state {
	/* ---- of kept states what is looked at in passing: visit.c ---- */
	struct state *next;           /* of the same instruction; of the branches that wait */
	u32 pc;                       /* the next instruction */
	u32 branches; /* kept states and paths under way that come from this one */
	u32 looks; /* of the current frame's registers: states that differ are not the same */
	u32 hits, misses;

	u32 depth;                    /* of frames: the current one is frames[depth] */
	/* Owned.  The working state has all FRAMES from the start: entering a function fills
	 * frames[depth + 1] in place. */
	struct frame *frames[FRAMES];
	struct state *parent;         /* counted by its branches: the kept state before this one */
	u32 first_pc, last_pc; /* of the path from the parent to here */
	struct ref *refs; /* owned: n_refs; in the working state room for MAX_REFS */
	u32 n_refs;
	u32 active_locks, active_preempt, active_rcu;
	u32 active_irq_id, active_lock_id;
	const void *active_lock_ptr;
	bool speculative, in_sleepable, cleaned;
	u8 differs; /* kept states: the register that was not covered when it was compared last */
	u32 dfs_depth, callback_unroll_depth, may_goto_depth;
	u32 trail; /* the observer's, who may write it: copied with the state (trace.c) */
	struct history *history; /* counted (history.h): path from the parent to here */
	/* ---- kept states: visit.c ---- */
	struct state *equal;       /* copies at back edges: the kept state that covers it */
	struct state **evicted;    /* not compared any more: what points here */
	struct loop *loop;         /* the visit of the loop that it is in, or NULL */
	struct loop *round;        /* ... of rounds of a callback (loops.c) */
	u32 block;                 /* keep.c: size of its memory; 0: the working state */
	u32 extra_block;           /* of extra */
	struct frame *extra;       /* owned: a frame added to a copy (env_new_frame), or NULL */
	struct small *small;       /* compact.c: in its block, in place of frames; NULL: frames */
	const void *packed;        /* pack.c: what its frames are, in its block; NULL: frames */
};

/* callsite of a frame that no instruction of the program called. */
#define NO_CALLSITE (~0u)
/* last_pc, env->prev_pc: there was no instruction before. */
#define NO_INSN (~0u)

static inline struct frame *state_frame(const struct state *st)
{
	return st->frames[st->depth];
}

static inline struct reg *state_regs(const struct state *st)
{
	return st->frames[st->depth]->regs;
}

/* ---- registers ---- */

void reg_set_uninit(struct reg *reg);
void reg_set_unknown(struct reg *reg); /* any number */
void reg_set_const(struct reg *reg, u64 value);
void reg_set_scalar(struct reg *reg, const struct scalar *value);
/* A pointer of that kind, at offset 0, without id or reference. */
void reg_set_pointer(struct reg *reg, enum reg_kind kind, u32 flags);
/* The variable part becomes 0. */
void reg_no_var(struct reg *reg);

static inline bool reg_is_pointer(const struct reg *reg)
{
	return reg->kind > SCALAR;
}

static inline bool reg_is_const(const struct reg *reg)
{
	return reg->kind == SCALAR && scalar_is_const(&reg->var);
}

/* Is it the number 0, known? */
static inline bool reg_is_null(const struct reg *reg)
{
	return reg_is_const(reg) && !reg->var.bits.value;
}

static inline bool reg_is_packet(const struct reg *reg)
{
	return reg->kind == PTR_TO_PACKET || reg->kind == PTR_TO_PACKET_META;
}

/* "map_value", "ctx", "rcu_ptr_or_null_task_struct": as in the kernel's log. */
const char *reg_kind_name(enum reg_kind kind);
/* The same for a reader: "map value" (pointer), "a map value pointer". */
const char *reg_kind_word(enum reg_kind kind);
const char *reg_kind_phrase(enum reg_kind kind);

/* ---- stack slots ---- */

/* The slot of a byte at off (negative) below the frame's end; off in [-512, -1]. */
static inline u32 slot_of(s32 off)
{
	return (u32)(-off - 1) / 8;
}

static inline bool slot_is_spill(const struct slot *slot)
{
	return slot->type[0] == SLOT_SPILL;
}

/* Room for n slots in a frame of the working state: new ones are SLOT_INVALID. */
void frame_grow(struct frame *frame, u32 n_slots);

/* ---- all of a state ---- */

/* Every register and every spilled register of all frames. */
struct reg_walk {
	const struct state *st;
	u32 frame, reg, slot;
};
struct reg *reg_walk_next(struct reg_walk *walk); /* NULL: that was all */
#define for_each_reg(st, reg)                                                            \
	for (struct reg_walk walk_ = {(st), 0, 0, 0}; ((reg) = reg_walk_next(&walk_));)

#endif
