/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the arguments of a USDT probe are, in the form that programs read.
 *
 * The structs are those that programs compiled with libbpf's usdt.bpf.h have in their map
 * __bpf_usdt_specs: an interface between two sides, and not ours to change.  For
 * src/kern.
 */
#ifndef SKEP_KERN_USDT_ARGS_H
#define SKEP_KERN_USDT_ARGS_H

#include "base/types.h"

struct skep_diag;

enum usdt_arg_type { USDT_CONST, USDT_REG, USDT_REG_DEREF, USDT_SIB };

struct usdt_arg {
	u64 value; /* of CONST; else what is added to the address */
	u32 type;  /* enum usdt_arg_type; of SIB also the index register */
	s16 reg;   /* its offset in struct pt_regs */
	bool is_signed;
	u8 shift; /* bits that are not part of the value */
};

/* The word `type` of an address BASE + INDEX * SCALE: programs older than libbpf 1.7 see
 * a type that they do not know, and say so. */
enum { USDT_INDEX_SHIFT = 8, USDT_SCALE_SHIFT = 20 };

enum { USDT_ARGS = 12 };

struct usdt_spec {
	struct usdt_arg args[USDT_ARGS];
	u64 cookie;
	u16 n_args;
	u8 unused[5];
	u8 taken; /* ours, where programs see padding: the slot of the map is in use */
};

_Static_assert(sizeof(struct usdt_spec) == 208, "libbpf's struct __bpf_usdt_spec");

/* text: "-4@%edi 8@-16(%rbp)"; machine: EM_X86_64 or EM_AARCH64. */
int usdt_parse_args(const char *text, u16 machine, struct usdt_spec *spec,
		    struct skep_diag *diag);

#endif
