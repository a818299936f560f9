/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep info: what an object holds and what it needs.
 *
 * What cannot be resolved is named, and the rest is still shown.  Never does: create a
 * map, run a program.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skep/skep.h>

#include "base/file.h"
#include "load/target.h"
#include "obj/object.h"
#include "tools/command.h"
#include "tools/info.h"
#include "tools/json.h"
#include "tools/kconfig.h"
#include "tools/options.h"
#include "tools/out.h"

enum info_option {
	INFO_BTF,
	INFO_TARGET,
	INFO_KCONFIG,
	INFO_RELOCS,
	INFO_TYPES,
	INFO_OPTIONS
};

static const struct option_def options[INFO_OPTIONS] = {
	[INFO_BTF] = OPTION_BTF,
	[INFO_TARGET] = OPTION_TARGET,
	[INFO_KCONFIG] = OPTION_KCONFIG,
	[INFO_RELOCS] = {"relocs", 'r', NULL, "Output",
			 "every relocation with its outcome, not only those that fail"},
	[INFO_TYPES] = {"types", 0, NULL, "Output", "the types of the object, as C"},
};

/* ---- the object itself ---- */

static void put_object(const struct info *info)
{
	const struct object *obj = info->obj;

	printf("%s", style_on(stdout, STYLE_NAME));
	put_clean(stdout, obj->name, false);
	printf("%s  %s-endian, license ", style_off(stdout),
	       obj->big_endian ? "big" : "little");
	put_clean(stdout, obj->license ? obj->license : "not given", false);
	if (obj->btf)
		printf(", %u types", btf_count(obj->btf) - 1);
	else
		printf(", no types");
	printf("\n");
}

static void object_json(const struct info *info)
{
	const struct object *obj = info->obj;
	struct json *j = info->json;

	json_begin(j);
	json_string(j, "object", obj->name);
	json_string(j, "byte_order", obj->big_endian ? "big" : "little");
	if (obj->license)
		json_string(j, "license", obj->license);
	else
		json_null(j, "license");
	json_u64(j, "types", obj->btf ? btf_count(obj->btf) - 1 : 0);
	json_end(j);
}

static int put_types(const struct object *obj, struct skep_diag *diag)
{
	struct text text = TEXT_INIT;
	int err = 0;

	if (obj->btf)
		err = btf_dump_c(&text, obj->btf, diag);
	if (!err)
		put_clean(stdout, text_str(&text), true);
	text_fini(&text);
	return err ? refuse(diag, EXIT_INPUT) : EXIT_OK;
}

/* ---- all of it ---- */

static int show(struct info *info)
{
	const struct object *obj = info->obj;

	if (obj->btf_diag.id)
		say_diag_of(obj->name, &obj->btf_diag);
	if (info->json)
		object_json(info);
	else
		put_object(info);
	info_progs(info);
	info_maps(info);
	info_vars(info);
	info_externs(info);
	info_relocs(info);
	info_needs(info);
	return info->unresolved || obj->btf_diag.id ? EXIT_INPUT : EXIT_OK;
}

static int with_target(const struct args *args, struct object *obj, struct json *json)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct info info = {.obj = obj,
			    .json = args->json ? json : NULL,
			    .all_relocs = args_has(args, INFO_RELOCS)};
	struct skep_target *target;
	int status;

	if (args_has(args, INFO_TYPES) && !args->json)
		return put_types(obj, &diag);
	if (skep_target_new(args_value(args, INFO_TARGET), args_value(args, INFO_BTF),
			    &target, &diag))
		return refuse(&diag, EXIT_INPUT);
	info.target = target_of(target);
	info.target_name = skep_target_name(target);
	status = show(&info);
	skep_target_free(target);
	return status;
}

static int open_and_show(const struct args *args, const struct file *file,
			 const char *kconfig)
{
	const char *path = args_operand(args, 0);
	struct object_opts opts = {.name = strcmp(path, "-") ? path : "standard input",
				   .kconfig = kconfig};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct json json = JSON_INIT;
	struct object *obj;
	int status;

	if (object_open(file_bytes(file), &opts, &obj, &diag))
		return refuse(&diag, EXIT_INPUT);
	status = with_target(args, obj, &json);
	object_free(obj);
	json_fini(&json);
	return status;
}

static int run(const struct args *args)
{
	const char *path = args_value(args, INFO_KCONFIG);
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct file file;
	char *text = NULL;
	int status;

	if (path && kconfig_read(path, NULL, &text, &diag))
		return refuse(&diag, EXIT_INPUT);
	if (file_read(args_operand(args, 0), &file, &diag)) {
		free(text);
		return refuse(&diag, EXIT_INPUT);
	}
	status = open_and_show(args, &file, text);
	file_fini(&file);
	free(text);
	return status;
}

static const struct example examples[] = {
	{"skep info filter.bpf.o", "programs, maps, and what the object needs"},
	{"skep info agent.bpf.o --btf vmlinux-5.10.btf --relocs",
	 "how its relocations turn out on another kernel"},
};

const struct command command_info = {
	.name = "info",
	.operands = "OBJECT",
	.summary = "show what an object holds and needs",
	.text = "Prints the programs of an object with their sections and types, its "
		"maps, "
		"global variables and externs, the outcome of its relocations, and the "
		"helpers, "
		"kfuncs and kernel version that it needs.\n\n"
		"What cannot be resolved is named, and the rest is still shown; the exit "
		"status "
		"is 3 when a program cannot be loaded for that reason.",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples = examples,
	.n_examples = ARRAY_SIZE(examples),
	.run = run,
};
