/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every BTF in the kernel that the kernel itself made, but vmlinux, is a module's: split,
 * with vmlinux as its base.  Those that cannot be read are as good as not loaded.
 */
#include "kern/modules.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "btf/btf.h"
#include "kern/sys.h"

enum { MAX_MODULES = 4096, MAX_BTF = 64 << 20 };

/* The bytes, in the arena; .data NULL: not to be had. */
static struct bytes read_bytes(struct arena *a, int fd, u32 size)
{
	struct bpf_btf_info info = {0};
	u8 *data = size && size <= MAX_BTF ? arena_alloc(a, size) : NULL;

	if (!data)
		return (struct bytes){0};
	info.btf = (u64)(uintptr_t)data;
	info.btf_size = size;
	if (sys_info(fd, &info, sizeof(info)) || info.btf_size > size)
		return (struct bytes){0};
	return (struct bytes){data, size};
}

static bool read_module(struct kern_modules *m, u32 id, struct kern_module *module)
{
	struct bpf_btf_info info = {0};
	int fd = sys_open_id(SYS_BTF, id);
	struct bytes data = {0};

	if (fd < 0)
		return false;
	info.name = (u64)(uintptr_t)module->name;
	info.name_len = sizeof(module->name);
	module->id = id;
	if (!sys_info(fd, &info, sizeof(info)) && info.kernel_btf &&
	    strcmp(module->name, "vmlinux") != 0)
		data = read_bytes(&m->arena, fd, info.btf_size);
	close(fd);
	return data.data && !btf_read(&m->arena, data, m->vmlinux, &module->btf, NULL);
}

static void read_modules(struct kern_modules *m)
{
	u32 id = 0;

	m->is_read = true;
	m->list = arena_array(&m->arena, MAX_MODULES, sizeof(*m->list));
	while (m->list && m->n < MAX_MODULES && !sys_next_id(SYS_BTF, id, &id))
		m->n += read_module(m, id, &m->list[m->n]);
}

bool kern_modules_find(struct kern_modules *m, const char *name, u32 kind, u32 *btf_id,
		       u32 *module)
{
	if (!m->vmlinux)
		return false;
	if (!m->is_read)
		read_modules(m);
	for (u32 i = 0; i < m->n; i++) {
		u32 id = btf_find(m->list[i].btf, name, kind);

		/* an id of vmlinux is not the module's */
		if (id < btf_count(m->vmlinux))
			continue;
		*btf_id = id;
		*module = m->list[i].id;
		return true;
	}
	return false;
}

static bool find(struct target_modules *target, const char *name, u32 kind, u32 *btf_id,
		 u32 *module)
{
	return kern_modules_find((struct kern_modules *)target, name, kind, btf_id,
				 module);
}

static const struct btf *module_btf(struct target_modules *target, u32 module)
{
	struct kern_modules *m = (struct kern_modules *)target;

	if (!m->is_read && m->vmlinux)
		read_modules(m);
	for (u32 i = 0; i < m->n; i++)
		if (m->list[i].id == module)
			return m->list[i].btf;
	return NULL;
}

void kern_modules_init(struct kern_modules *m, const struct btf *vmlinux)
{
	*m = (struct kern_modules){.target = {.find = find, .btf = module_btf}, .vmlinux = vmlinux};
}

void kern_modules_fini(struct kern_modules *m)
{
	arena_fini(&m->arena);
	m->list = NULL;
	m->n = 0;
	m->is_read = false;
}
