/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gdb's JIT compilation interface (its manual, "JIT Compilation Interface"): object files
 * in memory, in a list that gdb finds by name, and a function that it puts a breakpoint
 * in.  The list is the one mutable global of this library: gdb wants it so.  A lock
 * keeps threads apart.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "exec/jit/debug.h"

enum action { JIT_NOACTION, JIT_REGISTER, JIT_UNREGISTER };

/* Names and layouts are gdb's. */
struct debug_entry {
	struct debug_entry *next_entry, *prev_entry;
	const char *symfile_addr; /* owned */
	u64 symfile_size;
};

struct jit_descriptor {
	u32 version;
	u32 action_flag;
	struct debug_entry *relevant_entry;
	struct debug_entry *first_entry;
};

struct jit_descriptor __jit_debug_descriptor = {1, JIT_NOACTION, NULL, NULL};
void __jit_debug_register_code(void);

__attribute__((noinline)) void __jit_debug_register_code(void)
{
	__asm__ volatile("" ::: "memory");
}

static atomic_flag lock = ATOMIC_FLAG_INIT;

static void tell(struct debug_entry *entry, enum action action)
{
	__jit_debug_descriptor.action_flag = action;
	__jit_debug_descriptor.relevant_entry = entry;
	__jit_debug_register_code();
	__jit_debug_descriptor.action_flag = JIT_NOACTION;
	__jit_debug_descriptor.relevant_entry = NULL;
}

static void take_lock(void)
{
	while (atomic_flag_test_and_set(&lock))
		;
}

struct debug_entry *debug_gdb_add(const struct debug_code *code)
{
	struct debug_entry *entry = calloc(1, sizeof(*entry));
	struct text elf = TEXT_INIT;

	debug_elf(code, &elf);
	if (!entry || text_failed(&elf)) {
		free(entry);
		text_fini(&elf);
		return NULL;
	}
	entry->symfile_addr = elf.s;
	entry->symfile_size = elf.len;
	take_lock();
	entry->next_entry = __jit_debug_descriptor.first_entry;
	if (entry->next_entry)
		entry->next_entry->prev_entry = entry;
	__jit_debug_descriptor.first_entry = entry;
	tell(entry, JIT_REGISTER);
	atomic_flag_clear(&lock);
	return entry;
}

void debug_gdb_remove(struct debug_entry *entry)
{
	if (!entry)
		return;
	take_lock();
	if (entry->next_entry)
		entry->next_entry->prev_entry = entry->prev_entry;
	if (entry->prev_entry)
		entry->prev_entry->next_entry = entry->next_entry;
	else
		__jit_debug_descriptor.first_entry = entry->next_entry;
	tell(entry, JIT_UNREGISTER);
	atomic_flag_clear(&lock);
	free((void *)entry->symfile_addr);
	free(entry);
}
