/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep detach: take programs away from hooks, by link: its id, the file it is pinned at,
 * the hook, or the name of the program.
 *
 * Links that the kernel cannot break from outside (probes, tracepoints) go when the last
 * one who holds them lets go: then it is said who that is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "kern/census.h"
#include "kern/link.h"
#include "tools/command.h"
#include "tools/json.h"
#include "tools/live.h"
#include "tools/out.h"

enum detach_option { DETACH_DRY_RUN, DETACH_OPTIONS };

static const struct option_def options[DETACH_OPTIONS] = {
	[DETACH_DRY_RUN] = {"dry-run", 'n', NULL, "Output",
			    "only say what would be detached"},
};

struct detaching {
	const struct args *args;
	struct json json;
	struct census census;
	bool taken; /* the census was */
	struct skep_diag diag;
};

static const struct census_prog *find_prog(const struct census *c, u32 id)
{
	for (size_t i = 0; i < c->progs.len; i++) {
		const struct census_prog *prog = vec_at(&c->progs, i);

		if (prog->id == id)
			return prog;
	}
	return NULL;
}

static const char *name_of_prog(const struct detaching *d, u32 id)
{
	const struct census_prog *prog = find_prog(&d->census, id);

	return prog && prog->name ? prog->name : "a program";
}

static int take_census(struct detaching *d)
{
	struct census_opts opts = {.places = true, .users = true, .pins = true};

	if (d->taken)
		return EXIT_OK;
	d->taken = true;
	return census_take(&d->census, &opts, &d->diag) ? live_refuse(&d->diag) : EXIT_OK;
}

static void tell(struct detaching *d, const char *what, u32 link)
{
	bool dry = args_has(d->args, DETACH_DRY_RUN);

	if (d->args->json) {
		json_begin(&d->json);
		json_string(&d->json, "detached", what);
		json_u64(&d->json, "link", link);
		json_bool(&d->json, "dry_run", dry);
		json_end(&d->json);
		return;
	}
	printf("%s ", dry ? "would detach" : "detached");
	put_clean(stdout, what, false);
	if (link)
		printf(", link %u", link);
	putchar('\n');
}

/* Who would have to let go of a link. */
static void tell_users(struct detaching *d, u32 link)
{
	if (take_census(d))
		return;
	for (size_t i = 0; i < d->census.users.len; i++) {
		const struct census_user *user = vec_at(&d->census.users, i);

		if (user->kind == SYS_LINK && user->id == link && user->pid != getpid())
			say(NULL, "it is detached when that ends",
			    "link %u is held by process %d (%s)", link, user->pid,
			    user->comm);
	}
	for (size_t i = 0; i < d->census.pins.len; i++) {
		const struct census_pin *pin = vec_at(&d->census.pins, i);

		if (pin->kind == SYS_LINK && pin->id == link)
			say(NULL, "remove that file", "link %u is pinned at %s", link,
			    pin->path);
	}
}

static int detach_link(struct detaching *d, struct kern_link *link, const char *what)
{
	u32 id = kern_link_id(link);
	int err =
		args_has(d->args, DETACH_DRY_RUN) ? 0 : kern_link_detach(link, &d->diag);

	kern_link_free(link);
	if (!err) {
		tell(d, what, id);
		return EXIT_OK;
	}
	live_refuse(&d->diag);
	d->diag = (struct skep_diag)SKEP_DIAG_INIT;
	if (err == -EOPNOTSUPP)
		tell_users(d, id);
	return EXIT_SYSTEM;
}

static int detach_id(struct detaching *d, u32 id, const char *what)
{
	struct kern_link *link;

	if (kern_link_open_id(id, &link, &d->diag))
		return live_refuse(&d->diag);
	return detach_link(d, link, what);
}

/* The file goes, too; where the kernel cannot break the link, that is what detaches. */
static int detach_pinned(struct detaching *d, const char *path)
{
	bool dry = args_has(d->args, DETACH_DRY_RUN);
	struct kern_link *link;
	u32 id;
	int err;

	if (kern_link_open_pinned(path, &link, &d->diag))
		return live_refuse(&d->diag);
	id = kern_link_id(link);
	err = dry ? 0 : kern_link_detach(link, &d->diag);
	kern_link_free(link);
	if (err && err != -EOPNOTSUPP)
		return live_refuse(&d->diag);
	d->diag = (struct skep_diag)SKEP_DIAG_INIT;
	if (!dry && unlink(path) && errno != ENOENT) {
		say(path, NULL, "cannot be removed: %s", strerror(errno));
		return EXIT_SYSTEM;
	}
	tell(d, path, id);
	return EXIT_OK;
}

static int refuse_without_link(const struct census_place *place)
{
	say(place->where,
	    "ip link set dev DEV xdp off, tc filter del, bpftool cgroup detach",
	    "program %u is attached without a link, which skep does not take away",
	    place->prog);
	return EXIT_SYSTEM;
}

/* A link that went away after it was listed is one that needs no detaching. */
static int detach_listed(struct detaching *d, const struct census_place *place, u32 *n)
{
	struct kern_link *link;
	int err = kern_link_open_id(place->link, &link, &d->diag);

	if (err == -ENOENT) {
		d->diag = (struct skep_diag)SKEP_DIAG_INIT;
		return EXIT_OK;
	}
	++*n;
	return err ? live_refuse(&d->diag) : detach_link(d, link, place->where);
}

/* All places that the word names: as a hook, or by the program there. */
static int detach_named(struct detaching *d, const char *word)
{
	int status = take_census(d), one;
	u32 n = 0;

	for (size_t i = 0; !status && i < d->census.places.len; i++) {
		const struct census_place *place = vec_at(&d->census.places, i);

		if (strcmp(place->where, word) != 0 &&
		    strcmp(name_of_prog(d, place->prog), word) != 0)
			continue;
		n += !place->link;
		one = place->link ? detach_listed(d, place, &n)
				  : refuse_without_link(place);
		status = status ? status : one;
	}
	if (status || n)
		return status;
	say(word, "skep list links shows what is attached",
	    "there is no program with that name, and nothing at such a hook");
	return EXIT_NO;
}

static int detach(struct detaching *d, const char *word)
{
	char *end;
	unsigned long id;

	errno = 0;
	id = strtoul(word, &end, 10);
	if (*word == '/' || *word == '.')
		return detach_pinned(d, word);
	if (end != word && !*end && !errno && id <= ~0u)
		return detach_id(d, (u32)id, word);
	return detach_named(d, word);
}

static int run(const struct args *args)
{
	struct detaching d = {.args = args, .json = JSON_INIT, .diag = SKEP_DIAG_INIT};
	int status = EXIT_OK;

	for (size_t i = 0; args_operand(args, i); i++) {
		int one = detach(&d, args_operand(args, i));

		status = status ? status : one;
		d.diag = (struct skep_diag)SKEP_DIAG_INIT;
	}
	if (d.taken)
		census_fini(&d.census);
	json_fini(&d.json);
	return status;
}

static const struct example examples[] = {
	{"skep detach /sys/fs/bpf/firewall", "a pinned link, and its file"},
	{"skep detach 42", "the link with that id"},
	{"skep detach xdp:eth0", "whatever is linked there"},
};

const struct command command_detach = {
	.name = "detach",
	.operands = "LINK...",
	.summary = "take programs away from hooks of the kernel",
	.text = "Detaches links: by id, by the file they are pinned at (which is "
		"removed, "
		"too), by hook as skep list shows it, or by the name of the program.  "
		"Other links are left alone.\n\n"
		"Probes and tracepoints cannot be detached while a process holds the "
		"link; then it is said which one does.",
	.caps = LIVE_CAPS,
	.min_operands = 1,
	.max_operands = 1000,
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples = examples,
	.n_examples = ARRAY_SIZE(examples),
	.run = run,
};
