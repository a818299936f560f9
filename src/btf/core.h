/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CO-RE: a program compiled against some kernel's types is fitted to the types of the
 * target.
 *
 * core_resolve() answers a relocation record as a value and touches nothing; core_apply()
 * writes that value into the instruction.  What the target does not have is not an error:
 * the instruction becomes a call of a helper that does not exist, which the verifier
 * refuses if the program can reach it, as Linux' own loader does. Kernel documentation:
 * bpf/llvm_reloc.rst.  obj, tools and tests include this.
 */
#ifndef SKEP_BTF_CORE_H
#define SKEP_BTF_CORE_H

#include "btf/btf.h"

struct insn;

enum core_kind {
#define C(name, number, ...) CORE_##name = number,
#include "btf/core.def"
#undef C
	CORE_KINDS
};

/* What a poisoned instruction calls; the number is Linux' convention. */
enum { CORE_POISON_HELPER = 0xbad2310 };

struct core; /* remembers the candidates of each local type; one thread at a time */

/* NULL when memory is out.  local and target are borrowed; target NULL: only what is
 * about local types resolves. */
struct core *core_new(const struct btf *local, const struct btf *target);
void core_free(struct core *core);

enum core_outcome {
	CORE_RESOLVED,
	CORE_NO_CANDIDATE, /* no type of that name and kind in the target */
	CORE_NO_MATCH,     /* there is one, but without that field, value or shape */
};

struct core_result {
	enum core_outcome outcome;
	bool poison;      /* the instruction cannot be given a value */
	u64 local, value; /* what the compiler assumed; what the target says */
	bool check_local; /* the instruction must hold the value "local" now */
	u32 target_type;  /* id of the type that matched, 0: none */
	u32 candidates;   /* how many types of the target matched (and agree) */
	/* For field offsets of loads and stores: the size of the field on both sides; 0
	 * where it is not one access. */
	u32 local_size, target_size;
	bool resize_fails; /* sizes differ and the value is signed: its access must not
			      change */
};

/*
 * Errors (EINVAL): the record makes no sense in the local BTF, or candidates of the
 * target disagree.  A missing target is no error: see outcome.
 */
int core_resolve(struct core *core, const struct btf_core_relo *relo,
		 struct core_result *out, struct skep_diag *diag);

/* Fits insns[pc]; insns has n slots.  Errors (EINVAL): the instruction is not one that
 * the record can be about. */
int core_apply(struct insn *insns, u32 n, u32 pc, const struct core_result *res,
	       struct skep_diag *diag);

/* Both; *out may be NULL. */
int core_relocate(struct core *core, struct insn *insns, u32 n, u32 pc,
		  const struct btf_core_relo *relo, struct core_result *out,
		  struct skep_diag *diag);

/* "struct task_struct::pid byte_off 1256" or "struct foo::bar byte_off: the target has no
 * such field". */
void core_print(struct text *t, const struct btf *local, const struct btf_core_relo *relo,
		const struct core_result *res);

const char *core_kind_name(enum core_kind kind); /* "byte_off" */

#endif
