/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of hooks: a word for the kind, parts and options between colons, by the table
 * hooks.def.
 *
 * A path may have colons: the parts behind it are counted from the right.  Texts are
 * hostile: no name that is let through leaves the place it is for (a folder of tracefs, a
 * line of a command).  Asks the kernel nothing.
 */
#include "kern/hook.h"

#include <limits.h>
#include <linux/netfilter.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "prog/prog.h"

enum part {
	NO_PART,
	PART_DEV,
	PART_DIRECTION,
	PART_NETKIT_END,
	PART_PATH,
	PART_CGROUP_TYPE,
	PART_NETNS_TYPE,
	PART_SOCKMAP_TYPE,
	PART_FD,
	PART_FAMILY,
	PART_NF_HOOK,
	PART_CATEGORY,
	PART_NAME,
	PART_PATTERN, /* a name with '*' and '?' */
	PART_SYMBOL,  /* name, name+offset or offset */
};

enum option {
	MODE = 1 << 0,
	PLACE = 1 << 1,
	PRIORITY = 1 << 2,
	DEFRAG = 1 << 3,
	COOKIE = 1 << 4,
	PID = 1 << 5,
	CPU = 1 << 6,
	PERIOD = 1 << 7,
	PROG = 1 << 8,
	TARGET = 1 << 9,
};

enum flag { RETURN = 1, SESSION = 2, SYSCALL = 4, SECTION = 8 };

enum { MAX_PARTS = 3, MAX_TEXT = PATH_MAX + 512, MAX_NAME = 255 };

struct form {
	const char *word, *usage;
	enum hook_kind kind;
	u32 attach_type; /* 0: it has none, or a part says it */
	u32 options, flags;
	enum part parts[MAX_PARTS];
};

#define PARTS(...)                                                                       \
	{                                                                                \
		PART(__VA_ARGS__, NO, NO, )                                              \
	}
#define PART(a, b, c, ...) PART_##a, PART_##b, PART_##c
#define PART_NO            NO_PART
#define ATTACH_NONE        0

static const struct form forms[] = {
#define H(text, hook, part, option, flag, at, use)                                       \
	{                                                                                \
		.word = (text),                                                          \
		.usage = (use),                                                          \
		.kind = HOOK_##hook,                                                     \
		.attach_type = ATTACH_##at,                                              \
		.options = (option),                                                     \
		.flags = (flag),                                                         \
		.parts = part,                                                           \
	},
#include "kern/hooks.def"
#undef H
};

/* ---- words that stand for numbers ---- */

struct word {
	const char *word;
	u32 number;
};

static const struct word directions[] = {
	{"ingress", ATTACH_TCX_INGRESS}, {"egress", ATTACH_TCX_EGRESS}, {NULL, 0}};
static const struct word netkit_ends[] = {
	{"primary", ATTACH_NETKIT_PRIMARY}, {"peer", ATTACH_NETKIT_PEER}, {NULL, 0}};
static const struct word netns_types[] = {{"sk_lookup", ATTACH_SK_LOOKUP},
					  {"flow_dissector", ATTACH_FLOW_DISSECTOR},
					  {NULL, 0}};
static const struct word sockmap_types[] = {
	{"msg_verdict", ATTACH_SK_MSG_VERDICT},
	{"verdict", ATTACH_SK_SKB_VERDICT},
	{"stream_verdict", ATTACH_SK_SKB_STREAM_VERDICT},
	{"stream_parser", ATTACH_SK_SKB_STREAM_PARSER},
	{NULL, 0}};
static const struct word families[] = {
	{"ipv4", NFPROTO_IPV4}, {"ipv6", NFPROTO_IPV6}, {NULL, 0}};
static const struct word nf_hooks[] = {
	{"prerouting", NF_INET_PRE_ROUTING},   {"input", NF_INET_LOCAL_IN},
	{"forward", NF_INET_FORWARD},          {"output", NF_INET_LOCAL_OUT},
	{"postrouting", NF_INET_POST_ROUTING}, {NULL, 0}};
static const struct word modes[] = {{"native", MODE_NATIVE},
				    {"generic", MODE_GENERIC},
				    {"offload", MODE_OFFLOAD},
				    {NULL, 0}};

static const struct word *find_word(const struct word *words, const char *text)
{
	for (; words->word; words++)
		if (!strcmp(words->word, text))
			return words;
	return NULL;
}

static const char *word_of(const struct word *words, u32 number)
{
	for (; words->word; words++)
		if (words->number == number)
			return words->word;
	return "?";
}

static bool is_cgroup_type(u32 attach_type)
{
	const struct abi_name *row = abi_attach_type(attach_type);

	return attach_type == ATTACH_LSM_CGROUP ||
	       (row && !strncmp(row->name, "cgroup_", strlen("cgroup_")));
}

/* "connect4" of the section "cgroup/connect4". */
static const char *cgroup_word(u32 attach_type)
{
	const struct abi_section *row = abi_section_of(attach_type);
	const char *slash = row ? strchr(row->name, '/') : NULL;

	return slash ? slash + 1 : row ? row->name : "?";
}

/* As in the names of sections, or as the kernel and bpftool call the attach type. */
static bool find_cgroup_type(const char *text, u32 *attach_type)
{
	const struct abi_name *row;
	char name[64];

	for (u32 i = 0; i < ATTACH_TYPES; i++)
		if (is_cgroup_type(i) && !strcmp(cgroup_word(i), text)) {
			*attach_type = i;
			return true;
		}
	row = abi_find_attach_type(text);
	if (!row && snprintf(name, sizeof(name), "cgroup_%s", text) < (int)sizeof(name))
		row = abi_find_attach_type(name);
	if (row)
		*attach_type = row->number;
	return row && is_cgroup_type(row->number);
}

/* ---- numbers and names ---- */

/* Decimal or 0x; nothing before or behind it. */
static bool number_of(const char *text, u64 max, u64 *number)
{
	bool hex = text[0] == '0' && (text[1] | ' ') == 'x';
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, hex ? 16 : 10);
	return !errno && !*end && *number <= max;
}

static bool int_of(const char *text, u64 min, int *number)
{
	u64 n;

	if (!number_of(text, INT_MAX, &n) || n < min)
		return false;
	*number = (int)n;
	return true;
}

static bool id_of(const char *text, u32 *id)
{
	u64 n;

	if (!number_of(text, UINT32_MAX, &n) || !n)
		return false;
	*id = (u32)n;
	return true;
}

static bool priority_of(const char *text, enum hook_kind kind, s32 *priority)
{
	bool negative = *text == '-' && kind == HOOK_NETFILTER;
	u64 n;

	if (!number_of(text + negative, INT_MAX, &n))
		return false;
	*priority = negative ? -(s32)n : (s32)n;
	return kind == HOOK_NETFILTER || (n && n <= UINT16_MAX);
}

/* One that can be a file name or a word in a command. */
static bool is_name(const char *text)
{
	return *text && strlen(text) <= MAX_NAME && !strpbrk(text, " /:;\\\"'`") &&
	       strcmp(text, ".") && strcmp(text, "..");
}

static bool is_dev(const char *text)
{
	return is_name(text) && strlen(text) < IFNAMSIZ;
}

/* name+offset, name, or offset */
static bool symbol_of(char *text, struct hook *hook)
{
	char *plus = strchr(text, '+');

	if (number_of(text, UINT64_MAX, &hook->offset)) {
		hook->name = NULL;
		return true;
	}
	if (plus) {
		*plus = 0;
		if (!number_of(plus + 1, UINT64_MAX, &hook->offset))
			return false;
	}
	hook->name = text;
	return is_name(text) && !(*text >= '0' && *text <= '9');
}

/* ---- parsing ---- */

struct reading {
	const char *text; /* the whole of it */
	const struct form *form;
	struct hook *hook;
	u32 seen; /* options */
	struct skep_diag *diag;
};

static int bad(const struct reading *r, const char *what)
{
	return fail(r->diag, HOOK_FORM, NO_PC, r->text, what, r->form->word,
		    r->form->usage);
}

static bool set_word(const struct word *words, const char *text, u32 *number)
{
	const struct word *word = find_word(words, text);

	if (word)
		*number = word->number;
	return word;
}

static bool set_u8(const struct word *words, const char *text, u8 *number)
{
	const struct word *word = find_word(words, text);

	if (word)
		*number = (u8)word->number;
	return word;
}

static bool set_part(enum part part, char *text, struct hook *h)
{
	switch (part) {
	case NO_PART: return false;
	case PART_DEV: h->dev = text; return is_dev(text);
	case PART_DIRECTION: return set_word(directions, text, &h->attach_type);
	case PART_NETKIT_END: return set_word(netkit_ends, text, &h->attach_type);
	case PART_PATH: h->path = text; return *text && strlen(text) < PATH_MAX;
	case PART_CGROUP_TYPE: return find_cgroup_type(text, &h->attach_type);
	case PART_NETNS_TYPE: return set_word(netns_types, text, &h->attach_type);
	case PART_SOCKMAP_TYPE: return set_word(sockmap_types, text, &h->attach_type);
	case PART_FD: return int_of(text, 0, &h->fd);
	case PART_FAMILY: return set_u8(families, text, &h->family);
	case PART_NF_HOOK: return set_u8(nf_hooks, text, &h->number);
	case PART_CATEGORY: h->category = text; return is_name(text);
	case PART_NAME:
	case PART_PATTERN: h->name = text; return is_name(text);
	case PART_SYMBOL: return symbol_of(text, h);
	}
	return false;
}

static const char *const part_wrong[] = {
	[NO_PART] = "",
	[PART_DEV] = "an interface has no such name",
	[PART_DIRECTION] = "neither ingress nor egress",
	[PART_NETKIT_END] = "neither primary nor peer",
	[PART_PATH] = "the path is empty or too long",
	[PART_CGROUP_TYPE] = "a cgroup has no such hook",
	[PART_NETNS_TYPE] = "a network namespace has no such hook",
	[PART_SOCKMAP_TYPE] = "a map of sockets has no such hook",
	[PART_FD] = "that is no file descriptor",
	[PART_FAMILY] = "neither ipv4 nor ipv6",
	[PART_NF_HOOK] = "netfilter has no such hook",
	[PART_CATEGORY] = "a name is empty, too long or has wrong characters",
	[PART_NAME] = "a name is empty, too long or has wrong characters",
	[PART_PATTERN] = "the pattern is empty, too long or has wrong characters",
	[PART_SYMBOL] = "neither a function nor an offset",
};

/* Cuts the last word off, at the colon before it. */
static char *cut_last(char *rest)
{
	char *colon = strrchr(rest, ':');

	if (!colon)
		return NULL;
	*colon = 0;
	return colon + 1;
}

/* The first part may be a path, with colons; in all other parts they are wrong. */
static int read_parts(const struct reading *r, char *rest)
{
	const enum part *parts = r->form->parts;
	char *words[MAX_PARTS] = {NULL};
	u32 n = 0;

	while (n < MAX_PARTS && parts[n])
		n++;
	for (u32 i = n - 1; i > 0; i--)
		if (!(words[i] = cut_last(rest)))
			return bad(r, "a part is missing");
	words[0] = rest;
	if (parts[0] != PART_PATH && strchr(rest, ':'))
		return bad(r, "there are too many parts");
	for (u32 i = 0; i < n; i++)
		if (!set_part(parts[i], words[i], r->hook))
			return bad(r, part_wrong[parts[i]]);
	return 0;
}

static const struct key {
	const char *key;
	enum option option;
} keys[] = {
	{"before", PLACE}, {"after", PLACE}, {"priority", PRIORITY}, {"cookie", COOKIE},
	{"pid", PID},      {"cpu", CPU},     {"freq", PERIOD},       {"period", PERIOD},
	{"prog", PROG},    {"in", TARGET},
};

/* The option that a word is, 0: none; *value: what follows the '=', or NULL. */
static u32 option_of(const char *word, const char **value)
{
	size_t len = strcspn(word, "=");

	*value = word[len] ? word + len + 1 : NULL;
	for (u32 i = 0; *value && i < ARRAY_SIZE(keys); i++)
		if (strlen(keys[i].key) == len && !strncmp(word, keys[i].key, len))
			return keys[i].option;
	if (*value)
		return 0;
	if (!strcmp(word, "defrag"))
		return DEFRAG;
	if (!strcmp(word, "first") || !strcmp(word, "last"))
		return PLACE;
	return find_word(modes, word) ? MODE : 0;
}

static bool set_place(const char *word, const char *value, struct hook *h)
{
	if (value)
		h->place = *word == 'b' ? PLACE_BEFORE : PLACE_AFTER;
	else
		h->place = *word == 'f' ? PLACE_FIRST : PLACE_LAST;
	return !value || id_of(value, &h->anchor);
}

static bool set_option(u32 option, const char *word, const char *value, struct hook *h)
{
	switch ((enum option)option) {
	case MODE: h->mode = (enum hook_mode)find_word(modes, word)->number; return true;
	case PLACE: return set_place(word, value, h);
	case PRIORITY: return priority_of(value, h->kind, &h->priority);
	case DEFRAG: h->defrag = true; return true;
	case COOKIE: return number_of(value, UINT64_MAX, &h->cookie);
	case PID: return int_of(value, 1, &h->pid);
	case CPU: return int_of(value, 0, &h->cpu);
	case PERIOD:
		h->is_freq = *word == 'f';
		return number_of(value, UINT64_MAX, &h->period) && h->period;
	case PROG: return id_of(value, &h->anchor);
	case TARGET: h->path = value; return *value;
	}
	return false;
}

/* Takes the options off the end of the text. */
static int read_options(struct reading *r, char *rest)
{
	char *colon;

	while ((colon = strrchr(rest, ':'))) {
		const char *word = colon + 1, *value;
		u32 option = option_of(word, &value);
		bool known = option & r->form->options;

		/* "tracepoint:net:first" is no option, "cpu=1" can be nothing else */
		if (!option || (!known && !value))
			return 0;
		if (!known)
			return bad(r, "an option is for other kinds of hooks");
		if (option & r->seen)
			return bad(r, "an option is given twice");
		*colon = 0;
		r->seen |= option;
		if (!set_option(option, word, value, r->hook))
			return bad(r, "the value of an option is wrong");
	}
	return 0;
}

/* "fentry.s" is "fentry"; so is "raw_tp.w" */
static const struct form *find_form(const char *word, size_t len)
{
	if (len > 2 &&
	    (!strncmp(word + len - 2, ".s", 2) || !strncmp(word + len - 2, ".w", 2)))
		len -= 2;
	for (u32 i = 0; i < ARRAY_SIZE(forms); i++)
		if (strlen(forms[i].word) == len && !strncmp(forms[i].word, word, len))
			return &forms[i];
	return NULL;
}

static bool is_printable(const char *text)
{
	size_t len = strnlen(text, MAX_TEXT);

	for (size_t i = 0; i < len; i++)
		if ((u8)text[i] < ' ' || text[i] == 0x7f)
			return false;
	return len < MAX_TEXT;
}

static int read_hook(struct reading *r, const char *rest, bool with_options)
{
	struct hook *h = r->hook;
	int err = 0;

	h->kind = r->form->kind;
	h->attach_type = r->form->attach_type;
	h->is_return = r->form->flags & RETURN;
	h->is_session = r->form->flags & SESSION;
	h->is_syscall = r->form->flags & SYSCALL;
	h->words = strdup(rest);
	if (!h->words)
		return fail(r->diag, NO_MEMORY, NO_PC);
	if (with_options)
		err = read_options(r, h->words);
	if (!err)
		err = read_parts(r, h->words);
	if (err)
		hook_fini(h);
	return err;
}

int hook_parse(const char *text, struct hook *hook, struct skep_diag *diag)
{
	struct reading r = {.text = text, .hook = hook, .diag = diag};
	size_t len;

	*hook = (struct hook)HOOK_INIT;
	if (!is_printable(text))
		return fail(diag, HOOK_TEXT, NO_PC);
	len = strcspn(text, ":");
	r.form = find_form(text, len);
	if (!r.form)
		return fail(diag, HOOK_KIND, NO_PC, text);
	return read_hook(&r, text[len] ? text + len + 1 : "", true);
}

/* ---- sections ---- */

int hook_of_prog(const struct prog *prog, struct hook *hook, struct skep_diag *diag)
{
	const char *section = prog->section ? prog->section : "", *target;
	struct reading r = {.text = section, .hook = hook, .diag = diag};
	const struct abi_section *row;
	char rest[MAX_TEXT], *slash;

	*hook = (struct hook)HOOK_INIT;
	section += *section == '?';
	row = abi_find_section(section, &target);
	if (prog->attach_target)
		target = prog->attach_target;
	r.form = row ? find_form(row->name, strlen(row->name)) : NULL;
	if (!r.form || !(r.form->flags & SECTION) || !target || !*target)
		return fail(diag, HOOK_OPEN, NO_PC, section);
	if (!is_printable(target))
		return fail(diag, HOOK_TEXT, NO_PC);
	snprintf(rest, sizeof(rest), "%s", target);
	slash = strchr(rest, '/');
	if (r.form->kind == HOOK_TRACEPOINT && slash)
		*slash = ':';
	return read_hook(&r, rest, false);
}

void hook_fini(struct hook *hook)
{
	free(hook->words);
	*hook = (struct hook)HOOK_INIT;
}

/* ---- what a hook wants ---- */

static bool wants_attach_type(u32 type, u32 *prog_type, u32 *attach_type)
{
	const struct abi_section *row = abi_section_of(type);

	*attach_type = type;
	*prog_type = row ? row->prog_type : 0;
	return row;
}

bool hook_wants(const struct hook *hook, u32 *prog_type, u32 *attach_type)
{
	*prog_type = *attach_type = 0;
	switch (hook->kind) {
	case HOOK_XDP: return wants_attach_type(ATTACH_XDP, prog_type, attach_type);
	case HOOK_TCX:
	case HOOK_TC:
	case HOOK_NETKIT: *prog_type = PROG_TYPE_SCHED_CLS; return true;
	case HOOK_CGROUP:
	case HOOK_NETNS:
	case HOOK_SOCKMAP:
		return wants_attach_type(hook->attach_type, prog_type, attach_type);
	case HOOK_NETFILTER:
		return wants_attach_type(ATTACH_NETFILTER, prog_type, attach_type);
	case HOOK_ITER:
		return wants_attach_type(ATTACH_TRACE_ITER, prog_type, attach_type);
	case HOOK_KPROBE_MULTI:
		return wants_attach_type(hook->is_session ? ATTACH_TRACE_KPROBE_SESSION
							  : ATTACH_TRACE_KPROBE_MULTI,
					 prog_type, attach_type);
	case HOOK_UPROBE_MULTI:
		return wants_attach_type(hook->is_session ? ATTACH_TRACE_UPROBE_SESSION
							  : ATTACH_TRACE_UPROBE_MULTI,
					 prog_type, attach_type);
	case HOOK_KPROBE:
	case HOOK_UPROBE:
	case HOOK_USDT: *prog_type = PROG_TYPE_KPROBE; return true;
	case HOOK_TRACEPOINT: *prog_type = PROG_TYPE_TRACEPOINT; return true;
	case HOOK_PERF_EVENT: *prog_type = PROG_TYPE_PERF_EVENT; return true;
	case HOOK_FREPLACE: *prog_type = PROG_TYPE_EXT; return true;
	case HOOK_TRACING: /* the program says it, or the word did */
		return hook->attach_type &&
		       wants_attach_type(hook->attach_type, prog_type, attach_type);
	case HOOK_SOCKET:         /* a filter, or it chooses among sockets of a port */
	case HOOK_RAW_TRACEPOINT: /* writable or not */
	case HOOK_STRUCT_OPS: return false; /* its map */
	}
	return false;
}

/* ---- printing ---- */

struct line {
	char *at;
	size_t left;
};

static void add(struct line *line, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void add(struct line *line, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line->at, line->left, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= line->left)
		n = (int)line->left - 1;
	line->at += n;
	line->left -= (size_t)n;
}

static void add_symbol(struct line *line, const struct hook *h)
{
	if (!h->name)
		add(line, "%#llx", (unsigned long long)h->offset);
	else if (h->offset)
		add(line, "%s+%#llx", h->name, (unsigned long long)h->offset);
	else
		add(line, "%s", h->name);
}

static const char *part_text(enum part part, const struct hook *h)
{
	switch (part) {
	case PART_DEV: return h->dev;
	case PART_DIRECTION: return word_of(directions, h->attach_type);
	case PART_NETKIT_END: return word_of(netkit_ends, h->attach_type);
	case PART_PATH: return h->path;
	case PART_CGROUP_TYPE: return cgroup_word(h->attach_type);
	case PART_NETNS_TYPE: return word_of(netns_types, h->attach_type);
	case PART_SOCKMAP_TYPE: return word_of(sockmap_types, h->attach_type);
	case PART_FAMILY: return word_of(families, h->family);
	case PART_NF_HOOK: return word_of(nf_hooks, h->number);
	case PART_CATEGORY: return h->category;
	case PART_NAME:
	case PART_PATTERN: return h->name;
	case NO_PART:
	case PART_FD:
	case PART_SYMBOL: break;
	}
	return NULL;
}

static void add_part(struct line *line, enum part part, const struct hook *h)
{
	const char *text = part_text(part, h);

	if (part == NO_PART)
		return;
	add(line, ":");
	if (part == PART_SYMBOL)
		add_symbol(line, h);
	else if (part == PART_FD)
		add(line, "%d", h->fd);
	else
		add(line, "%s", text ? text : "?");
}

static void add_place(struct line *line, const struct hook *h)
{
	switch (h->place) {
	case PLACE_LAST: return;
	case PLACE_FIRST: add(line, ":first"); return;
	case PLACE_BEFORE: add(line, ":before=%u", h->anchor); return;
	case PLACE_AFTER: add(line, ":after=%u", h->anchor); return;
	}
}

static void add_options(struct line *line, u32 options, const struct hook *h)
{
	if (options & MODE && h->mode)
		add(line, ":%s", word_of(modes, h->mode));
	if (options & PLACE)
		add_place(line, h);
	if (options & PRIORITY && h->priority)
		add(line, ":priority=%d", h->priority);
	if (options & DEFRAG && h->defrag)
		add(line, ":defrag");
	if (options & PERIOD && h->period)
		add(line, ":%s=%llu", h->is_freq ? "freq" : "period",
		    (unsigned long long)h->period);
	if (options & CPU && h->cpu >= 0)
		add(line, ":cpu=%d", h->cpu);
	if (options & PID && h->pid)
		add(line, ":pid=%d", h->pid);
	if (options & TARGET && h->path)
		add(line, ":in=%s", h->path);
	if (options & PROG && h->anchor)
		add(line, ":prog=%u", h->anchor);
	if (options & COOKIE && h->cookie)
		add(line, ":cookie=%#llx", (unsigned long long)h->cookie);
}

static const struct form *form_of(const struct hook *h)
{
	const u32 flags = (h->is_return ? RETURN : 0) | (h->is_session ? SESSION : 0) |
			  (h->is_syscall ? SYSCALL : 0);
	const struct form *of_kind = forms;

	for (u32 i = 0; i < ARRAY_SIZE(forms); i++) {
		const struct form *f = &forms[i];

		if (f->kind != h->kind)
			continue;
		if ((f->flags & ~(u32)SECTION) == flags &&
		    (!f->attach_type || f->attach_type == h->attach_type))
			return f;
		if (of_kind->kind != h->kind)
			of_kind = f;
	}
	return of_kind;
}

const char *hook_name(const struct hook *hook, char name[HOOK_NAME_SIZE])
{
	const struct form *form = form_of(hook);
	struct line line = {name, HOOK_NAME_SIZE};

	add(&line, "%s", form->word);
	for (u32 i = 0; i < MAX_PARTS; i++)
		add_part(&line, form->parts[i], hook);
	add_options(&line, form->options, hook);
	return name;
}
