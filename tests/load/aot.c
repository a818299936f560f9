/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compiled files: what makes one unfit for this machine or this version, and what a
 * hostile one with a right digest may do, which is nothing.
 */
#include "load/aot.c"

#include "check.h"
#include "load/object.h"

static const char source[] = ".license \"GPL\"\n"
			     ".map counts array key 4 value 8 entries 4\n"
			     ".section xdp\n"
			     ".program first\n"
			     "r1 = 0\n"
			     "*(u32 *)(r10 - 4) = r1\n"
			     "r2 = r10\n"
			     "r2 += -4\n"
			     "r1 = map[counts]\n"
			     "call 1\n"
			     "if r0 == 0 goto none\n"
			     "r1 = 1\n"
			     "*(u64 *)(r0 + 0) = r1\n"
			     "none: r0 = 2\n"
			     "exit\n"
			     ".section xdp\n"
			     ".program second\n"
			     "r0 = 1\n"
			     "exit\n"
			     ".section xdp\n"
			     ".program timed\n"
			     "call 5\n"
			     "exit\n";

static struct skep_diag diag;

/* The object's bytes, in the arena. */
static struct bytes object_bytes(struct arena *arena)
{
	struct asm_names names = {.find = test_name};
	struct asm_input input = {.text = {(const u8 *)source, strlen(source)},
				  .names = &names};
	struct asm_unit unit;
	struct bytes file = {0};

	CHECK(!asm_parse(&input, arena, &unit, &diag));
	CHECK(!object_write(&unit, arena, &file, &diag));
	return file;
}

/* The compiled file; only: the one program that is in it, NULL: all. */
static void make_file(const char *only, struct text *out)
{
	struct skep_object_opts opts = {.engine = "jit"};
	struct arena arena = ARENA_INIT;
	struct bytes file = object_bytes(&arena);
	struct skep_object *obj = NULL;
	struct skep_prog *prog = NULL;

	CHECK(!skep_object_open_memory(file.data, file.len, &opts, &obj, &diag));
	while (only && (prog = skep_object_next_prog(obj, prog)))
		skep_prog_select(prog, !strcmp(skep_prog_name(prog), only));
	CHECK(!skep_object_load(obj, NULL, &diag));
	CHECK(!aot_write(obj, file, "linux", out, &diag));
	skep_object_close(obj);
	arena_fini(&arena);
}

static int open_and_load(const struct text *file, struct skep_object **obj)
{
	int err;

	*obj = NULL;
	diag = (struct skep_diag)SKEP_DIAG_INIT;
	err = skep_object_open_memory(file->s, file->len, NULL, obj, &diag);
	return err ? err : skep_object_load(*obj, NULL, &diag);
}

static void reseal(struct text *file)
{
	struct aot_header h;

	memcpy(&h, file->s, sizeof(h));
	seal(&h, file);
}

static void a_file_runs(void)
{
	struct text file = TEXT_INIT;
	struct skep_packet packet = {.data = "0123456789abcdef", .len = 16};
	struct skep_object *obj;
	u64 ret = 0;

	make_file(NULL, &file);
	CHECK(!open_and_load(&file, &obj));
	CHECK(!skep_prog_run_packet(skep_object_find_prog(obj, "first"), &packet, &ret,
				    &diag));
	CHECK_INT(ret, 2);
	skep_object_close(obj);
	text_fini(&file);
}

/* Whatever the world of the one that it was made from. */
static void a_file_tells_the_time_of_its_world(void)
{
	struct skep_packet packet = {.data = "0123456789abcdef", .len = 16};
	struct skep_object_opts opts = {0};
	struct text file = TEXT_INIT;
	struct skep_object *obj;
	u64 ret = 0;

	make_file(NULL, &file);
	CHECK(!skep_world_new_script(1, &opts.world, &diag));
	CHECK(!skep_world_set_time(opts.world, 12345));
	for (u32 i = 0; i < 2; i++) {
		CHECK(!skep_object_open_memory(file.s, file.len, &opts, &obj, &diag));
		CHECK(!skep_object_load(obj, NULL, &diag));
		for (u32 j = 0; j < 1000; j++)
			CHECK(!skep_prog_run_packet(skep_object_find_prog(obj, "timed"),
						    &packet, &ret, &diag));
		CHECK((ret == 12345) == (i == 0));
		skep_object_close(obj);
		skep_world_free(opts.world);
		opts.world = NULL; /* the machine's */
	}
	text_fini(&file);
}

static void refused(struct text *file, const char *id)
{
	struct skep_object *obj;

	reseal(file);
	CHECK(open_and_load(file, &obj));
	CHECK_STR(skep_diag_name(diag.id), id);
	skep_object_close(obj);
}

static void other_machines_are_refused(void)
{
	struct text file = TEXT_INIT;
	struct aot_header h;

	make_file(NULL, &file);
	memcpy(&h, file.s, sizeof(h));
	h.version[0] ^= 1;
	memcpy(file.s, &h, sizeof(h));
	refused(&file, "AOT_VERSION");
	h.version[0] ^= 1;
	h.layout++;
	memcpy(file.s, &h, sizeof(h));
	refused(&file, "AOT_VERSION");
	h.layout--;
	h.machine[0] ^= 1;
	memcpy(file.s, &h, sizeof(h));
	refused(&file, "AOT_MACHINE");
	h.machine[0] ^= 1;
	h.features = ~0u;
	memcpy(file.s, &h, sizeof(h));
	refused(&file, "AOT_CPU");
	text_fini(&file);
}

static void what_was_not_compiled_cannot_be_loaded(void)
{
	struct text file = TEXT_INIT;
	struct skep_object *obj = NULL;

	make_file("second", &file);
	CHECK(!skep_object_open_memory(file.s, file.len, NULL, &obj, &diag));
	CHECK(!skep_prog_select(skep_object_find_prog(obj, "first"), true));
	CHECK(skep_object_load(obj, NULL, &diag) == -EINVAL);
	CHECK_STR(skep_diag_name(diag.id), "AOT_NO_PROG");
	skep_object_close(obj);
	text_fini(&file);
}

static void chains_are_not_stored(void)
{
	struct skep_object_opts opts = {.engine = "jit"};
	struct arena arena = ARENA_INIT;
	struct bytes bytes = object_bytes(&arena);
	struct text file = TEXT_INIT;
	struct skep_object *obj;
	struct skep_prog *progs[2];

	CHECK(!skep_object_open_memory(bytes.data, bytes.len, &opts, &obj, &diag));
	progs[0] = skep_object_find_prog(obj, "first");
	progs[1] = skep_object_find_prog(obj, "second");
	CHECK(!skep_prog_chain(progs, 2, &diag));
	CHECK(!skep_object_load(obj, NULL, &diag));
	diag = (struct skep_diag)SKEP_DIAG_INIT;
	CHECK(aot_write(obj, bytes, "linux", &file, &diag) == -ENOTSUP);
	CHECK_STR(skep_diag_name(diag.id), "AOT_ADDRESS");
	skep_object_close(obj);
	text_fini(&file);
	arena_fini(&arena);
}

/* Any byte behind the object may be anything: what opens is not run, but it must not
 * harm whoever opens it. */
static void broken_tables_do_no_harm(void)
{
	struct text file = TEXT_INIT;
	struct aot_header h;
	size_t tables, code;

	make_file("second", &file);
	memcpy(&h, file.s, sizeof(h));
	tables = round_up(sizeof(h), ALIGN) + round_up(h.object_len, ALIGN);
	code = file.len;
	for (size_t i = tables; i < code; i += 3) {
		struct skep_object *obj;
		char before = file.s[i];

		file.s[i] = (char)(before ^ (i % 2 ? 0xff : 0x81));
		reseal(&file);
		open_and_load(&file, &obj);
		skep_object_close(obj);
		file.s[i] = before;
	}
	text_fini(&file);
}

int main(void)
{
	if (!engine_find("jit"))
		return 77;
	a_file_runs();
	a_file_tells_the_time_of_its_world();
	other_machines_are_refused();
	what_was_not_compiled_cannot_be_loaded();
	chains_are_not_stored();
	broken_tables_do_no_harm();
	return check_report();
}
