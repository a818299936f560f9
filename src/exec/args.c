/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The arguments of helpers, judged by the rows of abi/helpers.def before the helper sees
 * them: maps are maps of the program, memory is there and initialised as far as the
 * helper reads it, a pointer to a function points to one.  What a helper finds through
 * memory it asks run->may_access about.  Never knows a helper by itself: the rows say it
 * all.  bpf-helpers(7).
 */
#include <linux/bpf.h>
#include <string.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "exec/checked.h"
#include "maps/map.h"
#include "world/packet.h"

enum {
	ARGS = 5,
	MAX_MEMORY = 1 << 29, /* BPF_MAX_VAR_SIZ: Linux takes no larger memory */
};

/* One argument under judgement. */
struct arg {
	struct checked *ck;
	const struct helper_call *call;
	const struct abi_helper *helper;
	u32 index; /* 0 to 4 */
	u32 spec;  /* its row: base and flags */
	u64 value;
	struct map *map; /* of the arguments before; NULL: none */
};

static int is_not(const struct arg *a, const char *what)
{
	return fail(a->ck->run->diag, BAD_ARGUMENT, (int)a->call->pc, a->helper->name,
		    (int)a->index + 1, (unsigned long long)a->value, what);
}

static enum access_how how_of(u32 spec)
{
	if (spec & MEM_UNINIT)
		return WRITE;
	return spec & MEM_WRITE ? READ | WRITE : READ;
}

static bool in_packet(const struct checked *ck, u64 addr)
{
	const struct packet *p = ck->run->packet;

	return p && addr - (u64)(uintptr_t)p->meta < (u64)(p->end - p->meta);
}

static int check_memory(const struct arg *a, u64 size)
{
	struct access access = {.addr = a->value,
				.size = size,
				.how = how_of(a->spec),
				.reg = (int)a->index + 1,
				.pc = a->call->pc};

	if (!a->helper->pkt && size && in_packet(a->ck, a->value))
		return is_not(a, "memory outside of the packet");
	return access_checked(a->ck, &access);
}

/* Bodies take them for the structs that they are. */
static int check_state(const struct arg *a, u64 size)
{
	if (a->value % 8)
		return is_not(a, "a multiple of 8");
	return check_memory(a, size);
}

static int check_mem_and_size(const struct arg *a)
{
	u64 size;

	if (a->spec & MEM_FIXED_SIZE && abi_is_kfunc(a->call->number))
		return check_state(a, abi_mem_size(a->spec));
	if (a->spec & MEM_FIXED_SIZE)
		return check_memory(a, abi_mem_size(a->spec));
	if (!(a->call->known >> (a->index + 2) & 1))
		return 0; /* the size is judged next and found to be missing */
	size = a->call->r[a->index + 2];
	/* Sizes that are no sizes are told about when it is their turn. */
	return size <= MAX_MEMORY ? check_memory(a, size) : 0;
}

/* Is the memory whose size this is allowed to be NULL, and is it? */
static bool is_null_before(const struct arg *a)
{
	return a->index && a->helper->args[a->index - 1] & PTR_MAYBE_NULL &&
	       !a->call->r[a->index];
}

static int check_size(const struct arg *a, bool zero)
{
	if (a->value > MAX_MEMORY || (!a->value && !zero))
		return is_not(a,
			      zero ? "a size from 0 to 2^29" : "a size from 1 to 2^29");
	if (a->value && is_null_before(a))
		return is_not(a, "0, as the memory before it is NULL");
	return 0;
}

static int check_string(const struct arg *a)
{
	struct region region;
	u64 len;

	if (!region_at(a->ck, a->value, &region) || region.kind != REGION_MAP_VALUE ||
	    region.how & WRITE)
		return is_not(a, "a string in a read-only map");
	len = region.size - (a->value - region.start);
	if (!memchr((const void *)(uintptr_t)a->value, 0, len))
		return is_not(a, "a string that ends in its map");
	return 0;
}

/* Kfuncs take the resilient ones. */
static int check_spin_lock(const struct arg *a)
{
	bool kfunc = abi_is_kfunc(a->call->number), good = false;
	struct region region;

	if (region_at(a->ck, a->value, &region) && region.kind == REGION_MAP_VALUE) {
		for (u32 i = 0; i < region.map->n_fields && !good; i++) {
			const struct map_field *field = &region.map->fields[i];

			good = field->off == a->value - region.start &&
			       (kfunc ? field->is_res_spin_lock : field->is_spin_lock);
		}
	}
	if (good)
		return 0;
	return is_not(a, kfunc ? "a bpf_res_spin_lock in a map value"
			       : "a bpf_spin_lock in a map value");
}

/* Callbacks get it as it is, whatever its offset (R10 itself points behind the stack);
 * what they do with it is checked then. */
static int check_stack_pointer(const struct arg *a)
{
	const u64 down = 1 << 30, up = (1ull << 63) + (1 << 30); /* Linux' limits */

	if (a->value - (a->ck->stack - down) > down + up)
		return is_not(a, "a pointer to the stack");
	return 0;
}

/* Maps of these types work with these helpers only; unless others are free to do so,
 * these helpers work with no other maps. */
static const struct pairing {
	u32 type;
	bool others;
	u32 helpers[6];
} pairings[] = {
	{MAP_TYPE_PROG_ARRAY, false, {BPF_FUNC_tail_call}},
	{MAP_TYPE_PERF_EVENT_ARRAY,
	 false,
	 {BPF_FUNC_perf_event_output, BPF_FUNC_perf_event_read,
	  BPF_FUNC_perf_event_read_value, BPF_FUNC_skb_output, BPF_FUNC_xdp_output}},
	{MAP_TYPE_RINGBUF,
	 false,
	 {BPF_FUNC_ringbuf_output, BPF_FUNC_ringbuf_reserve, BPF_FUNC_ringbuf_query,
	  BPF_FUNC_ringbuf_reserve_dynptr}},
	{MAP_TYPE_ARENA,
	 false,
	 {KFUNC_NUMBERS + KFUNC_bpf_arena_alloc_pages,
	  KFUNC_NUMBERS + KFUNC_bpf_arena_free_pages,
	  KFUNC_NUMBERS + KFUNC_bpf_arena_reserve_pages}},
	{MAP_TYPE_ARRAY_OF_MAPS, true, {BPF_FUNC_map_lookup_elem}},
	{MAP_TYPE_HASH_OF_MAPS, true, {BPF_FUNC_map_lookup_elem}},
};

static bool map_suits(const struct map *map, u32 helper)
{
	for (u32 i = 0; i < ARRAY_SIZE(pairings); i++) {
		const struct pairing *pair = &pairings[i];
		bool listed = false;

		for (u32 k = 0; k < ARRAY_SIZE(pair->helpers); k++)
			listed |= pair->helpers[k] == helper;
		if (map->type == pair->type)
			return listed;
		if (listed && !pair->others)
			return false;
	}
	return true;
}

/* With a packet, helpers read and update the context: not what a host passes as raw
 * memory. */
static int check_ctx(const struct arg *a)
{
	const struct checked *ck = a->ck;
	struct region region;

	if (a->value != (u64)(uintptr_t)ck->run->ctx)
		return is_not(a, "the context");
	if (a->call->number == BPF_FUNC_tail_call)
		return 0;
	if (!ck->image->prog->type ||
	    (ck->run->packet && ck->ctx && region_at(ck, a->value, &region) &&
	     region.kind == REGION_RAW))
		return is_not(a, "a context of Linux");
	return 0;
}

static int check_map(struct arg *a)
{
	a->map = known_map(a->ck, a->value);
	if (!a->map)
		return is_not(a, "a map of the program");
	if (!map_suits(a->map, a->call->number))
		return fail(a->ck->run->diag, MAP_AND_HELPER, (int)a->call->pc,
			    a->helper->name, map_type_name(a->map->type), a->map->name);
	return 0;
}

static bool is_function(const struct arg *a)
{
	return image_function(a->ck->image, a->ck->image->checked, a->value);
}

static int check_arg(struct arg *a)
{
	if (a->spec & PTR_MAYBE_NULL && !a->value)
		return 0;
	switch ((enum abi_arg)(a->spec & ABI_BASE)) {
	case ARG_DONTCARE:
	case ARG_ANYTHING:
	case ARG_CONST_ALLOC_SIZE_OR_ZERO:
	case ARG_PTR_TO_RINGBUF_MEM: return 0; /* the run knows its records */
	case ARG_CONST_MAP_PTR: return check_map(a);
	case ARG_PTR_TO_MAP_KEY: return check_memory(a, a->map ? a->map->key_size : 0);
	case ARG_PTR_TO_MAP_VALUE:
		return check_memory(a, a->map ? a->map->value_size : 0);
	case ARG_PTR_TO_DYNPTR: return check_state(a, ABI_DYNPTR_SIZE);
	case ARG_PTR_TO_MEM: return check_mem_and_size(a);
	case ARG_CONST_SIZE: return check_size(a, false);
	case ARG_CONST_SIZE_OR_ZERO: return check_size(a, true);
	case ARG_PTR_TO_CTX: return check_ctx(a);
	case ARG_PTR_TO_FUNC:
		return is_function(a) ? 0 : is_not(a, "a function of the program");
	case ARG_PTR_TO_CONST_STR: return check_string(a);
	case ARG_PTR_TO_SPIN_LOCK: return check_spin_lock(a);
	case ARG_PTR_TO_STACK: return check_stack_pointer(a);
	/* Nothing that a program can get hold of here. */
	case ARG_PTR_TO_ARENA: return is_not(a, "memory of an arena");
	case ARG_PTR_TO_SOCK_COMMON:
	case ARG_PTR_TO_SOCKET:
	case ARG_PTR_TO_BTF_ID_SOCK_COMMON: return is_not(a, "a socket");
	case ARG_PTR_TO_BTF_ID:
	case ARG_PTR_TO_PERCPU_BTF_ID: return is_not(a, "an object of the kernel");
	case ARG_PTR_TO_TIMER: return is_not(a, "a bpf_timer in a map value");
	case ARG_KPTR_XCHG_DEST: return is_not(a, "a kptr in a map value");
	}
	return 0;
}

/* A look-up in a map of maps gives a map. */
static void remember_inner(struct checked *ck, u64 found)
{
	if (found && !known_map(ck, found))
		ck->inner[ck->n_inner++ % INNER_MAPS] = (struct map *)(uintptr_t)found;
}

/* What Linux lets programs call while they hold a lock. */
static bool may_be_locked(u32 number)
{
	static const u32 kfuncs[] = {
		KFUNC_bpf_iter_num_new,
		KFUNC_bpf_iter_num_next,
		KFUNC_bpf_iter_num_destroy,
		KFUNC_bpf_res_spin_lock,
		KFUNC_bpf_res_spin_unlock,
		KFUNC_bpf_res_spin_lock_irqsave,
		KFUNC_bpf_res_spin_unlock_irqrestore,
	};
	bool may = number == BPF_FUNC_spin_lock || number == BPF_FUNC_spin_unlock;

	for (u32 i = 0; i < ARRAY_SIZE(kfuncs) && !may; i++)
		may = number == abi_kfunc_number(kfuncs[i]);
	return may;
}

int args_check(struct checked *ck, struct helper_call *call)
{
	const struct abi_helper *helper = image_helper(ck->image, call->number);
	struct arg a = {.ck = ck, .call = call, .helper = helper};
	int err = 0;

	call->gives_map = false;
	/* Calls by number were judged when the image was made; callx was not. */
	if (!helper && abi_helper(call->number))
		return fail(ck->run->diag, HELPER_NOT_FOR_TYPE, (int)call->pc,
			    abi_helper(call->number)->name, image_type_name(ck->image));
	if ((ck->run->lock || ck->run->n_res_locks) && !may_be_locked(call->number))
		return fail(ck->run->diag, LOCKED_CALL, (int)call->pc);
	for (u32 i = 0; helper && i < ARGS && helper->args[i] != ARG_DONTCARE && !err;
	     i++) {
		if (!(call->known >> (i + 1) & 1))
			return fail(ck->run->diag, UNINIT_REG, (int)call->pc, (int)i + 1);
		a.index = i;
		a.spec = helper->args[i];
		a.value = call->r[i + 1];
		err = check_arg(&a);
	}
	call->gives_map = a.map && map_is_of_maps(a.map) &&
			  (helper->ret & ABI_BASE) == RET_PTR_TO_MAP_VALUE;
	return err;
}

void args_done(struct checked *ck, struct helper_call *call)
{
	const struct abi_helper *helper = image_helper(ck->image, call->number);
	bool returns = !helper || (helper->ret & ABI_BASE) != RET_VOID;

	call->known &= ~(1u << R0 | 1u << R1 | 1u << R2 | 1u << R3 | 1u << R4 | 1u << R5);
	call->known |= (u32)returns << R0;
	if (call->gives_map)
		remember_inner(ck, call->r[R0]);
}
