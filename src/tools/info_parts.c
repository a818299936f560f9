/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of skep info: programs, maps, variables, externs.
 */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "maps/map.h"
#include "obj/object.h"
#include "tools/info.h"
#include "tools/json.h"
#include "tools/names.h"
#include "tools/out.h"
#include "verify/verify.h"

/* ---- programs ---- */

static const char *attach_of(const struct prog *prog)
{
	return prog->attach_target ? prog->attach_target : "";
}

static void prog_json(const struct info *info, const struct object_prog *p)
{
	struct json *j = info->json;

	json_begin(j);
	json_string(j, "program", p->prog.name);
	json_string(j, "section", p->prog.section);
	json_string(j, "type", prog_type_text(p->prog.type));
	if (p->prog.attach_type)
		json_string(j, "attach_type", attach_type_text(p->prog.attach_type));
	if (p->prog.attach_target)
		json_string(j, "attach_target", p->prog.attach_target);
	json_u64(j, "insns", p->prog.n_insns);
	json_u64(j, "functions", p->prog.n_subprogs);
	json_u64(j, "relocations", p->n_relocs);
	json_bool(j, "sleepable", p->prog.sleepable);
	json_bool(j, "frags", p->prog.frags);
	if (p->err) {
		json_string(j, "reason", skep_diag_name(p->diag.id));
		json_string(j, "message", p->diag.text);
	}
	json_end(j);
}

static void prog_row(struct table *table, const struct object_prog *p)
{
	table_cell(table, "%s", p->prog.name);
	table_cell(table, "%s", p->prog.section);
	table_cell(table, "%s%s%s", prog_type_text(p->prog.type),
		   p->prog.sleepable ? ", sleepable" : "",
		   p->prog.frags ? ", frags" : "");
	table_cell(table, "%s", attach_of(&p->prog));
	if (p->prog.insns)
		table_cell(table, "%u", p->prog.n_insns);
	else
		table_cell(table, "?");
	table_cell(table, "%u", p->prog.n_subprogs);
}

/* Programs that could not be linked, each with the reason. */
static void tell_broken(struct info *info)
{
	for (u32 i = 0; i < info->obj->n_progs; i++) {
		const struct object_prog *p = &info->obj->progs[i];

		if (!p->err)
			continue;
		say_diag_of(info->obj->name, &p->diag);
		info->unresolved++;
	}
}

void info_progs(struct info *info)
{
	static const char *const heads[] = {"PROGRAM", "SECTION",    "TYPE", "TARGET",
					    ">INSNS",  ">FUNCTIONS", NULL};
	struct table table;

	tell_broken(info);
	if (!info->obj->n_progs)
		return;
	table_init(&table, heads, 0);
	for (u32 i = 0; i < info->obj->n_progs; i++) {
		if (info->json)
			prog_json(info, &info->obj->progs[i]);
		else
			prog_row(&table, &info->obj->progs[i]);
	}
	if (info->json)
		return;
	putchar('\n');
	table_print(&table);
}

/* ---- maps ---- */

static void print_type(struct text *t, const struct object *obj, u32 id)
{
	if (obj->btf && id)
		btf_print_type_name(t, obj->btf, id);
}

static void map_json(const struct info *info, const struct map_def *def)
{
	struct text key = TEXT_INIT, value = TEXT_INIT;
	struct json *j = info->json;

	print_type(&key, info->obj, def->btf_key_id);
	print_type(&value, info->obj, def->btf_value_id);
	json_begin(j);
	json_string(j, "map", def->name);
	json_string(j, "section", def->section);
	json_string(j, "type", map_type_text(def->type));
	json_u64(j, "key_size", def->key_size);
	json_u64(j, "value_size", def->value_size);
	json_u64(j, "max_entries", def->max_entries);
	json_u64(j, "flags", def->flags);
	if (key.len)
		json_string(j, "key_type", text_str(&key));
	if (value.len)
		json_string(j, "value_type", text_str(&value));
	if (def->inner)
		json_string(j, "inner", map_type_text(def->inner->type));
	json_array(j, "slots");
	for (u32 i = 0; i < def->n_slots; i++) {
		json_object(j, NULL);
		json_u64(j, "index", def->slots[i].index);
		json_string(j, "name", def->slots[i].name);
		json_object_end(j);
	}
	json_array_end(j);
	json_bool(j, "pinned", def->pin_by_name);
	json_end(j);
	text_fini(&key);
	text_fini(&value);
}

static void put_size(struct text *t, const struct object *obj, u32 id, u32 size)
{
	print_type(t, obj, id);
	text_printf(t, "%s%u", t->len ? ", " : "", size);
}

/* BPF_F_* of maps, without what all of them begin with. */
static void put_flags(struct text *t, u32 flags)
{
	static const struct {
		u32 flag;
		const char *name;
	} names[] = {
		{MAP_NO_PREALLOC, "no_prealloc"},
		{MAP_NO_COMMON_LRU, "no_common_lru"},
		{MAP_NUMA_NODE, "numa_node"},
		{MAP_RDONLY, "rdonly"},
		{MAP_WRONLY, "wronly"},
		{MAP_ZERO_SEED, "zero_seed"},
		{MAP_RDONLY_PROG, "rdonly_prog"},
		{MAP_WRONLY_PROG, "wronly_prog"},
		{MAP_CLONE, "clone"},
		{MAP_MMAPABLE, "mmapable"},
		{MAP_PRESERVE_ELEMS, "preserve_elems"},
		{MAP_INNER_MAP, "inner_map"},
	};

	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(flags & names[i].flag))
			continue;
		text_printf(t, "%s%s", t->len ? ", " : "", names[i].name);
		flags &= ~names[i].flag;
	}
	if (flags)
		text_printf(t, "%sflags %#x", t->len ? ", " : "", flags);
}

static void put_notes(struct text *t, const struct map_def *def)
{
	put_flags(t, def->flags);
	if (def->inner)
		text_printf(t, "%sof %s", t->len ? ", " : "",
			    map_type_text(def->inner->type));
	if (def->n_slots)
		text_printf(t, "%s%u slots set", t->len ? ", " : "", def->n_slots);
	if (def->pin_by_name)
		text_printf(t, "%spinned by name", t->len ? ", " : "");
}

static void put_fields(struct text *t, struct verify_maps *asked,
		       const struct map_def *def)
{
	struct verify_fields fields;
	u32 locks = 0;

	if (verify_map_fields(asked, def, &fields, NULL))
		return;
	for (u32 i = 0; i < fields.n; i++)
		locks += fields.list[i].is_spin_lock || fields.list[i].is_res_spin_lock;
	if (locks)
		text_printf(t, "%sspin lock", t->len ? ", " : "");
	if (fields.n > locks)
		text_printf(t, "%sspecial fields", t->len ? ", " : "");
}

static void map_row(struct table *table, const struct object *obj,
		    struct verify_maps *asked, const struct map_def *def)
{
	struct text key = TEXT_INIT, value = TEXT_INIT, notes = TEXT_INIT;

	put_size(&key, obj, def->btf_key_id, def->key_size);
	put_size(&value, obj, def->btf_value_id, def->value_size);
	put_notes(&notes, def);
	put_fields(&notes, asked, def);
	table_cell(table, "%s", def->name);
	table_cell(table, "%s", map_type_text(def->type));
	table_cell(table, "%s", text_str(&key));
	table_cell(table, "%s", text_str(&value));
	table_cell(table, "%u", def->max_entries);
	table_cell(table, "%s", text_str(&notes));
	text_fini(&key);
	text_fini(&value);
	text_fini(&notes);
}

void info_maps(struct info *info)
{
	static const char *const heads[] = {"MAP",   "TYPE",    "KEY", "VALUE",
					    ">SIZE", "REMARKS", NULL};
	struct verify_maps asked = {.target = info->target, .btf = info->obj->btf};
	struct table table;

	if (!info->obj->n_maps)
		return;
	table_init(&table, heads, 0);
	for (u32 i = 0; i < info->obj->n_maps; i++) {
		if (info->json)
			map_json(info, info->obj->maps[i]);
		else
			map_row(&table, info->obj, &asked, info->obj->maps[i]);
	}
	if (info->json)
		return;
	putchar('\n');
	table_print(&table);
}

/* ---- variables ---- */

static void var_json(const struct info *info, const struct object_var *var,
		     const char *type)
{
	struct json *j = info->json;

	json_begin(j);
	json_string(j, "variable", var->name);
	json_string(j, "map", var->map->name);
	json_u64(j, "size", var->size);
	if (*type)
		json_string(j, "type", type);
	json_end(j);
}

void info_vars(struct info *info)
{
	static const char *const heads[] = {"VARIABLE", "MAP", "TYPE", ">SIZE", NULL};
	struct table table;

	if (!info->obj->n_vars)
		return;
	table_init(&table, heads, 0);
	for (u32 i = 0; i < info->obj->n_vars; i++) {
		const struct object_var *var = &info->obj->vars[i];
		struct text type = TEXT_INIT;

		print_type(&type, info->obj, var->btf_id);
		if (info->json) {
			var_json(info, var, text_str(&type));
		} else {
			table_cell(&table, "%s", var->name);
			table_cell(&table, "%s", var->map->name);
			table_cell(&table, "%s", text_str(&type));
			table_cell(&table, "%u", var->size);
		}
		text_fini(&type);
	}
	if (info->json)
		return;
	putchar('\n');
	table_print(&table);
}

/* ---- externs ---- */

static const char *extern_kind(enum object_extern_kind kind)
{
	switch (kind) {
	case EXTERN_KCONFIG: return "kconfig";
	case EXTERN_KSYM: return "ksym";
	case EXTERN_KFUNC: return "kfunc";
	case EXTERN_UNKNOWN: break;
	}
	return "unknown";
}

/* A symbol without a type is looked up by the kernel that loads the program. */
static bool is_typeless(const struct info *info, const struct object_extern *e)
{
	struct btf_type var;

	if (e->kind != EXTERN_KSYM || !info->obj->btf || !e->btf_id)
		return e->kind == EXTERN_KSYM;
	var = btf_type(info->obj->btf, e->btf_id);
	return var.kind == BTF_VAR && !btf_resolve(info->obj->btf, var.type);
}

static bool is_found(const struct info *info, const struct object_extern *e)
{
	const struct btf *btf = info->target->btf;

	if (e->kind == EXTERN_KFUNC)
		return btf_find(btf, e->name, BTF_FUNC);
	return btf_find(btf, e->name, BTF_VAR) || btf_find(btf, e->name, BTF_FUNC);
}

enum extern_state { STATE_FOUND, STATE_OPEN, STATE_MISSING };

static enum extern_state extern_state(const struct info *info,
				      const struct object_extern *e, const char **outcome)
{
	if (e->kind == EXTERN_KCONFIG) {
		*outcome = e->resolved ? "has a value" : e->error ? e->error : "no value";
		return e->resolved ? STATE_FOUND : STATE_MISSING;
	}
	if (e->kind == EXTERN_UNKNOWN) {
		*outcome = "neither __ksym nor __kconfig";
		return STATE_MISSING;
	}
	*outcome = "the types of the target are not known";
	if (!info->target->btf)
		return STATE_OPEN;
	*outcome = "found";
	if (is_found(info, e))
		return STATE_FOUND;
	*outcome = is_typeless(info, e) ? "has no type: the kernel looks it up"
					: "the target does not have it";
	return is_typeless(info, e) ? STATE_OPEN : STATE_MISSING;
}

static void extern_json(struct info *info, const struct object_extern *e,
			const char *outcome)
{
	struct json *j = info->json;

	json_begin(j);
	json_string(j, "extern", e->name);
	json_string(j, "kind", extern_kind(e->kind));
	json_bool(j, "weak", e->weak);
	json_string(j, "outcome", outcome);
	json_end(j);
}

/* What the configuration lacks, or nothing declares, tell_broken() has told already. */
static void tell_missing(struct info *info, const struct object_extern *e,
			 const char *outcome)
{
	if (e->kind == EXTERN_KFUNC || e->kind == EXTERN_KSYM)
		say(info->obj->name, "declare it __weak if the program can do without",
		    "%s %s: %s", extern_kind(e->kind), e->name, outcome);
	info->unresolved++;
}

void info_externs(struct info *info)
{
	static const char *const heads[] = {"EXTERN", "KIND", "OUTCOME", NULL};
	struct table table;

	if (!info->obj->n_externs)
		return;
	table_init(&table, heads, 0);
	for (u32 i = 0; i < info->obj->n_externs; i++) {
		const struct object_extern *e = &info->obj->externs[i];
		const char *outcome;

		if (extern_state(info, e, &outcome) == STATE_MISSING && !e->weak)
			tell_missing(info, e, outcome);
		if (info->json) {
			extern_json(info, e, outcome);
			continue;
		}
		table_cell(&table, "%s", e->name);
		table_cell(&table, "%s%s", extern_kind(e->kind), e->weak ? ", weak" : "");
		table_cell(&table, "%s", outcome);
	}
	if (info->json)
		return;
	putchar('\n');
	table_print(&table);
}
