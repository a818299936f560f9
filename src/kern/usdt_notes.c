/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * USDT probes of executables and libraries: the notes of section .note.stapsdt.
 *
 * A note tells the address of the probe's nop, that of .stapsdt.base when the file was
 * linked (prelink may have moved it since), that of a counter which is not 0 while
 * somebody listens, and three strings: provider, name, where the arguments are.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/diag.h"
#include "kern/binary.h"

enum { NT_STAPSDT = 3, ADDRESSES = 3 };

static const char owner[] = "stapsdt";

/* A note, with its strings where they stand. */
struct note {
	u64 address, base, semaphore;
	u64 moved; /* how far the file is from where it was linked to be */
	const char *provider, *name, *args;
};

/* Cuts the next note off; false at the end, or where what follows is none. */
static bool next_note(struct bytes *notes, Elf64_Nhdr *head, struct bytes *name,
		      struct bytes *desc)
{
	u64 at, end;

	if (notes->len < sizeof(*head))
		return false;
	memcpy(head, notes->data, sizeof(*head));
	at = sizeof(*head) + round_up(head->n_namesz, 4);
	*name = bytes_slice(*notes, sizeof(*head), head->n_namesz);
	*desc = bytes_slice(*notes, at, head->n_descsz);
	if (!name->data || !desc->data)
		return false;
	/* the last one may do without its padding */
	end = min_u64(at + round_up(head->n_descsz, 4), notes->len);
	*notes = bytes_slice(*notes, end, notes->len - end);
	return true;
}

static bool parse_desc(struct bytes desc, struct note *note)
{
	u64 at = ADDRESSES * sizeof(u64);

	if (desc.len < at)
		return false;
	note->address = load_u64(desc.data);
	note->base = load_u64(desc.data + 8);
	note->semaphore = load_u64(desc.data + 16);
	note->provider = bytes_string(desc, at);
	if (!note->provider)
		return false;
	at += strlen(note->provider) + 1;
	note->name = bytes_string(desc, at);
	if (!note->name)
		return false;
	at += strlen(note->name) + 1;
	note->args = bytes_string(desc, at);
	return note->args != NULL;
}

static int add_site(const struct binary *bin, const struct note *note, struct vec *sites,
		    struct skep_diag *diag)
{
	struct usdt_site *site = vec_push(sites);

	if (!site)
		return fail(diag, NO_MEMORY, NO_PC);
	site->address = note->address + note->moved;
	if (!binary_offset(bin, site->address, PF_X, &site->offset))
		return fail(diag, BAD_USDT_NOTES, NO_PC, "a probe lies in no code");
	if (note->semaphore &&
	    !binary_offset(bin, note->semaphore + note->moved, PF_W, &site->semaphore))
		return fail(diag, BAD_USDT_NOTES, NO_PC, "a semaphore lies in no data");
	site->args = strdup(note->args);
	return site->args ? 0 : fail(diag, NO_MEMORY, NO_PC);
}

static int collect(const struct binary *bin, struct bytes notes, const struct note *want,
		   struct vec *sites, struct skep_diag *diag)
{
	const Elf64_Shdr *base = binary_section(bin, 0, ".stapsdt.base");
	struct bytes name, desc;
	Elf64_Nhdr head;
	int err = 0;

	while (!err && next_note(&notes, &head, &name, &desc)) {
		struct note note;

		if (head.n_type != NT_STAPSDT || name.len != sizeof(owner) ||
		    memcmp(name.data, owner, sizeof(owner)) != 0)
			continue;
		if (!parse_desc(desc, &note))
			return fail(diag, BAD_USDT_NOTES, NO_PC, "one is too short");
		if (!strcmp(note.provider, want->provider) &&
		    !strcmp(note.name, want->name)) {
			note.moved = base && note.base ? base->sh_addr - note.base : 0;
			err = add_site(bin, &note, sites, diag);
		}
	}
	if (!err && notes.len)
		err = fail(diag, BAD_USDT_NOTES, NO_PC, "they break off");
	return err;
}

int binary_usdt(const struct binary *bin, const char *provider, const char *name,
		struct vec *sites, struct skep_diag *diag)
{
	const Elf64_Shdr *section = binary_section(bin, SHT_NOTE, ".note.stapsdt");
	const struct note want = {.provider = provider, .name = name};
	u8 *data;
	int err;

	if (!section)
		return fail(diag, NO_USDT, NO_PC, provider, name);
	err = binary_read(bin, section, &data, diag);
	if (err)
		return err;
	err = collect(bin, (struct bytes){data, section->sh_size}, &want, sites, diag);
	free(data);
	if (!err && !sites->len)
		err = fail(diag, NO_USDT, NO_PC, provider, name);
	return err;
}

void usdt_sites_fini(struct vec *sites)
{
	for (size_t i = 0; i < sites->len; i++)
		free(((struct usdt_site *)vec_at(sites, i))->args);
	vec_fini(sites);
}
