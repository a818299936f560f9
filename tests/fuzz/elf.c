/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as an object file: opened, and asked for everything that an object that was
 * not loaded can tell.
 */
#include <skep/skep.h>

#include "fuzz.h"

static u64 ask_progs(struct skep_object *obj)
{
	struct skep_prog *prog = NULL;
	u64 sum = 0;

	while ((prog = skep_object_next_prog(obj, prog))) {
		EXPECT(skep_object_find_prog(obj, skep_prog_name(prog)));
		sum += strlen(skep_prog_section(prog)) + skep_prog_n_insns(prog);
		sum += strlen(skep_prog_type_name(prog)) + skep_prog_takes_packets(prog);
		EXPECT(!skep_prog_is_loaded(prog));
	}
	return sum;
}

static u64 ask_maps(struct skep_object *obj)
{
	struct skep_map *map = NULL;
	u64 sum = 0;

	while ((map = skep_object_next_map(obj, map))) {
		EXPECT(skep_object_find_map(obj, skep_map_name(map)));
		sum += strlen(skep_map_type_name(map)) + skep_map_key_size(map);
		sum += skep_map_value_size(map) + skep_map_max_entries(map);
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct skep_object *obj;

	if (skep_object_open_memory(data, size, NULL, &obj, &diag)) {
		EXPECT(diag.id && diag.err < 0 && diag.text[0]);
		return 0;
	}
	ask_progs(obj);
	ask_maps(obj);
	skep_object_close(obj);
	return 0;
}
