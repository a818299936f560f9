/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep map: looks at and changes the maps of the running kernel, keys and values typed
 * through their BTF.  Never does: create or remove a map.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/diag.h"
#include "btf/btf.h"
#include "kern/find.h"
#include "kern/refused.h"
#include "tools/command.h"
#include "tools/json.h"
#include "tools/live.h"
#include "tools/live_map.h"
#include "tools/map_watch.h"
#include "tools/names.h"
#include "tools/out.h"
#include "tools/setting.h"

enum map_option { MAP_ALL, MAP_NEW, MAP_EXISTING, MAP_INTERVAL, MAP_TIMES, MAP_OPTIONS };

static const struct option_def options[MAP_OPTIONS] = {
	[MAP_ALL] = {"all", 'a', NULL, "Show",
		     "every element, also those of arrays that are zero"},
	[MAP_NEW] = {"new", 0, NULL, "Set", "only if there is no such element yet"},
	[MAP_EXISTING] = {"existing", 0, NULL, "Set",
			  "only if there is such an element already"},
	[MAP_INTERVAL] = {"interval", 'i', "MS", "Watch",
			  "milliseconds between two looks (1000)"},
	[MAP_TIMES] = {"times", 'n', "N", "Watch", "look so often, then stop"},
};

enum { SHOW_FEW = 1000, TABLE_ROWS = 1000 };

/* One call of the command. */
struct session {
	const struct args *args;
	struct live_map map;
	struct live_entry entry;
	struct json json;
	struct skep_diag diag;
};

/* ---- answers of the kernel ---- */

static const char *why_not(const struct live_map *m, int err)
{
	switch (err) {
	case -E2BIG:
		return m->class == LIVE_QUEUE || !live_is_array(m)
			       ? "the map is full"
			       : "the index is beyond the end of the array";
	case -EEXIST: return "there is such an element already";
	case -EINVAL: return "maps of this type do not do that";
	case -EBADF: return "the value does not fit this map";
	case -EOPNOTSUPP: return "maps of this type do not do that for users";
	default: return strerror(-err);
	}
}

/* Says it; the exit status. */
static int answer_no(struct session *s, int err)
{
	struct kern_attempt attempt = {KERN_USE_MAP, .err = err,
				       .what = s->map.info.name};

	if (err == -EPERM) {
		kern_refused(&s->diag, &attempt);
		return live_refuse(&s->diag);
	}
	if (err == -ENOENT)
		fail(&s->diag, NO_ELEMENT, NO_PC);
	else
		fail(&s->diag, MAP_SAYS, NO_PC, why_not(&s->map, err));
	diag_in(&s->diag, err, "map %s", s->map.info.name);
	say_diag(&s->diag);
	if (err == -ENOENT || err == -EEXIST)
		return EXIT_NO;
	return err == -EINVAL || err == -E2BIG ? EXIT_USAGE : EXIT_SYSTEM;
}

/* A word of the command line is wrong. */
static int wrong_word(struct session *s)
{
	diag_in(&s->diag, s->diag.err, "map %s", s->map.info.name);
	say_diag(&s->diag);
	return s->diag.err == -ENOMEM ? EXIT_SYSTEM : EXIT_USAGE;
}

/* ---- show ---- */

static void put_type(const char *what, const struct live_map *m, u32 type, u32 size)
{
	struct text text = TEXT_INIT;

	if (m->btf && type)
		btf_print_type_name(&text, m->btf, type);
	else
		text_printf(&text, "%u byte%s", size, size == 1 ? "" : "s");
	printf(", %s ", what);
	put_clean(stdout, text_str(&text), false);
	text_fini(&text);
}

static void put_head(const struct live_map *m)
{
	struct number n;
	struct age memory;

	printf("%s", style_on(stdout, STYLE_NAME));
	put_clean(stdout, *m->info.name ? m->info.name : "-", false);
	printf("%s  %s, id %u", style_off(stdout), map_type_text(m->info.type),
	       m->info.id);
	if (m->info.key_size)
		put_type("key", m, m->key_type, m->info.key_size);
	if (m->info.value_size && m->class != LIVE_VARS)
		put_type("value", m, m->value_type, m->info.value_size);
	if (m->class == LIVE_TABLE || m->class == LIVE_REFS || m->class == LIVE_QUEUE)
		printf(", at most %s", grouped(&n, m->info.max_entries));
	printf("%s, %s\n", m->info.frozen ? ", frozen" : "",
	       size_text(&memory, m->info.memory));
}

static bool is_shown(const struct session *s, const struct live_map *m)
{
	struct bytes all = {s->entry.value, m->value_room};

	return args_has(s->args, MAP_ALL) || !live_is_array(m) || !show_is_zero(all);
}

static void add_row(struct session *s, struct table *table)
{
	struct text key = TEXT_INIT, value = TEXT_INIT;

	live_put_key(&key, &s->map, s->entry.key);
	live_put_value(&value, &s->map, &s->entry);
	table_cell(table, "%s", text_str(&key));
	table_cell(table, "%s", text_str(&value));
	text_fini(&key);
	text_fini(&value);
}

static void put_counts(u64 shown, u64 zero, u64 more, u64 unreadable)
{
	struct number n;

	printf("%s", style_on(stdout, STYLE_DIM));
	if (!shown && !zero && !more && !unreadable)
		printf("  no elements\n");
	if (zero)
		printf("  %s %s zero\n", grouped(&n, zero), zero == 1 ? "is" : "are");
	if (more)
		printf("  ... and %s more: --all shows them\n", grouped(&n, more));
	if (unreadable)
		printf("  %s have values that Linux does not show\n",
		       grouped(&n, unreadable));
	printf("%s", style_off(stdout));
}

static int show_entries(struct session *s)
{
	static const char *const heads[] = {"", "", NULL};
	u64 shown = 0, zero = 0, more = 0;
	struct live_walk walk = {0};
	struct table table;
	int err;

	table_init(&table, heads, 2);
	while ((err = live_next(&s->map, &walk, &s->entry)) > 0) {
		if (!is_shown(s, &s->map)) {
			zero++;
		} else if (shown >= SHOW_FEW && !args_has(s->args, MAP_ALL)) {
			more++;
		} else {
			add_row(s, &table);
			shown++;
		}
		if (table.cells.len >= (size_t)TABLE_ROWS * 2) {
			table_print(&table);
			table_init(&table, heads, 2);
		}
	}
	table_print(&table);
	put_counts(shown, zero, more, walk.unreadable);
	return err ? answer_no(s, err) : EXIT_OK;
}

static int entries_json(struct session *s)
{
	struct live_walk walk = {0};
	int err;

	json_array(&s->json, "entries");
	while ((err = live_next(&s->map, &walk, &s->entry)) > 0) {
		json_object(&s->json, NULL);
		live_entry_json(&s->json, &s->map, &s->entry);
		json_object_end(&s->json);
	}
	json_array_end(&s->json);
	return err;
}

static struct typed value_of_var(const struct session *s, const struct live_var *var)
{
	struct bytes value = {s->entry.value + var->offset, var->size};

	return (struct typed){s->map.btf, var->type, value};
}

static int read_vars(struct session *s)
{
	memset(s->entry.key, 0, s->map.info.key_size);
	return sys_map_lookup(s->map.fd, s->entry.key, s->entry.value, 0);
}

static int show_vars(struct session *s)
{
	static const char *const heads[] = {"", "", NULL};
	int err = read_vars(s);
	struct table table;
	struct live_var var;

	if (err)
		return answer_no(s, err);
	table_init(&table, heads, 2);
	for (u32 i = 0; live_var_at(&s->map, i, &var); i++) {
		struct typed value = value_of_var(s, &var);
		struct text text = TEXT_INIT;

		show_value(&text, &value);
		table_cell(&table, "%s", var.name);
		table_cell(&table, "%s", text_str(&text));
		text_fini(&text);
	}
	table_print(&table);
	return EXIT_OK;
}

static int vars_json(struct session *s)
{
	int err = read_vars(s);
	struct live_var var;

	json_object(&s->json, "variables");
	for (u32 i = 0; !err && live_var_at(&s->map, i, &var); i++) {
		struct typed value = value_of_var(s, &var);

		show_json(&s->json, var.name, &value);
	}
	json_object_end(&s->json);
	return err;
}

/* Bytes that wait in a ring: where the two sides are stands in its first pages. */
static bool ring_waiting(const struct live_map *m, u64 *waiting)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	u8 *first = mmap(NULL, page, PROT_READ, MAP_SHARED, m->fd, 0);
	u8 *second = mmap(NULL, page, PROT_READ, MAP_SHARED, m->fd, (off_t)page);
	bool known = first != MAP_FAILED && second != MAP_FAILED;

	if (known)
		*waiting = load_u64(second) - load_u64(first);
	if (first != MAP_FAILED)
		munmap(first, page);
	if (second != MAP_FAILED)
		munmap(second, page);
	return known;
}

static void put_ring(const struct live_map *m)
{
	struct number size, n;
	u64 waiting;

	printf("  a ring of %s bytes", grouped(&size, m->info.max_entries));
	if (ring_waiting(m, &waiting))
		printf(", %s of them waiting to be read", grouped(&n, waiting));
	printf("; who reads its records takes them away\n");
}

static int show_queue(struct session *s)
{
	struct text text = TEXT_INIT;
	int err = sys_map_lookup(s->map.fd, NULL, s->entry.value, 0);

	if (err == -ENOENT) {
		printf("  empty\n");
		return EXIT_OK;
	}
	if (err)
		return answer_no(s, err);
	live_put_value(&text, &s->map, &s->entry);
	printf("  next: ");
	put_clean(stdout, text_str(&text), false);
	printf("\n");
	text_fini(&text);
	return EXIT_OK;
}

static int show_text(struct session *s)
{
	struct live_map *m = &s->map;

	put_head(m);
	switch (m->class) {
	case LIVE_TABLE:
	case LIVE_REFS: return show_entries(s);
	case LIVE_VARS: return show_vars(s);
	case LIVE_QUEUE: return show_queue(s);
	case LIVE_FILTER:
		printf("  a filter: it only answers whether a value may be in it\n");
		break;
	case LIVE_RING: put_ring(m); break;
	case LIVE_EVENTS:
		printf("  a slot for a perf event of each CPU; records pass through and "
		       "are not kept\n");
		break;
	case LIVE_STORAGE:
		printf("  its elements belong to sockets, tasks, inodes or cgroups and "
		       "cannot be listed\n");
		break;
	case LIVE_OPAQUE: printf("  Linux does not show what is in it\n"); break;
	}
	return EXIT_OK;
}

static int queue_json(struct session *s)
{
	int err = sys_map_lookup(s->map.fd, NULL, s->entry.value, 0);

	if (err == -ENOENT)
		json_null(&s->json, "next");
	else if (!err)
		live_value_json(&s->json, "next", &s->map, &s->entry);
	return err == -ENOENT ? 0 : err;
}

static int show_json_line(struct session *s)
{
	const struct live_map *m = &s->map;
	u64 waiting;
	int err = 0;

	json_begin(&s->json);
	json_string(&s->json, "map", m->info.name);
	json_u64(&s->json, "id", m->info.id);
	json_string(&s->json, "type", map_type_text(m->info.type));
	json_u64(&s->json, "max_entries", m->info.max_entries);
	json_bool(&s->json, "frozen", m->info.frozen);
	if (m->class == LIVE_TABLE || m->class == LIVE_REFS)
		err = entries_json(s);
	else if (m->class == LIVE_VARS)
		err = vars_json(s);
	else if (m->class == LIVE_QUEUE)
		err = queue_json(s);
	else if (m->class == LIVE_RING && ring_waiting(m, &waiting))
		json_u64(&s->json, "waiting", waiting);
	json_end(&s->json);
	return err ? answer_no(s, err) : EXIT_OK;
}

static int run_show(struct session *s)
{
	return s->args->json ? show_json_line(s) : show_text(s);
}

/* ---- get ---- */

static int print_value(struct session *s, const struct typed *value)
{
	struct text text = TEXT_INIT;

	if (s->args->json) {
		json_begin(&s->json);
		json_string(&s->json, "map", s->map.info.name);
		if (value)
			show_json(&s->json, "value", value);
		else
			live_entry_json(&s->json, &s->map, &s->entry);
		json_end(&s->json);
		return EXIT_OK;
	}
	if (value)
		show_value(&text, value);
	else
		live_put_value(&text, &s->map, &s->entry);
	put_clean(stdout, text_str(&text), false);
	printf("\n");
	text_fini(&text);
	return EXIT_OK;
}

static int get_var(struct session *s, const char *name)
{
	struct typed value;
	struct live_var var;
	int err;

	if (!live_find_var(&s->map, name, &var)) {
		fail(&s->diag, NO_VAR_IN_MAP, NO_PC, name);
		return wrong_word(s);
	}
	err = read_vars(s);
	if (err)
		return answer_no(s, err);
	value = value_of_var(s, &var);
	return print_value(s, &value);
}

/* May the value be in the filter? */
static int ask_filter(struct session *s, const char *text)
{
	int err;

	if (live_parse_value(&s->map, text, s->entry.value, &s->diag))
		return wrong_word(s);
	err = sys_map_lookup(s->map.fd, NULL, s->entry.value, 0);
	if (err && err != -ENOENT)
		return answer_no(s, err);
	if (s->args->json) {
		json_begin(&s->json);
		json_string(&s->json, "map", s->map.info.name);
		json_bool(&s->json, "present", !err);
		json_end(&s->json);
	} else {
		printf("%s\n", err ? "no" : "perhaps");
	}
	return err ? EXIT_NO : EXIT_OK;
}

static int run_get(struct session *s)
{
	const char *key = args_operand(s->args, 2);
	bool keyed = s->map.info.key_size;
	int err;

	if (s->map.class == LIVE_VARS && key)
		return get_var(s, key);
	if (s->map.class == LIVE_FILTER && key)
		return ask_filter(s, key);
	if (keyed != (key != NULL))
		return args_refuse(s->args,
				   keyed ? "get needs a key" : "this map has no keys");
	if (keyed && live_parse_key(&s->map, key, s->entry.key, &s->diag))
		return wrong_word(s);
	err = sys_map_lookup(s->map.fd, keyed ? s->entry.key : NULL, s->entry.value, 0);
	return err ? answer_no(s, err) : print_value(s, NULL);
}

/* ---- set, delete ---- */

/* Where the map can be mapped, the variable alone is written: its neighbours may change
 * meanwhile. */
static int write_var(struct session *s, const struct live_var *var, const u8 *value)
{
	size_t len = round_up(s->map.info.value_size, (u64)sysconf(_SC_PAGESIZE));
	u8 *at = MAP_FAILED;
	int err;

	if (s->map.info.flags & BPF_F_MMAPABLE)
		at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, s->map.fd, 0);
	if (at != MAP_FAILED) {
		memcpy(at + var->offset, value, var->size);
		munmap(at, len);
		return 0;
	}
	err = read_vars(s);
	if (err)
		return err;
	memcpy(s->entry.value + var->offset, value, var->size);
	return sys_map_update(s->map.fd, s->entry.key, s->entry.value, 0);
}

static int set_var(struct session *s, const char *name, const char *text)
{
	struct live_var var;
	struct place place;
	u8 *value;
	int err;

	if (!live_find_var(&s->map, name, &var)) {
		fail(&s->diag, NO_VAR_IN_MAP, NO_PC, name);
		return wrong_word(s);
	}
	value = calloc(1, (size_t)var.size + 8);
	if (!value) {
		fail(&s->diag, NO_MEMORY, NO_PC);
		return wrong_word(s);
	}
	place = (struct place){s->map.btf, var.type, value, var.size};
	err = set_bytes(text, &place, &s->diag);
	if (err) {
		diag_in(&s->diag, err, "variable %s", name);
		free(value);
		return wrong_word(s);
	}
	err = write_var(s, &var, value);
	free(value);
	return err ? answer_no(s, err) : EXIT_OK;
}

/* What is put into slots: a program or map of the kernel, or a cgroup, open. */
static int open_ref(struct session *s, const char *words)
{
	int fd;

	if (s->map.info.type == BPF_MAP_TYPE_PROG_ARRAY)
		return kern_find(SYS_PROG, words, &s->diag);
	if (s->map.info.type != BPF_MAP_TYPE_CGROUP_ARRAY)
		return kern_find(SYS_MAP, words, &s->diag);
	fd = open(words, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail(&s->diag, KERNEL_SAYS, NO_PC, words, strerror(errno));
	return fd;
}

static u64 set_flags(const struct session *s)
{
	return args_has(s->args, MAP_NEW)        ? BPF_NOEXIST
	       : args_has(s->args, MAP_EXISTING) ? BPF_EXIST
						 : BPF_ANY;
}

static int set_ref(struct session *s, const char *words)
{
	int fd = open_ref(s, words), err;

	if (fd < 0)
		return live_refuse(&s->diag);
	store_u32(s->entry.value, (u32)fd);
	err = sys_map_update(s->map.fd, s->entry.key, s->entry.value, set_flags(s));
	close(fd);
	return err ? answer_no(s, err) : EXIT_OK;
}

static int run_set(struct session *s)
{
	const char *key = args_operand(s->args, 2), *value = args_operand(s->args, 3);
	bool keyed = s->map.info.key_size;
	int err;

	if (!keyed && key && !value)
		value = key;
	else if (!keyed || !value)
		return args_refuse(s->args, keyed ? "set needs a key and a value"
						  : "this map takes a value, no key");
	if (s->map.class == LIVE_VARS)
		return set_var(s, key, value);
	if (keyed && live_parse_key(&s->map, key, s->entry.key, &s->diag))
		return wrong_word(s);
	if (s->map.class == LIVE_REFS)
		return set_ref(s, value);
	if (live_parse_value(&s->map, value, s->entry.value, &s->diag))
		return wrong_word(s);
	err = sys_map_update(s->map.fd, keyed ? s->entry.key : NULL, s->entry.value,
			     set_flags(s));
	return err ? answer_no(s, err) : EXIT_OK;
}

static int run_delete(struct session *s)
{
	const char *key = args_operand(s->args, 2);
	bool keyed = s->map.info.key_size;
	int err;

	if (keyed != (key != NULL))
		return args_refuse(s->args,
				   keyed ? "delete needs a key" : "this map has no keys");
	if (keyed && live_parse_key(&s->map, key, s->entry.key, &s->diag))
		return wrong_word(s);
	/* of a queue: the next one */
	err = keyed ? sys_map_delete(s->map.fd, s->entry.key)
		    : sys_map_lookup_and_delete(s->map.fd, NULL, s->entry.value, 0);
	return err ? answer_no(s, err) : EXIT_OK;
}

/* ---- watch ---- */

static int run_watch(struct session *s)
{
	struct watch watch = {.map = &s->map,
			      .json = s->args->json ? &s->json : NULL,
			      .interval_ms = 1000};
	int err;

	if (args_count(s->args, MAP_INTERVAL, 86400000, &watch.interval_ms) ||
	    args_count(s->args, MAP_TIMES, UINT32_MAX, &watch.times))
		return EXIT_USAGE;
	if (s->map.class != LIVE_TABLE && s->map.class != LIVE_REFS &&
	    s->map.class != LIVE_VARS)
		return args_refuse(s->args, "maps of type %s have no elements to watch",
				   map_type_text(s->map.info.type));
	err = watch_map(&watch);
	return err ? answer_no(s, err) : EXIT_OK;
}

/* ---- the command ---- */

static const struct action {
	const char *name;
	u32 max_operands; /* with the action and the map */
	int (*run)(struct session *s);
} actions[] = {
	{"show", 2, run_show},     {"get", 3, run_get},     {"set", 4, run_set},
	{"delete", 3, run_delete}, {"watch", 2, run_watch},
};

static const struct action *find_action(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(actions); i++) {
		if (!strcmp(actions[i].name, name))
			return &actions[i];
	}
	return NULL;
}

static int with_map(struct session *s, const struct action *action)
{
	const char *words = args_operand(s->args, 1);
	int err = live_map_open(&s->map, words, &s->diag), status;

	if (err == -ENOTUNIQ) {
		say_diag(&s->diag);
		return EXIT_USAGE;
	}
	if (err)
		return live_refuse(&s->diag);
	/* what goes into slots is opened by id; all else works with what is open now */
	if (s->map.class != LIVE_REFS)
		live_keep_caps(KERN_CAP(CAP_BPF));
	if (live_entry_new(&s->entry, &s->map)) {
		status = action->run(s);
	} else {
		fail(&s->diag, NO_MEMORY, NO_PC);
		status = live_refuse(&s->diag);
	}
	live_entry_free(&s->entry);
	live_map_close(&s->map);
	return status;
}

static int run(const struct args *args)
{
	const char *name = args_operand(args, 0);
	const struct action *action = find_action(name);
	struct session s = {.args = args, .json = JSON_INIT, .diag = SKEP_DIAG_INIT};
	int status;

	if (!action)
		return args_refuse(args, "\"%s\" is not show, get, set, delete or watch",
				   name);
	if (args->operands.len > action->max_operands)
		return args_refuse(args, "\"%s\" is one word too many",
				   args_operand(args, action->max_operands));
	status = with_map(&s, action);
	json_fini(&s.json);
	return status;
}

static const struct example examples[] = {
	{"skep map show flows", "what is in the map called flows"},
	{"skep map set blocked 10.0.0.0/8 1", "an element of an LPM trie"},
	{"skep map set config 0 '{.rate = 100, .burst = 10}'",
	 "a value that is a struct"},
	{"skep map get /sys/fs/bpf/counts 6", "one element of a map that is pinned"},
	{"skep map set 17 rate_per_second 50",
	 "a global variable, of the map with id 17"},
	{"skep map watch flows --interval 200", "what changes, five times a second"},
};

const struct command command_map = {
	.name = "map",
	.operands = "show|get|set|delete|watch MAP [KEY] [VALUE]",
	.summary = "look at and change a map of the running kernel",
	.text = "MAP is a pin (a path with a slash), an id, or a name; a name that "
		"several maps have is refused with their ids.  Keys and values are "
		"written as their types say, when the map has types: numbers, names of "
		"enumerators, {a, b} or {.a = 1}, addresses, 10.0.0.0/8 for LPM tries, "
		"and always 0x:0a0b for bytes.\n\n"
		"show prints all elements, get one value, watch what changes until it "
		"is interrupted.  set changes one element: of a per-CPU map on every "
		"CPU, of a map of programs or maps by the words that name one of these. "
		"Of a map with global variables, KEY is the name of a variable.  Queues, "
		"stacks and filters have no keys: get looks at the next value, delete "
		"removes it.\n\n"
		"Without a pin CAP_SYS_ADMIN is needed, as for all that Linux opens by "
		"id; so are the types.",
	.min_operands = 2,
	.max_operands = 4,
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples = examples,
	.n_examples = ARRAY_SIZE(examples),
	.caps = KERN_CAP(CAP_SYS_ADMIN) | KERN_CAP(CAP_BPF),
	.run = run,
};
