/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An object file as a value: its programs, maps, variables, externs and types, linked and
 * ready to be fitted to a target.
 *
 * object_open() reads any object that clang or gcc makes.  What cannot be resolved does
 * not stop it: each program carries its own outcome, so that everything can be shown.
 * object_fit() makes the struct prog that later stages want, for one target.  Everything
 * lives in the object's arena until object_free().  One thread at a time changes an
 * object; anybody may include this.  Semantics of sections and relocations: libbpf's
 * documentation (program types, map definitions) and LLVM's (BPF relocations).
 */
#ifndef SKEP_OBJ_OBJECT_H
#define SKEP_OBJ_OBJECT_H

#include <skep/diag.h>

#include "base/arena.h"
#include "btf/btf.h"
#include "btf/core.h"
#include "prog/prog.h"

struct target;

enum { OBJECT_MAX_MAPS = 8192, OBJECT_MAX_PROGS = 8192 };

struct object_opts {
	const char *name; /* for messages; copied; NULL: "object" */
	/* The kernel's configuration as text, "CONFIG_X=y" lines, for externs of
	 * .kconfig; only read.  NULL: none; then only weak ones and LINUX_* resolve. */
	const char *kconfig;
};

/* A relocation as `skep info` shows it, in the order of the program's instructions. */
enum object_reloc_kind {
	OBJECT_RELOC_MAP,
	OBJECT_RELOC_DATA, /* a global variable */
	OBJECT_RELOC_FUNC, /* the address of a function */
	OBJECT_RELOC_CALL,
	OBJECT_RELOC_EXTERN, /* kernel symbol or kfunc */
	OBJECT_RELOC_CORE,
};

struct object_reloc {
	enum object_reloc_kind kind : 8;
	bool unresolved;  /* why (the first of them): the program's diag */
	u32 insn;         /* slot in the linked program */
	const char *name; /* of the symbol; of CORE: NULL */
	const struct btf_core_relo *core; /* of CORE; else NULL */
};

struct object_prog {
	struct prog prog; /* linked, not fitted: CO-RE and kernel symbols are open */
	/* Why this program could not be linked.  Where names are missing, prog is as
	 * complete as it can be; where the code makes no sense, prog.insns is NULL. */
	int err;
	struct skep_diag diag;
	const struct object_reloc *relocs;
	u32 n_relocs;
};

/* A global variable of .data*, .rodata*, .bss* or .kconfig. */
struct object_var {
	const char *name;
	struct map_def *map; /* the one that holds it */
	u32 offset, size;    /* in the map's value; an extern of .kconfig too */
	u32 btf_id;          /* its type; 0: unknown */
	bool is_static;
};

enum object_extern_kind { EXTERN_KCONFIG, EXTERN_KSYM, EXTERN_KFUNC, EXTERN_UNKNOWN };

struct object_extern {
	const char *name;
	enum object_extern_kind kind;
	u32 btf_id; /* VAR or FUNC in the object's BTF, 0: none */
	bool typed; /* of a type that the target's must match: not "void" */
	bool weak;
	u32 var;           /* of KCONFIG: index in the object's vars */
	bool resolved;     /* of KCONFIG: has a value (weak ones: zero) */
	const char *error; /* of KCONFIG: why not; or NULL */
};

struct object {
	struct arena arena;
	const char *name;
	bool big_endian;
	const char *license; /* NULL: there is no such section */
	u32 version;
	const struct btf *btf; /* NULL: none, or it is broken: see btf_diag */
	struct btf_ext ext;
	struct skep_diag
		btf_diag; /* why .BTF or .BTF.ext were left out; id 0: they were not */
	struct object_prog *progs;
	u32 n_progs;
	struct map_def **maps;
	u32 n_maps;
	struct object_var *vars;
	u32 n_vars;
	struct object_extern *externs;
	u32 n_externs;
};

/*
 * Reads an object file.  file: only read during the call, not kept.  Errors: ENOEXEC for
 * what is no eBPF object, EINVAL for a broken file or map definition, ENOMEM; the place
 * is in diag.
 */
int object_open(struct bytes file, const struct object_opts *opts, struct object **obj,
		struct skep_diag *diag);
void object_free(struct object *obj); /* NULL is fine */

/* The index of the program, map or variable with that name, or -1. */
int object_find_prog(const struct object *obj, const char *name);
int object_find_map(const struct object *obj, const char *name);
int object_find_var(const struct object *obj, const char *name);

/*
 * Program i for a target: CO-RE relocations applied, kernel symbols and kfuncs looked up.
 * *fitted lives as long as the object.  Errors: what stopped the linking of this program;
 * EINVAL for an object of the other byte order and for relocations that make no sense;
 * ENOENT for kernel symbols (not weak) that the target does not have.
 */
int object_fit(struct object *obj, u32 i, const struct target *target,
	       const struct prog **fitted, struct skep_diag *diag);

/* Gives the externs of .kconfig that are facts about the target their values, as
 * object_fit() does: for whoever fills maps before programs are fitted. */
int object_set_facts(struct object *obj, u32 version);

/* The outcome of the CO-RE relocation for a target, for listings. */
int object_core_result(struct object *obj, const struct object_reloc *reloc,
		       const struct target *target, struct core_result *result,
		       struct skep_diag *diag);

/*
 * The initial value of a variable, in the map that holds it; size must be the variable's.
 * Errors: ENOENT, EINVAL for the wrong size, ENOMEM.
 */
int object_set_var(struct object *obj, const char *name, const void *value, size_t size,
		   struct skep_diag *diag);

#endif
