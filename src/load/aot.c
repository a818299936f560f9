/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file of a compiled object.
 *
 *	header		what it was made for; a digest of all that follows
 *	object		the ELF file
 *	maps		of each: what the code knows of its layout, its initial data
 *	programs	of each that was compiled: functions, relocs, code
 *
 * Numbers are in the host's order: code of another machine is refused before.  Code
 * names maps by number, helpers by number and its own functions by offset, so that it
 * runs at any address.  What was decided when it was compiled (CO-RE, constants) is in
 * the code: neither types nor the verifier are asked again.
 */
#include "load/aot.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/sha256.h"
#include "base/text.h"
#include "exec/jit/compile.h"
#include "load/load.h"

static const char magic[8] = "skepaot";

enum { FORMAT = 3, ALIGN = 8 };

struct aot_header {
	char magic[8];
	u8 digest[SHA256_LEN]; /* of what follows this field */
	u32 format;
	u32 layout; /* of the structs whose offsets are in the code */
	char version[16];
	char machine[16];
	char target[32];
	u8 object[SHA256_LEN]; /* digest of the object file */
	u64 object_len;
	u32 features; /* that the CPU must have */
	u32 n_maps, n_progs;
	u32 time_limit; /* the code has checks for it */
};

struct aot_map {
	u64 facts[12];
	u64 data_len;
};

struct aot_prog {
	u32 index; /* in the object */
	u32 n_functions, n_relocs, code_len;
	u32 exception; /* native.exception */
	u32 returns;   /* native.returns */
	struct verify_context context;
};

struct aot {
	struct aot_header header;
	u8 *bytes; /* owned; the file */
	struct bytes object, maps, progs;
};

/* ---- what code takes for granted ---- */

/* A new layout of these is another version. */
static u32 layout(void)
{
	return (u32)(sizeof(struct run) * 31 + offsetof(struct run, err) * 37 +
		     offsetof(struct run, engine) * 41 + offsetof(struct run, cpu) * 43 +
		     offsetof(struct run, packet) * 47 +
		     offsetof(struct run, going) * 97 + sizeof(struct jit_run) * 53 +
		     sizeof(struct map) * 59 + offsetof(struct map, region) * 61 +
		     JIT_ROUTINES * 67 + offsetof(struct image, entry) * 71 +
		     offsetof(struct jit_run, image) * 73 + map_ref_layout.refs * 79 +
		     map_ref_layout.slots * 83 + map_ref_layout.object * 89 +
		     offsetof(struct run, world) * 101 +
		     offsetof(struct world, pages) * 103 +
		     sizeof(struct clock_page) * 107);
}

static void map_facts(const struct map *map, u64 facts[12])
{
	memset(facts, 0, 12 * sizeof(*facts));
	if (!map)
		return;
	facts[0] = map->type;
	facts[1] = map->key_size;
	facts[2] = map->value_size;
	facts[3] = map->max_entries;
	facts[4] = map->flags;
	facts[5] = map->value_stride;
	facts[6] = map->n_cpus;
	facts[7] = map->values_off;
	facts[8] = map->values_size;
	facts[9] = map->cpu_stride;
	facts[10] = map->region_size;
	facts[11] = map->n_fields | (u64)map_holds_constants(map) << 32;
}

/* ---- writing ---- */

static void pad(struct text *out)
{
	static const char zeroes[ALIGN];

	text_write(out, zeroes, (ALIGN - out->len % ALIGN) % ALIGN);
}

static void put(struct text *out, const void *data, u64 len)
{
	text_write(out, data, len);
	pad(out);
}

static void put_map(const struct skep_map *map, struct text *out)
{
	struct aot_map row = {.data_len = map->def->data ? map->def->data_size : 0};

	map_facts(map->map, row.facts);
	put(out, &row, sizeof(row));
	if (row.data_len)
		put(out, map->def->data, row.data_len);
}

/*
 * Helpers' addresses become names: 0 is the helper's body, n the function that looks up
 * keys of the size of map n - 1.
 */
static bool name_helper(const struct image *image, struct native_reloc *reloc)
{
	u64 address = (u64)reloc->value;

	reloc->value = 0;
	if (address == (uintptr_t)image->helper(reloc->index))
		return true;
	for (u32 i = 0; i < image->prog->n_maps; i++) {
		if (address == (uintptr_t)map_direct_lookup(image->maps[i])) {
			reloc->value = i + 1;
			return true;
		}
	}
	return false;
}

static int put_native(const struct skep_prog *prog, struct native *native,
		      struct text *out, struct skep_diag *diag)
{
	struct aot_prog row = {.index = (u32)(prog - prog->obj->progs),
			       .n_functions = native->n_functions,
			       .n_relocs = native->n_relocs,
			       .exception = native->exception,
			       .returns = native->returns,
			       .code_len = native->len,
			       .context = prog->context};

	for (u32 i = 0; i < native->n_relocs; i++) {
		if (native->relocs[i].kind == IR_HELPER &&
		    !name_helper(prog->image, &native->relocs[i]))
			return fail(diag, AOT_ADDRESS, NO_PC);
	}
	put(out, &row, sizeof(row));
	put(out, native->functions, (u64)row.n_functions * sizeof(*native->functions));
	put(out, native->relocs, (u64)row.n_relocs * sizeof(*native->relocs));
	put(out, native->code, row.code_len);
	return 0;
}

static int put_prog(const struct skep_prog *prog, struct text *out,
		    struct skep_diag *diag)
{
	struct jit_source src = {.prog = prog->prog,
				 .maps = prog->image->maps,
				 .helper = prog->image->helper,
				 .arena = prog->arena,
				 .ways = prog->ways,
				 .opts = prog->obj->jit};
	struct native native;
	int err = prog->chain ? fail(diag, AOT_ADDRESS, NO_PC)
			      : jit_compile(&src, &native, diag);

	if (err)
		return err;
	err = put_native(prog, &native, out, diag);
	native_fini(&native);
	return err;
}

static int put_all(const struct skep_object *obj, struct aot_header *header,
		   struct text *out, struct skep_diag *diag)
{
	int err = 0;

	for (u32 i = 0; i < obj->n_maps; i++)
		put_map(&obj->maps[i], out);
	for (u32 i = 0; i < obj->n_progs && !err; i++) {
		if (!obj->progs[i].image)
			continue;
		err = put_prog(&obj->progs[i], out, diag);
		header->n_progs++;
	}
	return err;
}

static void fill_header(const struct skep_object *obj, struct bytes object,
			const char *target, struct aot_header *header)
{
	const struct machine *machine = host_machine(&header->features);

	memcpy(header->magic, magic, sizeof(magic));
	header->format = FORMAT;
	header->layout = layout();
	strncpy(header->version, skep_version(), sizeof(header->version) - 1);
	strncpy(header->machine, machine->name, sizeof(header->machine) - 1);
	strncpy(header->target, target, sizeof(header->target) - 1);
	sha256(object.data, object.len, header->object);
	header->object_len = object.len;
	header->n_maps = obj->n_maps;
	header->time_limit = obj->jit.time_limit;
}

static void seal(struct aot_header *header, struct text *out)
{
	size_t from = offsetof(struct aot_header, format);

	memcpy(out->s, header, sizeof(*header));
	sha256(out->s + from, out->len - from, header->digest);
	memcpy(out->s, header, sizeof(*header));
}

int aot_write(const struct skep_object *obj, struct bytes object, const char *target,
	      struct text *out, struct skep_diag *diag)
{
	struct aot_header header = {0};
	int err;

	fill_header(obj, object, target, &header);
	put(out, &header, sizeof(header));
	put(out, object.data, object.len);
	err = put_all(obj, &header, out, diag);
	if (!err && out->failed)
		err = fail(diag, NO_MEMORY, NO_PC);
	if (!err)
		seal(&header, out);
	return err;
}

/* ---- reading ---- */

/* The next len bytes, and what pads them; false: they are not there. */
static bool take(struct bytes *from, u64 len, const void **out)
{
	u64 padded;

	if (len > from->len)
		return false;
	padded = round_up(len, ALIGN);
	if (padded > from->len)
		return false;
	*out = from->data;
	from->data += padded;
	from->len -= padded;
	return true;
}

bool aot_is(struct bytes file)
{
	return file.len >= sizeof(struct aot_header) &&
	       !memcmp(file.data, magic, sizeof(magic));
}

/* Strings of the file end within their fields. */
static int check_header(struct aot_header *h, struct skep_diag *diag)
{
	const struct machine *machine;
	u32 features = 0;

	h->version[sizeof(h->version) - 1] = h->machine[sizeof(h->machine) - 1] = 0;
	if (h->format != FORMAT || h->layout != layout() ||
	    strcmp(h->version, skep_version()) != 0)
		return fail(diag, AOT_VERSION, NO_PC, h->version, skep_version());
	machine = host_machine(&features);
	if (!machine || strcmp(machine->name, h->machine) != 0)
		return fail(diag, AOT_MACHINE, NO_PC, h->machine);
	if (h->features & ~features)
		return fail(diag, AOT_CPU, NO_PC, h->features & ~features);
	return 0;
}

static int check(struct aot *aot, u64 len, struct skep_diag *diag)
{
	size_t from = offsetof(struct aot_header, format);
	u8 digest[SHA256_LEN];

	memcpy(&aot->header, aot->bytes, sizeof(aot->header));
	sha256(aot->bytes + from, len - from, digest);
	if (memcmp(digest, aot->header.digest, SHA256_LEN) != 0)
		return fail(diag, AOT_CHANGED, NO_PC);
	return check_header(&aot->header, diag);
}

/* Finds the parts; they are read where they are needed. */
static bool split(struct aot *aot, struct bytes rest)
{
	const void *at;

	if (!take(&rest, sizeof(aot->header), &at) ||
	    !take(&rest, aot->header.object_len, &at))
		return false;
	aot->object = (struct bytes){at, aot->header.object_len};
	aot->maps = rest;
	for (u32 i = 0; i < aot->header.n_maps; i++) {
		struct aot_map row;

		if (!take(&rest, sizeof(row), &at))
			return false;
		memcpy(&row, at, sizeof(row));
		if (!take(&rest, row.data_len, &at))
			return false;
	}
	aot->progs = rest;
	return true;
}

int aot_open(struct bytes file, struct aot **out, struct skep_diag *diag)
{
	struct aot *aot = calloc(1, sizeof(*aot));
	int err;

	if (aot)
		aot->bytes = malloc(file.len);
	if (!aot || !aot->bytes) {
		free(aot);
		return fail(diag, NO_MEMORY, NO_PC);
	}
	memcpy(aot->bytes, file.data, file.len);
	err = check(aot, file.len, diag);
	if (!err && !split(aot, (struct bytes){aot->bytes, file.len}))
		err = fail(diag, AOT_CHANGED, NO_PC);
	if (err)
		aot_free(aot);
	else
		*out = aot;
	return err;
}

void aot_free(struct aot *aot)
{
	if (!aot)
		return;
	free(aot->bytes);
	free(aot);
}

struct bytes aot_object(const struct aot *aot)
{
	return aot->object;
}

/* ---- using it ---- */

struct prog_parts {
	struct aot_prog row;
	const void *functions, *relocs, *code;
};

static bool take_prog(struct bytes *from, struct prog_parts *p)
{
	const void *at;

	if (!take(from, sizeof(p->row), &at))
		return false;
	memcpy(&p->row, at, sizeof(p->row));
	return take(from, (u64)p->row.n_functions * sizeof(struct native_function),
		    &p->functions) &&
	       take(from, (u64)p->row.n_relocs * sizeof(struct native_reloc),
		    &p->relocs) &&
	       take(from, p->row.code_len, &p->code);
}

static bool find_prog(const struct aot *aot, u32 index, struct prog_parts *p)
{
	struct bytes rest = aot->progs;

	for (u32 i = 0; i < aot->header.n_progs; i++) {
		if (!take_prog(&rest, p))
			return false;
		if (p->row.index == index)
			return true;
	}
	return false;
}

static int restore_data(const struct aot *aot, struct skep_object *obj)
{
	struct bytes rest = aot->maps;
	const void *at;

	for (u32 i = 0; i < obj->n_maps; i++) {
		const struct map_def *def = obj->maps[i].def;
		struct aot_map row;

		if (!take(&rest, sizeof(row), &at))
			return -EINVAL;
		memcpy(&row, at, sizeof(row));
		if (!take(&rest, row.data_len, &at))
			return -EINVAL;
		if (row.data_len != (def->data ? def->data_size : 0))
			return -EINVAL;
		if (row.data_len)
			memcpy(def->data, at, row.data_len);
	}
	return 0;
}

int aot_prepare(const struct aot *aot, struct skep_object *obj, struct skep_diag *diag)
{
	struct prog_parts parts;

	if (obj->jit.time_limit && !aot->header.time_limit)
		return fail(diag, AOT_TIME, NO_PC);
	if (obj->n_maps != aot->header.n_maps || restore_data(aot, obj))
		return fail(diag, AOT_CHANGED, NO_PC);
	for (u32 i = 0; i < obj->n_progs; i++) {
		struct skep_prog *prog = &obj->progs[i];

		prog->unwanted = !find_prog(aot, i, &parts);
		if (!prog->unwanted)
			prog->context = parts.row.context;
	}
	return 0;
}

/* Is the map as it was when code was made for it?  What was constant is in the code. */
static bool is_as_compiled(const struct map *map, const struct aot_map *row,
			   const void *data)
{
	u64 facts[12];
	void *live;

	map_facts(map, facts);
	if (memcmp(facts, row->facts, sizeof(facts)) != 0)
		return false;
	if (!map_holds_constants(map))
		return true;
	if (map_value_addr(map, 0, &live))
		return false;
	return row->data_len ? row->data_len == map->value_size &&
				       !memcmp(live, data, row->data_len)
			     : bytes_all_zero((struct bytes){live, map->value_size});
}

static int check_maps(const struct aot *aot, const struct skep_object *obj,
		      struct skep_diag *diag)
{
	struct bytes rest = aot->maps;
	const void *at;

	for (u32 i = 0; i < obj->n_maps; i++) {
		const struct map *map = obj->maps[i].map;
		struct aot_map row;

		if (!take(&rest, sizeof(row), &at))
			return fail(diag, AOT_CHANGED, NO_PC);
		memcpy(&row, at, sizeof(row));
		if (!take(&rest, row.data_len, &at))
			return fail(diag, AOT_CHANGED, NO_PC);
		if (map && !is_as_compiled(map, &row, at))
			return fail(diag, AOT_MAP, NO_PC, obj->maps[i].def->name);
	}
	return 0;
}

/* Names become addresses.  False for what no compiler of ours wrote. */
static bool resolve(const struct image_spec *spec, const struct native *native,
		    struct native_reloc *reloc)
{
	u32 n_maps = spec->prog->n_maps;
	u64 addr;

	if (native->len < 8 || reloc->off > native->len - 4)
		return false;
	switch (reloc->kind) {
	case IR_MAP:
	case IR_MAP_BYTES: return reloc->index < n_maps && spec->maps[reloc->index];
	case IR_FUNC:
	case NATIVE_CALL_FUNC: return reloc->index < native->n_functions;
	case NATIVE_ROUTINE: return reloc->index < JIT_ROUTINES;
	case NATIVE_IMAGE:
	case NATIVE_PROG: return true;
	case IR_HELPER:
		if (reloc->value < 0 || reloc->value > n_maps ||
		    (reloc->value && !spec->maps[reloc->value - 1]))
			return false;
		addr = reloc->value ? (uintptr_t)map_direct_lookup(
					      spec->maps[reloc->value - 1])
				    : (uintptr_t)spec->helper(reloc->index);
		reloc->value = (s64)addr;
		return addr;
	}
	return false;
}

int aot_native(const struct aot *aot, const struct skep_prog *prog,
	       const struct image_spec *spec, struct native *out, struct skep_diag *diag)
{
	struct prog_parts p;
	bool good = true;
	int err;

	if (!find_prog(aot, (u32)(prog - prog->obj->progs), &p))
		return fail(diag, AOT_NO_PROG, NO_PC);
	err = check_maps(aot, prog->obj, diag);
	if (err)
		return err;
	*out = (struct native){.machine = host_machine(NULL),
			       .code = (u8 *)p.code,
			       .len = p.row.code_len,
			       .functions = (struct native_function *)p.functions,
			       .n_functions = p.row.n_functions,
			       .exception = p.row.exception,
			       .returns = p.row.returns != 0,
			       .n_relocs = p.row.n_relocs};
	out->relocs = calloc(out->n_relocs + 1, sizeof(*out->relocs));
	if (!out->relocs)
		return fail(diag, NO_MEMORY, NO_PC);
	memcpy(out->relocs, p.relocs, out->n_relocs * sizeof(*out->relocs));
	for (u32 i = 0; i < out->n_relocs; i++)
		good &= resolve(spec, out, &out->relocs[i]);
	for (u32 i = 0; i < out->n_functions; i++)
		good &= out->functions[i].start < out->len &&
			(!i || out->functions[i].start > out->functions[i - 1].start);
	if (good && out->exception < out->n_functions)
		return 0;
	aot_native_fini(out);
	return fail(diag, AOT_CHANGED, NO_PC);
}

void aot_native_fini(struct native *native)
{
	free(native->relocs);
	*native = (struct native){0};
}
