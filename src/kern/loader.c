/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One object on its way into Linux: its types are loaded first, and what its programs
 * attach to is looked up in the kernel's.
 */
#include "kern/loader.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "base/text.h"
#include "kern/kernel_btf.h"
#include "kern/modules.h"
#include "kern/sys.h"

int kern_loader_new(const struct object *obj, const struct target *target,
		    struct kern_loader **out, struct skep_diag *diag)
{
	struct kern_loader *l = calloc(1, sizeof(*l));

	if (!l)
		return fail(diag, NO_MEMORY, NO_PC);
	l->obj = obj;
	l->target = target;
	l->version = target->version;
	l->btf_diag = (struct skep_diag)SKEP_DIAG_INIT;
	l->btf_fd = kernel_btf_load(obj, &l->btf_diag);
	*out = l;
	return 0;
}

void kern_loader_free(struct kern_loader *l)
{
	if (!l)
		return;
	if (l->btf_fd >= 0)
		close(l->btf_fd);
	if (l->symbols)
		text_fini(l->symbols);
	free(l->symbols);
	arena_fini(&l->arena);
	free(l);
}

/* ---- symbols ---- */

static int read_symbols(struct kern_loader *l)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char buffer[1 << 14];
	size_t n;

	l->symbols = calloc(1, sizeof(*l->symbols));
	if (!f || !l->symbols) {
		if (f)
			fclose(f);
		return -1;
	}
	text_puts(l->symbols, "\n");
	while ((n = fread(buffer, 1, sizeof(buffer), f)))
		text_write(l->symbols, buffer, n);
	fclose(f);
	return text_failed(l->symbols) ? -1 : 0;
}

u64 kern_symbol(struct kern_loader *l, const char *name)
{
	const char *at;
	size_t len = strlen(name);

	if (!len || (!l->symbols && read_symbols(l)))
		return 0;
	/* "\nffffffff81000000 T _stext\n", modules' with a tab and their name */
	for (at = text_str(l->symbols); (at = strstr(at, name)); at += len) {
		if (at - l->symbols->s < 20 || at[-20] != '\n' || at[-1] != ' ' ||
		    !strchr("\n\t", at[len]))
			continue;
		return strtoull(at - 19, NULL, 16);
	}
	return 0;
}

/* ---- what programs attach to ---- */

struct naming {
	u32 prog_type, attach_type;
	const char *prefix;
	enum btf_kind kind;
	const char *what;
};

static const struct naming *naming_of(const struct prog *prog)
{
	static const struct naming names[] = {
		{PROG_TYPE_TRACING, ATTACH_TRACE_RAW_TP, "btf_trace_", BTF_TYPEDEF,
		 "tracepoint"},
		{PROG_TYPE_TRACING, ATTACH_TRACE_FENTRY, "", BTF_FUNC, "function"},
		{PROG_TYPE_TRACING, ATTACH_TRACE_FEXIT, "", BTF_FUNC, "function"},
		{PROG_TYPE_TRACING, ATTACH_MODIFY_RETURN, "", BTF_FUNC, "function"},
		{PROG_TYPE_TRACING, ATTACH_TRACE_ITER, "bpf_iter_", BTF_FUNC, "iterator"},
		{PROG_TYPE_LSM, ATTACH_LSM_MAC, "bpf_lsm_", BTF_FUNC, "LSM hook"},
		{PROG_TYPE_LSM, ATTACH_LSM_CGROUP, "bpf_lsm_", BTF_FUNC, "LSM hook"},
		{PROG_TYPE_EXT, 0, "", BTF_FUNC, "function"},
	};

	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].prog_type == prog->type &&
		    names[i].attach_type == prog->attach_type)
			return &names[i];
	}
	return NULL;
}

/* In the kernel, then in its modules; "module:function" asks for that one. */
static int find_in_kernel(struct kern_loader *l, const struct naming *naming,
			  const char *target, u32 *id, int *fd)
{
	const char *colon = strchr(target, ':');
	struct kern_modules modules;
	char name[256];
	u32 module = 0;

	snprintf(name, sizeof(name), "%s%s", naming->prefix, colon ? colon + 1 : target);
	if (!colon)
		*id = btf_find(l->target->btf, name, naming->kind);
	if (*id)
		return 0;
	kern_modules_init(&modules, l->target->btf);
	if (kern_modules_find(&modules, name, naming->kind, id, &module))
		*fd = sys_open_id(SYS_BTF, module);
	kern_modules_fini(&modules);
	return *fd >= 0 ? 0 : -ENOENT;
}

/* In the types of another program. */
static int find_in_prog(struct kern_loader *l, int prog_fd, const char *name, u32 *id)
{
	struct bpf_prog_info info = {0};
	struct bpf_btf_info btf_info = {0};
	const struct btf *btf;
	int err = sys_info(prog_fd, &info, sizeof(info)), fd;
	u8 *data;

	if (err || !info.btf_id)
		return err ? err : -ENOENT;
	fd = sys_open_id(SYS_BTF, info.btf_id);
	if (fd < 0)
		return fd;
	err = sys_info(fd, &btf_info, sizeof(btf_info));
	data = err ? NULL : arena_alloc(&l->arena, btf_info.btf_size);
	if (data) {
		btf_info = (struct bpf_btf_info){.btf = (u64)(uintptr_t)data,
						 .btf_size = btf_info.btf_size};
		err = sys_info(fd, &btf_info, sizeof(btf_info));
		if (!err)
			err = btf_read(&l->arena, (struct bytes){data, btf_info.btf_size},
				       NULL, &btf, NULL);
		*id = err ? 0 : btf_find(btf, name, BTF_FUNC);
	}
	close(fd);
	return *id ? 0 : err ? err : -ENOENT;
}

int kern_find_target(struct kern_loader *l, const struct kern_prog_spec *spec,
		     u32 *btf_id, int *btf_fd, struct skep_diag *diag)
{
	const struct prog *prog = spec->prog;
	const struct naming *naming = naming_of(prog);
	const char *target = prog->attach_target;
	int err;

	if (!naming || !target)
		return 0;
	if (spec->target_fd >= 0) {
		*btf_fd = spec->target_fd;
		err = find_in_prog(l, spec->target_fd, target, btf_id);
	} else if (prog->type == PROG_TYPE_EXT) {
		return fail(diag, KERN_NO_PROG_TARGET, NO_PC, target);
	} else if (!l->target->btf) {
		return fail(diag, KERN_NO_TYPES, NO_PC, naming->what);
	} else {
		err = find_in_kernel(l, naming, target, btf_id, btf_fd);
	}
	return err ? fail_errno(diag, err, KERN_NO_TARGET, NO_PC, naming->what, target)
		   : 0;
}
