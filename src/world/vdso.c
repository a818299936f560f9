/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds functions of the vDSO by its dynamic section, as a loader would: nothing else of
 * it is promised.  There are two forms of hash table; kernels have the one, the other or
 * both.  Either is asked for no more than how many symbols there are: a dozen.
 *
 * Never writes: the image is the kernel's.
 */
#include "world/vdso.h"

#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/types.h"

/* What the dynamic section tells; all in the object. */
struct object {
	uintptr_t bias; /* to be added to its addresses */
	const ElfW(Sym) * symbols;
	const char *strings;
	const ElfW(Half) * versions; /* parallel to symbols */
	const ElfW(Verdef) * definitions;
	const u32 *hash, *gnu_hash; /* NULL: not there */
};

static void read_dynamic(const ElfW(Dyn) * dyn, struct object *o)
{
	for (; dyn->d_tag != DT_NULL; dyn++) {
		const void *at = (const void *)(o->bias + dyn->d_un.d_ptr);

		switch (dyn->d_tag) {
		case DT_SYMTAB: o->symbols = at; break;
		case DT_STRTAB: o->strings = at; break;
		case DT_VERSYM: o->versions = at; break;
		case DT_VERDEF: o->definitions = at; break;
		case DT_HASH: o->hash = at; break;
		case DT_GNU_HASH: o->gnu_hash = at; break;
		default: break;
		}
	}
}

static bool read_object(const void *file, struct object *o)
{
	const ElfW(Ehdr) *head = file;
	const ElfW(Phdr) *segments = (const void *)((const u8 *)file + head->e_phoff);
	const ElfW(Dyn) *dyn = NULL;
	bool loaded = false;

	*o = (struct object){0};
	for (u32 i = 0; i < head->e_phnum; i++) {
		const ElfW(Phdr) *s = &segments[i];

		if (s->p_type == PT_LOAD && !loaded) {
			o->bias = (uintptr_t)file + s->p_offset - s->p_vaddr;
			loaded = true;
		} else if (s->p_type == PT_DYNAMIC) {
			dyn = (const void *)((const u8 *)file + s->p_offset);
		}
	}
	if (!loaded || !dyn)
		return false;
	read_dynamic(dyn, o);
	return o->symbols && o->strings && o->versions && o->definitions;
}

/* The table: how many buckets, the first symbol that has one, words of a filter (each as
 * long as an address), a shift; the filter, the buckets: the first symbol of each;
 * then a word for each symbol, odd where a bucket ends. */
static u32 count_by_gnu_hash(const u32 *table)
{
	const u32 *buckets = table + 4 + table[2] * (sizeof(uintptr_t) / sizeof(u32));
	const u32 *symbols = buckets + table[0];
	u32 last = 0;

	for (u32 i = 0; i < table[0]; i++)
		last = buckets[i] > last ? buckets[i] : last;
	if (last < table[1])
		return 0;
	while (!(symbols[last - table[1]] & 1))
		last++;
	return last + 1;
}

static u32 count_symbols(const struct object *o)
{
	if (o->gnu_hash)
		return count_by_gnu_hash(o->gnu_hash);
	return o->hash ? o->hash[1] : 0;
}

static const char *version_name(const struct object *o, const ElfW(Verdef) * def)
{
	const u8 *names = (const u8 *)def + def->vd_aux;

	return o->strings + ((const ElfW(Verdaux) *)(const void *)names)->vda_name;
}

/* Is the version with that number called so? */
static bool is_version(const struct object *o, u32 number, const char *name)
{
	const ElfW(Verdef) *def = o->definitions;

	while (def->vd_ndx != number) {
		if (!def->vd_next)
			return false;
		def = (const void *)((const u8 *)def + def->vd_next);
	}
	return !strcmp(version_name(o, def), name);
}

const void *vdso_function(const void *object, const char *name, const char *version)
{
	enum { VERSION = 0x7fff }; /* the bit above: not the default one */
	struct object o;
	u32 n;

	if (!read_object(object, &o))
		return NULL;
	n = count_symbols(&o);
	for (u32 i = 0; i < n; i++) {
		const ElfW(Sym) *s = &o.symbols[i];

		if (s->st_shndx != SHN_UNDEF && (s->st_info & 0xf) == STT_FUNC &&
		    !strcmp(o.strings + s->st_name, name) &&
		    is_version(&o, o.versions[i] & VERSION, version))
			return (const void *)(o.bias + s->st_value);
	}
	return NULL;
}

clock_fn vdso_clock(void)
{
#if defined(__x86_64__) && defined(__LP64__)
	static const char name[] = "__vdso_clock_gettime", version[] = "LINUX_2.6";
#elif defined(__aarch64__) && defined(__LP64__)
	static const char name[] = "__kernel_clock_gettime", version[] = "LINUX_2.6.39";
#else
	static const char name[] = "", version[] = "";
#endif
	const void *object = (const void *)(uintptr_t)getauxval(AT_SYSINFO_EHDR);

	return object && *name ? (clock_fn)(uintptr_t)vdso_function(object, name, version)
			       : NULL;
}
