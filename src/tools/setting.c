/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values as people type them.  Addresses and prefixes are known here, everything else is
 * the business of btf_parse_value(); without a type, numbers of 1, 2, 4 and 8 bytes.
 */
#include "tools/setting.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <skep/skep.h>

#include "base/diag.h"
#include "load/load.h"
#include "tools/command.h"
#include "tools/hex.h"

static int refuse_value(const char *text, const struct place *place,
			struct skep_diag *diag)
{
	return fail(diag, BAD_VALUE, NO_PC, text, (unsigned long long)place->len);
}

/* "0x:" and digits: exactly the bytes. */
static int parse_hex(const char *digits, const struct place *place,
		     struct skep_diag *diag)
{
	const char *bad;
	size_t len = 0;
	u8 *bytes = hex_parse(digits, strlen(digits), &len, &bad);
	int err = 0;

	if (!bytes || len != place->len)
		err = refuse_value(digits, place, diag);
	else
		memcpy(place->out, bytes, len);
	free(bytes);
	return err;
}

static bool parse_mac(const char *text, u8 mac[6])
{
	unsigned b[6];
	char end;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2], &b[3], &b[4],
		   &b[5], &end) != 6)
		return false;
	for (u32 i = 0; i < 6; i++)
		mac[i] = (u8)b[i];
	return true;
}

/* An IPv4 address may stand where 16 bytes are wanted: ::ffff:a.b.c.d. */
static bool parse_address(const char *text, u8 *out, u64 len)
{
	u8 v4[4];

	if (len == 6)
		return parse_mac(text, out);
	if (len == 4)
		return inet_pton(AF_INET, text, out) == 1;
	if (len != 16)
		return false;
	if (inet_pton(AF_INET6, text, out) == 1)
		return true;
	if (inet_pton(AF_INET, text, v4) != 1)
		return false;
	memset(out, 0, 10);
	memset(out + 10, 0xff, 2);
	memcpy(out + 12, v4, 4);
	return true;
}

static int parse_number(const char *text, const struct place *place,
			struct skep_diag *diag)
{
	u64 max = place->len >= 8 ? ~0ull : (1ull << place->len * 8) - 1;
	bool negative = text[0] == '-';
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 0);
	if (errno || end == text || *end || (negative ? -n : n) > max)
		return refuse_value(text, place, diag);
	switch (place->len) {
	case 1: *place->out = (u8)n; return 0;
	case 2: store_u16(place->out, (u16)n); return 0;
	case 4: store_u32(place->out, (u32)n); return 0;
	case 8: store_u64(place->out, n); return 0;
	default: return refuse_value(text, place, diag);
	}
}

int set_bytes(const char *text, const struct place *place, struct skep_diag *diag)
{
	if (!strncmp(text, "0x:", 3))
		return parse_hex(text + 3, place, diag);
	if (parse_address(text, place->out, place->len))
		return 0;
	if (place->btf && place->type)
		return btf_parse_value(place->btf, place->type, text, place->out,
				       place->len, diag);
	return parse_number(text, place, diag);
}

/* "10.0.0.0/8" or an address: the length in bits, then the address. */
int set_prefix(const char *text, const struct place *place, struct skep_diag *diag)
{
	const char *slash = strchr(text, '/');
	u64 len = place->len - 4, bits = len * 8;
	char address[64], *end = NULL;

	snprintf(address, sizeof(address), "%.*s", slash ? (int)(slash - text) : 63,
		 text);
	if (!parse_address(address, place->out + 4, len))
		return slash ? refuse_value(text, place, diag)
			     : set_bytes(text, place, diag);
	if (slash)
		bits = strtoul(slash + 1, &end, 10);
	if (bits > len * 8 || (slash && (end == slash + 1 || *end)))
		return fail(diag, BAD_PREFIX, NO_PC, text, (unsigned long long)len * 8);
	store_u32(place->out, (u32)bits);
	return 0;
}

/* ---- elements of maps ---- */

static int no_such(struct skep_diag *diag, int err, struct nearest *nearest)
{
	/* the advice lives only as long as the message: keep it in the text */
	const char *advice = nearest_advice(nearest);
	size_t len = strlen(diag->text);

	if (advice)
		snprintf(diag->text + len, sizeof(diag->text) - len, "; %s", advice);
	return err;
}

static int no_such_map(struct skep_object *obj, const char *name, struct skep_diag *diag)
{
	struct skep_map *map = NULL;
	struct nearest nearest;

	nearest_init(&nearest, name);
	while ((map = skep_object_next_map(obj, map)))
		nearest_offer(&nearest, skep_map_name(map));
	return no_such(diag, fail(diag, NO_MAP_NAMED, NO_PC, name), &nearest);
}

static int parse_key(const struct skep_map *map, const char *text, u8 *key,
		     struct skep_diag *diag)
{
	struct place place = {map->obj->file->btf, map->def->btf_key_id, key,
			      skep_map_key_size(map)};

	if (map->def->type == MAP_TYPE_LPM_TRIE)
		return set_prefix(text, &place, diag);
	return set_bytes(text, &place, diag);
}

static int parse_values(const struct skep_map *map, const char *text, u8 *value,
			struct skep_diag *diag)
{
	u32 size = map->def->value_size, stride = (u32)round_up(size, 8);
	struct place place = {map->obj->file->btf, map->def->btf_value_id, value, size};
	int err = set_bytes(text, &place, diag);

	for (u64 at = stride; !err && at < skep_map_value_size(map); at += stride)
		memcpy(value + at, value, size);
	return err;
}

/* Slots of maps of maps and prog-arrays are set by name. */
static int set_ref(struct skep_map *map, const u8 *key, const char *name)
{
	struct skep_prog *prog = skep_object_find_prog(map->obj, name);
	struct skep_map *inner = skep_object_find_map(map->obj, name);

	if (map->def->type == MAP_TYPE_PROG_ARRAY)
		return prog ? skep_map_update_prog(map, key, prog, 0) : -ENOENT;
	return inner ? skep_map_update_map(map, key, inner, 0) : -ENOENT;
}

/* What maps mean by their answers. */
static const char *why_not(int err)
{
	switch (err) {
	case -E2BIG: return "the map has no element with this key, or is full";
	case -ENOENT: return "nothing has the name that is to be put there";
	default: return strerror(-err);
	}
}

static int update(struct skep_map *map, const char *const setting[3], u8 *room,
		  struct skep_diag *diag)
{
	u8 *value = room + round_up(skep_map_key_size(map), 8);
	int err = parse_key(map, setting[1], room, diag);

	if (err)
		return err;
	if (load_holds_refs(map)) {
		err = set_ref(map, room, setting[2]);
	} else {
		err = parse_values(map, setting[2], value, diag);
		if (err)
			return err;
		err = skep_map_update(map, room, value, 0);
	}
	if (err)
		fail(diag, NOT_SET, NO_PC, why_not(err));
	return err;
}

int set_element(struct skep_object *obj, const char *const setting[3],
		struct skep_diag *diag)
{
	struct skep_map *map = skep_object_find_map(obj, setting[0]);
	u8 *room;
	int err;

	if (!map)
		return no_such_map(obj, setting[0], diag);
	if (!load_has_map(map))
		return fail(diag, MAP_NOT_USED, NO_PC, setting[0]);
	room = calloc(1,
		      round_up(skep_map_key_size(map), 8) + skep_map_value_size(map) + 8);
	if (!room)
		return fail(diag, NO_MEMORY, NO_PC);
	err = update(map, setting, room, diag);
	free(room);
	return diag_in(diag, err, "map %s, key %s", setting[0], setting[1]);
}

/* ---- variables ---- */

static int no_such_var(struct skep_object *obj, const char *name, struct skep_diag *diag)
{
	struct nearest nearest;

	nearest_init(&nearest, name);
	for (u32 i = 0; i < obj->file->n_vars; i++)
		nearest_offer(&nearest, obj->file->vars[i].name);
	return no_such(diag, fail(diag, NO_SUCH_VAR, NO_PC, name), &nearest);
}

static int set_named(struct skep_object *obj, const char *name, const char *text,
		     struct skep_diag *diag)
{
	int i = object_find_var(obj->file, name);
	const struct object_var *var;
	struct place place;
	u8 *room;
	int err;

	if (i < 0)
		return no_such_var(obj, name, diag);
	var = &obj->file->vars[i];
	room = calloc(1, (u64)var->size + 8);
	if (!room)
		return fail(diag, NO_MEMORY, NO_PC);
	place = (struct place){obj->file->btf, var->btf_id, room, var->size};
	err = set_bytes(text, &place, diag);
	if (!err)
		err = skep_object_set_var(obj, name, room, var->size, diag);
	free(room);
	return err;
}

int set_variable(struct skep_object *obj, const char *setting, struct skep_diag *diag)
{
	const char *equals = strchr(setting, '=');
	char name[256];
	int err;

	if (!equals || (size_t)(equals - setting) >= sizeof(name))
		return fail(diag, BAD_SETTING, NO_PC, setting);
	snprintf(name, sizeof(name), "%.*s", (int)(equals - setting), setting);
	err = set_named(obj, name, equals + 1, diag);
	return diag_in(diag, err, "variable %s", name);
}
