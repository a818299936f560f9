/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses to memory, by instructions and by helpers: one file a kind of memory.
 *
 * access_check() judges a load or store and gives the loaded register its value;
 * region_check() judges what a helper or kfunc does to a buffer.  For src/verify.
 */
#ifndef SKEP_VERIFY_MEMORY_H
#define SKEP_VERIFY_MEMORY_H

#include "verify/env.h"

enum access_type { ACCESS_READ = 1, ACCESS_WRITE = 2 };

struct access {
	u32 reg;   /* the pointer */
	s32 off;   /* of the instruction */
	u32 size;  /* 1, 2, 4, 8 */
	enum access_type type;
	s32 value; /* register that is loaded or stored; -1: an immediate (store) or nobody looks (load) */
	s64 imm;   /* of a store with value -1 and has_imm */
	bool has_imm;
	bool sign_extend;
	bool atomic; /* read-modify-write: alignment is strict, some memory is refused */
};

/* A load or store of an instruction, or as if. */
int access_check(struct env *env, const struct access *access);

/* What a helper does to the memory that an argument points to. */
struct region_use {
	u32 reg;       /* argument */
	u32 size;      /* bytes from the pointer on */
	enum access_type type;
	bool zero_size_ok;
	bool raw;      /* uninitialised stack may be given: the helper fills it (all or nothing) */
	bool for_kfunc;
	/* out: for callers that mark what was written afterwards (raw) */
	bool is_raw_stack;
};
int region_check(struct env *env, struct region_use *use);
/* The same with the size in a register, which must be a SCALAR: fills use->size with the most it
 * can be.  use->reg is given; raw holds only where the size is a constant. */
int region_check_reg(struct env *env, struct region_use *use, u32 size_reg);
/* As region_check_reg() where nobody asks what was raw.  type: READ | WRITE are both. */
int region_check_sized(struct env *env, u32 mem_reg, u32 size_reg, enum access_type type, bool zero_size_ok, bool raw, bool for_kfunc);

/* For kfuncs: NULL is somebody else's business, what else the pointer points to is checked. */

/* The value that a store puts into memory others read must not be a pointer (unprivileged). */
int leak_check(struct env *env, const struct access *access, const char *into);
/* The register that a load fills holds any number from now on; access_check() cuts it to size. */
void load_unknown(struct env *env, const struct access *access);

/* Pointer with off (all of the fixed part, reg->off included) and var: may bytes [off, off + size) of mem_size be accessed?  memory.c */
struct span {
	u32 reg;
	s32 off;
	u32 size;
	u64 mem_size;
	bool zero_size_ok;
};
int span_check(struct env *env, const struct span *span);

/* Alignment as the target demands for this kind of pointer. */
int align_check(struct env *env, const struct reg *reg, s32 off, u32 size, bool strict);

/* Pointers that must be unmodified (ctx, BTF, sockets): var 0, off as given allows. */
int need_fixed_pointer(struct env *env, u32 regno, bool off_ok);

/* ---- stack: memory_stack.c ---- */

int stack_read(struct env *env, const struct access *access);
int stack_write(struct env *env, const struct access *access);
/* Bytes [off, off + size) of the frame, for helpers; as region_check(). */
int stack_region_check(struct env *env, struct region_use *use);
/* Marks a range of stack as written by somebody: misc bytes.  frame_no, off < 0. */
int stack_scratch(struct env *env, u32 frame_no, s32 off, u32 size);

/* ---- context: memory_ctx.c ---- */

int ctx_access(struct env *env, const struct access *access);

/* ---- maps: memory_map.c ---- */

int map_value_access(struct env *env, const struct access *access);
/* off: all of the fixed part, reg->off included.
 * Offsets of the value that hold locks, timers, kptrs, ... must not be touched directly. */
int map_region_check(struct env *env, u32 regno, s32 off, u32 size, bool zero_size_ok, bool by_helper);
/* Is the map's content constant (frozen and read-only for programs)? */
bool map_is_constant(const struct map_def *map);
/* May programs read, write the map? */
bool map_prog_reads(const struct map_def *map);
bool map_prog_writes(const struct map_def *map);

/* ---- packets: memory_packet.c ---- */

int packet_access(struct env *env, const struct access *access);
/* off: all of the fixed part, reg->off included. */
int packet_region_check(struct env *env, u32 regno, s32 off, u32 size, bool zero_size_ok);
/* May programs of this type?  by_helper: the helper's row must say pkt, too, but for
 * programs of type CGROUP_SOCKOPT. */
bool may_access_packet_directly(struct env *env, bool by_helper, bool write);
/* A helper may have moved or changed the packet. */
void forget_packet(struct env *env);

/* ---- everything typed by BTF: memory_btf.c ---- */

int btf_access(struct env *env, const struct access *access); /* PTR_TO_BTF_ID */
int map_pointer_access(struct env *env, const struct access *access); /* CONST_PTR_TO_MAP */

/* ---- sockets, flow keys, buffers, arenas, per-CPU memory: memory_other.c ---- */

int other_access(struct env *env, const struct access *access);

#endif
