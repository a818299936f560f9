/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of src/obj share while an object is being read: the ELF file, what its
 * sections and symbols turned out to be, and the steps in the order in which
 * object_open() takes them.  Nothing of this outlives object_open().  For src/obj only.
 */
#ifndef SKEP_OBJ_READER_H
#define SKEP_OBJ_READER_H

#include "base/hash.h"
#include "base/vec.h"
#include "obj/elf.h"
#include "obj/object.h"

/* A function of the file: code between two addresses of a section. */
struct func {
	const char *name;
	u32 section;
	u32 start, n_insns; /* in slots of the section */
	u32 btf_id;         /* its FUNC, or 0 */
	bool global, weak;
	bool entry; /* a program, not a subprogram */
};

/* Where in the file a map is declared. */
struct map_place {
	u32 section; /* ELF section */
	u64 offset;  /* in it */
	u64 size;
};

/* Code and relocations of an executable section. */
struct code {
	const u8 *slots; /* as in the file; NULL: no code */
	u32 n_insns;
	struct elf_reloc *relocs; /* by offset */
	u32 n_relocs;
	/* What .BTF.ext says of it; 0 rows where that is not in order. */
	const struct btf_line_info *lines;
	const struct btf_func_info *infos;
	const struct btf_core_relo **core; /* by offset */
	u32 n_lines, n_infos, n_core;
};

struct reader {
	struct object *obj;
	struct elf elf;
	struct hash_index symbols_by_name; /* of elf.symbols, by name and section */
	struct code *codes;                /* one for every section */
	struct vec funcs;                  /* struct func, by section and start */
	struct vec maps;                   /* struct map_def * */
	struct vec places;                 /* struct map_place, parallel to maps */
	u32 *by_place;                     /* indices of maps, by section and offset */
	const struct object_var **vars_by_place; /* by map and offset */
	u32 members_left;                        /* that maps.c may still look at */
	struct vec vars;                         /* struct object_var */
	struct vec externs;                      /* struct object_extern */
	/* By ELF symbol: the extern that an undefined one is, or -1. */
	s32 *symbol_extern;
	u32 kconfig_map;   /* in maps; when there are externs of that kind */
	u32 arena_section; /* of variables of the arena; 0: there are none */
	u32 arena_map;     /* in maps; when there is such a section */
	bool gnu_addends;  /* see addend.c */
};

/* The steps.  Each returns 0 or a negative errno; diag says where in the file. */
int read_btf(struct reader *r, struct skep_diag *diag);
int read_declared_maps(struct reader *r, struct skep_diag *diag);
int read_legacy_maps(struct reader *r, struct skep_diag *diag);
int read_data(struct reader *r, struct skep_diag *diag);
int read_externs(struct reader *r, const char *kconfig, struct skep_diag *diag);
int read_funcs(struct reader *r, struct skep_diag *diag);
int read_ext(struct reader *r, struct skep_diag *diag); /* after the functions */
int read_map_slots(struct reader *r, struct skep_diag *diag);
int link_programs(struct reader *r, struct skep_diag *diag);

/* A new map at the end of r->maps, zeroed, without a spin lock; NULL: memory is out. */
struct map_def *add_map(struct reader *r, const char *name, struct map_place place);

/* The map that is declared at that place of a section, or -1; after sort_places(). */
s32 map_at(const struct reader *r, u32 section, u64 offset);

/* The variable at or around that place of a map, or NULL; after sort_vars(). */
const struct object_var *var_at(const struct reader *r, const struct map_def *map,
				u64 offset);

/* The function that starts there, or -1. */
s32 func_at(const struct reader *r, u32 section, u64 slot);

/* The first symbol of that name in a section; NULL: none. */
const struct elf_symbol *find_symbol(const struct reader *r, const char *name,
				     u32 section);

/* The DATASEC of that name in the object's BTF; 0: none. */
u32 find_datasec(const struct reader *r, const char *name);

/* The name of a symbol, of its section if it stands for that. */
const char *symbol_name(const struct reader *r, const struct elf_symbol *sym);

/* Did GNU as make the file?  After the code is read. */
bool has_gnu_addends(const struct reader *r);

/* Where the relocation of that instruction points to, in bytes of its symbol's section;
 * anywhere, if the file says so. */
u64 reloc_target(const struct reader *r, const struct elf_reloc *rel,
		 const struct insn *insn);

static inline struct map_def *reader_map(const struct reader *r, u32 i)
{
	return *(struct map_def **)vec_at(&r->maps, i);
}

#endif
