/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as BTF, and the second half of them as .BTF.ext: read, asked everything,
 * printed.  What was read answers every query without looking outside its bytes.
 */
#include "btf/btf.h"
#include "base/arena.h"
#include "base/text.h"
#include "fuzz.h"

enum { MAX_TYPES = 2000, MAX_PARTS = 200, MAX_TEXT = 1 << 20 };

static u64 ask_parts(const struct btf *btf, const struct btf_type *t)
{
	u64 sum = 0;

	for (u32 i = 0; i < t->vlen && i < MAX_PARTS; i++) {
		switch (t->kind) {
		case BTF_STRUCT:
		case BTF_UNION: sum += btf_member(btf, t, i).bit_offset; break;
		case BTF_ENUM:
		case BTF_ENUM64: sum += btf_enumerator(btf, t, i).value; break;
		case BTF_FUNC_PROTO: sum += btf_param(btf, t, i).type; break;
		case BTF_DATASEC: sum += btf_secvar(t, i).offset; break;
		case BTF_VOID:
		case BTF_INT:
		case BTF_PTR:
		case BTF_ARRAY:
		case BTF_FWD:
		case BTF_TYPEDEF:
		case BTF_VOLATILE:
		case BTF_CONST:
		case BTF_RESTRICT:
		case BTF_FUNC:
		case BTF_VAR:
		case BTF_FLOAT:
		case BTF_DECL_TAG:
		case BTF_TYPE_TAG:
		case BTF_KINDS: break;
		}
	}
	return sum;
}

static void ask_type(const struct btf *btf, u32 id, struct text *text)
{
	static const u8 zeroes[256];
	struct btf_type t = btf_type(btf, id);
	u32 cursor = 0;

	ask_parts(btf, &t);
	btf_size(btf, id);
	EXPECT(btf_align(btf, id) >= 1);
	EXPECT(btf_find(btf, t.name, t.kind) != 0 || !t.name[0] || !t.kind);
	while (btf_next_tag(btf, id, &cursor))
		;
	btf_print_type_name(text, btf, id);
	btf_print_value(text, btf, id, (struct bytes){zeroes, sizeof(zeroes)}, NULL);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct text text = TEXT_INIT;
	const struct btf *btf;
	struct btf_ext ext;

	if (!btf_read(&arena, (struct bytes){data, size}, NULL, &btf, NULL)) {
		for (u32 id = 0; id < btf_count(btf) && id < MAX_TYPES; id++) {
			ask_type(btf, id, &text);
			if (text.len > MAX_TEXT)
				text_fini(&text);
		}
		btf_dump_c(&text, btf, NULL);
		btf_ext_read(&arena, (struct bytes){data + size / 2, size - size / 2},
			     btf, &ext, NULL);
	}
	text_fini(&text);
	arena_fini(&arena);
	return 0;
}
