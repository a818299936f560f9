/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep list: what of BPF is in the running kernel: programs, maps and links, who holds
 * them, where they are attached, how often they run.  Never does: change any of them.
 */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/diag.h"
#include "kern/census.h"
#include "kern/refused.h"
#include "tools/command.h"
#include "tools/json.h"
#include "tools/live.h"
#include "tools/names.h"
#include "tools/out.h"

enum list_option { LIST_MEASURE, LIST_OPTIONS };

static const struct option_def options[LIST_OPTIONS] = {
	[LIST_MEASURE] = {"measure", 'm', "SECONDS", "Output",
			  "switch on run counts for so long, and show how often programs "
			  "ran in that time and what one run took"},
};

struct listing {
	const struct args *args;
	struct census census;
	struct census before; /* of a measurement */
	bool measured;
	u64 seconds;
	struct json json;
};

/* ---- who holds it ---- */

/* "skep(17), /sys/fs/bpf/x" */
static void put_holders(struct text *t, const struct census *c, enum sys_kind kind,
			u32 id)
{
	for (size_t i = 0; i < c->users.len; i++) {
		const struct census_user *user = vec_at(&c->users, i);

		if (user->kind == kind && user->id == id)
			text_printf(t, "%s%s(%d)", t->len ? ", " : "", user->comm,
				    user->pid);
	}
	for (size_t i = 0; i < c->pins.len; i++) {
		const struct census_pin *pin = vec_at(&c->pins, i);

		if (pin->kind == kind && pin->id == id)
			text_printf(t, "%s%s", t->len ? ", " : "", pin->path);
	}
}

static void holders_json(struct json *j, const struct census *c, enum sys_kind kind,
			 u32 id)
{
	json_array(j, "held_by");
	for (size_t i = 0; i < c->users.len; i++) {
		const struct census_user *user = vec_at(&c->users, i);

		if (user->kind != kind || user->id != id)
			continue;
		json_object(j, NULL);
		json_u64(j, "pid", (u64)user->pid);
		json_string(j, "command", user->comm);
		json_object_end(j);
	}
	json_array_end(j);
	json_array(j, "pinned");
	for (size_t i = 0; i < c->pins.len; i++) {
		const struct census_pin *pin = vec_at(&c->pins, i);

		if (pin->kind == kind && pin->id == id)
			json_string(j, NULL, pin->path);
	}
	json_array_end(j);
}

/* ---- programs ---- */

static u64 boot_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

/* What was counted, or what was counted in the time of a measurement. */
static void runs_of(const struct listing *l, const struct census_prog *prog, u64 *count,
		    u64 *ns)
{
	*count = prog->run_count;
	*ns = prog->run_ns;
	for (size_t i = 0; l->measured && i < l->before.progs.len; i++) {
		const struct census_prog *old = vec_at(&l->before.progs, i);

		if (old->id == prog->id) {
			*count -= min_u64(old->run_count, *count);
			*ns -= min_u64(old->run_ns, *ns);
		}
	}
}

static void put_places(struct text *t, const struct census *c, u32 prog)
{
	for (size_t i = 0; i < c->places.len; i++) {
		const struct census_place *place = vec_at(&c->places, i);

		if (place->prog == prog)
			text_printf(t, "%s%s", t->len ? ", " : "", place->where);
	}
}

static void prog_row(const struct listing *l, struct table *table,
		     const struct census_prog *prog, bool counted)
{
	struct text where = TEXT_INIT, holders = TEXT_INIT;
	u64 count, ns, age = boot_ns() - prog->loaded_ns;
	struct number n, per;
	struct age loaded, memory;

	runs_of(l, prog, &count, &ns);
	put_places(&where, &l->census, prog->id);
	put_holders(&holders, &l->census, SYS_PROG, prog->id);
	table_cell(table, "%u", prog->id);
	table_cell(table, "%s", *prog->name ? prog->name : "-");
	table_cell(table, "%s", prog_type_text(prog->type));
	table_cell(table, "%s", age_text(&loaded, age / 1000000000));
	table_cell(table, "%s", size_text(&memory, prog->memory));
	if (counted) {
		table_cell(table, "%s", grouped(&n, count));
		table_cell(table, "%s", count ? grouped(&per, ns / count) : "-");
	}
	table_cell(table, "%s", where.len ? text_str(&where) : "-");
	table_cell(table, "%s", holders.len ? text_str(&holders) : "-");
	text_fini(&where);
	text_fini(&holders);
}

static bool any_counted(const struct listing *l)
{
	if (l->measured)
		return true;
	for (size_t i = 0; i < l->census.progs.len; i++) {
		const struct census_prog *prog = vec_at(&l->census.progs, i);

		if (prog->run_count)
			return true;
	}
	return false;
}

static void put_head(const char *what, size_t n)
{
	struct number number;

	printf("%s%s%s  %s\n", style_on(stdout, STYLE_NAME), what, style_off(stdout),
	       grouped(&number, n));
}

static void put_progs(const struct listing *l)
{
	static const char *const heads[] = {">ID",     "NAME",        "TYPE",    "LOADED",
					    ">MEMORY", "ATTACHED TO", "HELD BY", NULL};
	static const char *const counting[] = {
		">ID",   "NAME",    "TYPE",        "LOADED",  ">MEMORY",
		">RUNS", ">NS/RUN", "ATTACHED TO", "HELD BY", NULL};
	bool counted = any_counted(l);
	struct table table;

	put_head("programs", l->census.progs.len);
	table_init(&table, counted ? counting : heads, 2);
	for (size_t i = 0; i < l->census.progs.len; i++)
		prog_row(l, &table, vec_at(&l->census.progs, i), counted);
	if (table.cells.len)
		table_print(&table);
}

static void tag_json(struct json *j, const struct census_prog *prog)
{
	json_hex(j, "tag", prog->tag, sizeof(prog->tag));
}

static void places_json(struct json *j, const struct census *c, u32 prog)
{
	json_array(j, "attached");
	for (size_t i = 0; i < c->places.len; i++) {
		const struct census_place *place = vec_at(&c->places, i);

		if (place->prog != prog)
			continue;
		json_object(j, NULL);
		json_string(j, "hook", place->where);
		if (place->link)
			json_u64(j, "link", place->link);
		else
			json_null(j, "link");
		json_object_end(j);
	}
	json_array_end(j);
}

static void prog_json(struct listing *l, const struct census_prog *prog)
{
	struct json *j = &l->json;
	u64 count, ns;

	runs_of(l, prog, &count, &ns);
	json_begin(j);
	json_string(j, "program", prog->name);
	json_u64(j, "id", prog->id);
	json_string(j, "type", prog_type_text(prog->type));
	tag_json(j, prog);
	json_bool(j, "gpl", prog->gpl);
	json_u64(j, "uid", prog->uid);
	json_u64(j, "loaded_s", (boot_ns() - prog->loaded_ns) / 1000000000);
	json_u64(j, "memory", prog->memory);
	json_u64(j, "bytecode_bytes", prog->bytecode_len);
	json_u64(j, "native_bytes", prog->native_len);
	json_u64(j, "insns_processed", prog->verified_insns);
	json_u64(j, "btf_id", prog->btf_id);
	json_array(j, "maps");
	for (u32 i = 0; i < prog->n_maps; i++)
		json_u64(j, NULL, prog->maps[i]);
	json_array_end(j);
	json_u64(j, "runs", count);
	json_u64(j, "run_ns", ns);
	json_u64(j, "missed", prog->missed);
	places_json(j, &l->census, prog->id);
	holders_json(j, &l->census, SYS_PROG, prog->id);
	json_end(j);
}

static void list_progs(struct listing *l)
{
	if (!l->args->json) {
		put_progs(l);
		return;
	}
	for (size_t i = 0; i < l->census.progs.len; i++)
		prog_json(l, vec_at(&l->census.progs, i));
}

/* ---- maps ---- */

static bool has_map(const struct census_prog *prog, u32 map)
{
	for (u32 i = 0; i < prog->n_maps; i++) {
		if (prog->maps[i] == map)
			return true;
	}
	return false;
}

/* Programs hold their maps, too. */
static void put_using(struct text *t, const struct census *c, u32 map)
{
	for (size_t i = 0; i < c->progs.len; i++) {
		const struct census_prog *prog = vec_at(&c->progs, i);

		if (has_map(prog, map))
			text_printf(t, "%s%s", t->len ? ", " : "",
				    *prog->name ? prog->name : "-");
	}
}

static void map_row(const struct listing *l, struct table *table,
		    const struct census_map *map)
{
	struct text users = TEXT_INIT, holders = TEXT_INIT;
	struct number entries;
	struct age memory;

	put_using(&users, &l->census, map->id);
	put_holders(&holders, &l->census, SYS_MAP, map->id);
	table_cell(table, "%u", map->id);
	table_cell(table, "%s", *map->name ? map->name : "-");
	table_cell(table, "%s%s", map_type_text(map->type),
		   map->frozen ? ", frozen" : "");
	table_cell(table, "%u", map->key_size);
	table_cell(table, "%u", map->value_size);
	table_cell(table, "%s", grouped(&entries, map->max_entries));
	table_cell(table, "%s", size_text(&memory, map->memory));
	table_cell(table, "%s", users.len ? text_str(&users) : "-");
	table_cell(table, "%s", holders.len ? text_str(&holders) : "-");
	text_fini(&users);
	text_fini(&holders);
}

static void map_json(struct listing *l, const struct census_map *map)
{
	struct json *j = &l->json;

	json_begin(j);
	json_string(j, "map", map->name);
	json_u64(j, "id", map->id);
	json_string(j, "type", map_type_text(map->type));
	json_u64(j, "key_size", map->key_size);
	json_u64(j, "value_size", map->value_size);
	json_u64(j, "max_entries", map->max_entries);
	json_u64(j, "flags", map->flags);
	json_bool(j, "frozen", map->frozen);
	json_u64(j, "memory", map->memory);
	json_u64(j, "btf_id", map->btf_id);
	json_array(j, "programs");
	for (size_t i = 0; i < l->census.progs.len; i++) {
		const struct census_prog *prog = vec_at(&l->census.progs, i);

		if (has_map(prog, map->id))
			json_u64(j, NULL, prog->id);
	}
	json_array_end(j);
	holders_json(j, &l->census, SYS_MAP, map->id);
	json_end(j);
}

static void list_maps(struct listing *l)
{
	static const char *const heads[] = {">ID",     "NAME",     "TYPE",    ">KEY",
					    ">VALUE",  ">ENTRIES", ">MEMORY", "USED BY",
					    "HELD BY", NULL};
	struct table table;

	if (!l->args->json)
		put_head("maps", l->census.maps.len);
	table_init(&table, heads, 2);
	for (size_t i = 0; i < l->census.maps.len; i++) {
		if (l->args->json)
			map_json(l, vec_at(&l->census.maps, i));
		else
			map_row(l, &table, vec_at(&l->census.maps, i));
	}
	if (table.cells.len)
		table_print(&table);
}

/* ---- links ---- */

static const char *prog_name(const struct census *c, u32 id)
{
	for (size_t i = 0; i < c->progs.len; i++) {
		const struct census_prog *prog = vec_at(&c->progs, i);

		if (prog->id == id)
			return prog->name;
	}
	return "-";
}

static const char *link_place(const struct census *c, u32 id)
{
	for (size_t i = 0; i < c->places.len; i++) {
		const struct census_place *place = vec_at(&c->places, i);

		if (place->link == id)
			return place->where;
	}
	return "-";
}

static const char *link_type(const struct census_link *link)
{
	const char *name = census_link_type(link->type);

	return name ? name : "unknown";
}

static void link_row(const struct listing *l, struct table *table,
		     const struct census_link *link)
{
	struct text holders = TEXT_INIT;

	put_holders(&holders, &l->census, SYS_LINK, link->id);
	table_cell(table, "%u", link->id);
	table_cell(table, "%s", link_type(link));
	if (link->prog)
		table_cell(table, "%s (%u)", prog_name(&l->census, link->prog),
			   link->prog);
	else
		table_cell(table, "-");
	table_cell(table, "%s", link_place(&l->census, link->id));
	table_cell(table, "%s", holders.len ? text_str(&holders) : "-");
	text_fini(&holders);
}

static void link_json(struct listing *l, const struct census_link *link)
{
	struct json *j = &l->json;

	json_begin(j);
	json_u64(j, "link", link->id);
	json_string(j, "type", link_type(link));
	if (link->prog)
		json_u64(j, "program_id", link->prog);
	else
		json_null(j, "program_id");
	json_string(j, "hook", link_place(&l->census, link->id));
	holders_json(j, &l->census, SYS_LINK, link->id);
	json_end(j);
}

static void list_links(struct listing *l)
{
	static const char *const heads[] = {">ID",         "TYPE",    "PROGRAM",
					    "ATTACHED TO", "HELD BY", NULL};
	struct table table;

	if (!l->args->json)
		put_head("links", l->census.links.len);
	table_init(&table, heads, 2);
	for (size_t i = 0; i < l->census.links.len; i++) {
		if (l->args->json)
			link_json(l, vec_at(&l->census.links, i));
		else
			link_row(l, &table, vec_at(&l->census.links, i));
	}
	if (table.cells.len)
		table_print(&table);
}

/* ---- the command ---- */

/* Counts what happens in a few seconds. */
static int measure(struct listing *l, struct skep_diag *diag)
{
	struct census_opts opts = {0};
	struct kern_attempt attempt = {KERN_STATS, .what = "run counts"};
	union bpf_attr attr = {.enable_stats.type = BPF_STATS_RUN_TIME};
	struct progress progress;
	int fd = sys_bpf(BPF_ENABLE_STATS, &attr, sizeof(attr)), err;

	if (fd < 0) {
		attempt.err = fd;
		return kern_refused(diag, &attempt);
	}
	err = census_take(&l->before, &opts, diag);
	l->measured = true;
	progress_init(&progress, "seconds");
	for (u64 i = 0; !err && i < l->seconds; i++) {
		sleep(1);
		progress_step(&progress, i + 1, l->seconds);
	}
	progress_hide(&progress);
	if (err)
		close(fd);
	/* counting ends when it is closed: after the second look */
	return err ? err : fd;
}

static void step(void *arg, u64 done, u64 all)
{
	progress_step(arg, done, all);
}

static int take(struct listing *l, struct skep_diag *diag)
{
	struct progress progress;
	struct census_opts opts = {.places = true,
				   .users = true,
				   .pins = true,
				   .progress = step,
				   .arg = &progress};
	int stats = -1, err;

	if (l->seconds) {
		stats = measure(l, diag);
		if (stats < 0)
			return stats;
	}
	progress_init(&progress, "things looked at");
	err = census_take(&l->census, &opts, diag);
	progress_hide(&progress);
	if (stats >= 0)
		close(stats);
	return err;
}

static int show(struct listing *l, const char *what)
{
	static const struct {
		const char *what;
		void (*list)(struct listing *l);
	} parts[] = {
		{"programs", list_progs}, {"maps", list_maps}, {"links", list_links}};
	const char *between = "";

	for (u32 i = 0; i < ARRAY_SIZE(parts); i++) {
		if (what && strcmp(what, parts[i].what))
			continue;
		if (!l->args->json)
			fputs(between, stdout);
		between = "\n";
		parts[i].list(l);
	}
	return EXIT_OK;
}

static bool is_part(const char *what)
{
	return !strcmp(what, "programs") || !strcmp(what, "maps") ||
	       !strcmp(what, "links");
}

static int run(const struct args *args)
{
	struct listing l = {.args = args, .json = JSON_INIT};
	struct skep_diag diag = SKEP_DIAG_INIT;
	const char *what = args_operand(args, 0);
	int status;

	if (what && !is_part(what))
		return args_refuse(args, "\"%s\" is not programs, maps or links", what);
	if (args_count(args, LIST_MEASURE, 86400, &l.seconds))
		return EXIT_USAGE;
	status = take(&l, &diag) ? live_refuse(&diag) : show(&l, what);
	census_fini(&l.census);
	census_fini(&l.before);
	json_fini(&l.json);
	return status;
}

static const struct example examples[] = {
	{"skep list", "all programs, maps and links"},
	{"skep list programs --measure 5", "which programs run how often, for 5 seconds"},
	{"skep list maps --json", "the maps, one JSON object a line"},
};

const struct command command_list = {
	.name = "list",
	.operands = "[programs|maps|links]",
	.summary = "list the programs, maps and links of the running kernel",
	.text = "Prints what of BPF is in the kernel: programs with the hooks they are "
		"attached to, maps, and links, and the processes and pins that hold "
		"them.\n\n"
		"Programs that are attached without a link are found in cgroups, "
		"interfaces of this network namespace, maps of sockets, and the events "
		"of processes.  Runs are counted only while somebody asks for it: with "
		"--measure, or sysctl kernel.bpf_stats_enabled.  Linux hands out its "
		"list to CAP_SYS_ADMIN only.",
	.max_operands = 1,
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples = examples,
	.n_examples = ARRAY_SIZE(examples),
	.caps = KERN_CAP(CAP_SYS_ADMIN) | KERN_CAP(CAP_NET_ADMIN) | KERN_CAP(CAP_BPF) |
		KERN_CAP(CAP_SYS_PTRACE),
	.run = run,
};
