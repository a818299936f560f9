/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which program of an object is meant: the one that is named, or the only one that works
 * on the input and is not just the target of tail calls.
 */
#include "tools/choose.h"

#include <string.h>

#include "load/load.h"
#include "tools/command.h"
#include "tools/out.h"

/* Is it put into a slot of a prog-array from the start: is it only ever tail-called? */
static bool is_tail(const struct skep_object *obj, const struct skep_prog *prog)
{
	for (u32 i = 0; i < obj->n_maps; i++) {
		const struct map_def *def = obj->maps[i].def;

		for (u32 k = 0; k < def->n_slots; k++) {
			if (def->type == MAP_TYPE_PROG_ARRAY &&
			    !strcmp(def->slots[k].name, skep_prog_name(prog)))
				return true;
		}
	}
	return false;
}

static bool fits(const struct choice *c, const struct skep_prog *prog)
{
	return c->use == FOR_HOOK ||
	       skep_prog_takes_packets(prog) == (c->use == FOR_PACKETS);
}

static bool is_candidate(const struct choice *c, const struct skep_prog *prog)
{
	return fits(c, prog) && !is_tail(c->obj, prog);
}

/* "filter (xdp), count (socket_filter), and 3 more". */
static void list_progs(const struct choice *c, struct text *list, bool candidates)
{
	enum { FEW = 8 };
	struct skep_prog *prog = NULL;
	u32 n = 0;

	while ((prog = skep_object_next_prog(c->obj, prog))) {
		if (candidates && !is_candidate(c, prog))
			continue;
		if (n++ < FEW)
			text_printf(list, "%s%s (%s)", list->len ? ", " : "",
				    skep_prog_name(prog), skep_prog_type_name(prog));
	}
	if (n > FEW)
		text_printf(list, ", and %u more", n - FEW);
	if (!n)
		text_puts(list, "there are none");
}

static int refuse_choice(const struct choice *c, bool several)
{
	struct text list = TEXT_INIT;

	list_progs(c, &list, several);
	if (several)
		say(skep_object_name(c->obj), "choose with --prog",
		    "several programs could be meant: %s", text_str(&list));
	else if (c->use == FOR_HOOK)
		say(skep_object_name(c->obj), NULL, "no program can be attached: %s",
		    text_str(&list));
	else if (c->use == FOR_CONTEXT)
		say(skep_object_name(c->obj), "--pcap and --packet give packets",
		    "no program takes a context from a file: %s", text_str(&list));
	else
		say(skep_object_name(c->obj), "--ctx gives other programs their context",
		    "no program works on packets: %s", text_str(&list));
	text_fini(&list);
	return EXIT_USAGE;
}

static int refuse_name(const struct choice *c)
{
	struct skep_prog *prog = NULL;
	struct nearest nearest;

	nearest_init(&nearest, c->name);
	while ((prog = skep_object_next_prog(c->obj, prog)))
		nearest_offer(&nearest, skep_prog_name(prog));
	say(skep_object_name(c->obj), nearest_advice(&nearest),
	    "there is no program \"%s\"", c->name);
	return EXIT_USAGE;
}

/* Packets are for programs that work on packets. */
static int check_input_of(const struct choice *c, const struct skep_prog *prog)
{
	bool packets = skep_prog_takes_packets(prog);

	if (fits(c, prog))
		return EXIT_OK;
	say(skep_object_name(c->obj), packets ? "give --pcap or --packet" : "give --ctx",
	    "program %s (%s) is not run on this input", skep_prog_name(prog),
	    skep_prog_type_name(prog));
	return EXIT_USAGE;
}

static int find_prog(const struct choice *c, struct skep_prog **chosen)
{
	struct skep_prog *prog = NULL;
	u32 n = 0;

	if (c->name) {
		*chosen = skep_object_find_prog(c->obj, c->name);
		return *chosen ? check_input_of(c, *chosen) : refuse_name(c);
	}
	while ((prog = skep_object_next_prog(c->obj, prog))) {
		if (!is_candidate(c, prog))
			continue;
		*chosen = prog;
		n++;
	}
	return n == 1 ? EXIT_OK : refuse_choice(c, n > 0);
}

int choose_prog(const struct choice *c, struct skep_prog **chosen)
{
	struct skep_prog *prog = NULL;
	int status = find_prog(c, chosen);

	while (!status && (prog = skep_object_next_prog(c->obj, prog)))
		skep_prog_select(prog, prog == *chosen || is_tail(c->obj, prog));
	return status;
}
