/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The context: what R1 points to when the program starts, read and written at constant
 * offsets.
 *
 * Contexts with one layout are rows of src/abi; the others are a rule each: registers of
 * the CPU, buffers of tracepoints, arguments of what is traced (attach_ctx.c), memory of
 * the caller's.  Never does: decide what a field means for the packet.  Kernel
 * documentation: bpf/prog_*.rst.
 */
#include "abi/abi.h"
#include "verify/memory.h"
#include "verify/record.h"

enum {
	MAX_TRACE_BUFFER = 8192,
	MAX_CALLER_MEMORY = 65535, /* of SYSCALL programs */
	TRACE_ARGS = 8 * 12,       /* of raw tracepoints */
	PERF_TAIL = 16,            /* of bpf_perf_event_data: behind the registers */
};

/* struct pt_regs as programs see it. */
#if defined(__aarch64__)
enum { CPU_REGS = 272 };
#else
enum { CPU_REGS = 168 };
#endif

static int refuse(struct env *env, const struct access *access)
{
	const struct abi_ctx_field *field =
		env->ctx && access->off >= 0 ? abi_ctx_field(env->ctx, (u32)access->off)
					     : NULL;

	if (access->type == ACCESS_WRITE)
		return reject(env, CTX_WRITE_REFUSED, access->size, access->off,
			      field ? field->name : "no field");
	return reject(env, CTX_READ_REFUSED, access->size, access->off,
		      field ? field->name : "no field");
}

/* ---- contexts that are plain memory ---- */

static bool is_aligned(const struct access *access)
{
	return access->off >= 0 && access->off % (s32)access->size == 0;
}

static bool is_inside(const struct access *access, s32 from, s32 to)
{
	return is_aligned(access) && access->off >= from &&
	       (s64)access->off + access->size <= to;
}

/* Registers, then two numbers of which parts can be read. */
static bool perf_event_allows(const struct access *access)
{
	if (access->type != ACCESS_READ || !is_inside(access, 0, CPU_REGS + PERF_TAIL))
		return false;
	return access->off >= CPU_REGS || access->size == 8;
}

static bool memory_allows(const struct env *env, const struct access *access)
{
	bool reads = access->type == ACCESS_READ;

	switch (env->prog_type) {
	case PROG_TYPE_KPROBE:
		return (reads || env->rules->kprobe_writes_regs) &&
		       is_inside(access, 0, CPU_REGS);
	case PROG_TYPE_TRACEPOINT: return reads && is_inside(access, 8, MAX_TRACE_BUFFER);
	case PROG_TYPE_PERF_EVENT: return perf_event_allows(access);
	case PROG_TYPE_RAW_TRACEPOINT:
	case PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
		return reads && is_inside(access, 0, TRACE_ARGS);
	case PROG_TYPE_SYSCALL:
		return is_aligned(access) && access->off < MAX_CALLER_MEMORY;
	default: return false;
	}
}

static bool is_memory(u32 prog_type)
{
	return prog_type == PROG_TYPE_KPROBE || prog_type == PROG_TYPE_TRACEPOINT ||
	       prog_type == PROG_TYPE_PERF_EVENT ||
	       prog_type == PROG_TYPE_RAW_TRACEPOINT ||
	       prog_type == PROG_TYPE_RAW_TRACEPOINT_WRITABLE ||
	       prog_type == PROG_TYPE_SYSCALL;
}

static int memory_access(struct env *env, const struct access *access)
{
	bool buffer = env->prog_type == PROG_TYPE_RAW_TRACEPOINT_WRITABLE && !access->off;

	if (!memory_allows(env, access) || (buffer && access->size != 8))
		return refuse(env, access);
	if (buffer && access->value >= 0)
		reg_set_pointer(&env_regs(env)[access->value], PTR_TO_TP_BUFFER, 0);
	else
		load_unknown(env, access);
	return 0;
}

/* ---- arguments of what is traced or replaced ---- */

static bool is_attached(u32 prog_type)
{
	return prog_type == PROG_TYPE_TRACING || prog_type == PROG_TYPE_LSM ||
	       prog_type == PROG_TYPE_STRUCT_OPS;
}

static int attached_access(struct env *env, const struct access *access)
{
	struct ctx_use use = {
		.off = access->off,
		.size = access->size,
		.how = access->type == ACCESS_WRITE ? CTX_WRITE : CTX_READ,
	};
	int err = attach_ctx_access(env, &use);

	if (err || access->type == ACCESS_WRITE || access->value < 0)
		return err;
	struct reg *reg = &env_regs(env)[access->value];
	*reg = use.value;
	if (reg->flags & MAYBE_NULL)
		reg->id = env_new_id(env);
	return 0;
}

/* ---- contexts with one layout ---- */

static int load_struct(struct env *env, struct reg *reg, const char *name)
{
	if (!env->kernel)
		return unsupported(env,
				   "this context field is one of the kernel's structs: "
				   "give its types by --btf");
	u32 id = btf_find(env->kernel, name, BTF_STRUCT);
	if (!id)
		return unsupported(env,
				   "the target's types lack a struct that it must have");
	reg_set_pointer(reg, PTR_TO_BTF_ID, TRUSTED);
	reg->btf = env->kernel;
	reg->btf_id = id;
	return 0;
}

static void load_socket(struct env *env, struct reg *reg, enum reg_kind kind, u32 flags)
{
	reg_set_pointer(reg, kind, flags);
	if (flags & MAYBE_NULL)
		reg->id = env_new_id(env);
}

/* The loaded register, by what the field means. */
static int load_field(struct env *env, const struct access *access,
		      const struct abi_ctx_field *field)
{
	struct reg *reg = &env_regs(env)[access->value];

	switch ((enum abi_ctx_value)field->value) {
	case CTX_NUMBER: load_unknown(env, access); break;
	case CTX_PACKET: reg_set_pointer(reg, PTR_TO_PACKET, 0); break;
	case CTX_PACKET_END: reg_set_pointer(reg, PTR_TO_PACKET_END, 0); break;
	case CTX_PACKET_META: reg_set_pointer(reg, PTR_TO_PACKET_META, 0); break;
	case CTX_FLOW_KEYS: reg_set_pointer(reg, PTR_TO_FLOW_KEYS, 0); break;
	case CTX_SOCKET: load_socket(env, reg, PTR_TO_SOCKET, 0); break;
	case CTX_SOCKET_OR_NULL: load_socket(env, reg, PTR_TO_SOCKET, MAYBE_NULL); break;
	case CTX_SOCK_COMMON_OR_NULL:
		load_socket(env, reg, PTR_TO_SOCK_COMMON, MAYBE_NULL);
		break;
	case CTX_BTF_SK_BUFF: return load_struct(env, reg, "sk_buff");
	case CTX_BTF_NF_HOOK_STATE: return load_struct(env, reg, "nf_hook_state");
	case CTX_TP_BUFFER: reg_set_pointer(reg, PTR_TO_TP_BUFFER, 0); break;
	}
	return 0;
}

static bool is_packet_field(const struct abi_ctx_field *field)
{
	return field->value == CTX_PACKET || field->value == CTX_PACKET_END ||
	       field->value == CTX_PACKET_META;
}

/* Programs at a cgroup may be loaded by everybody, but then see no packets and write no
 * time stamps. */
static bool needs_privilege(const struct env *env, const struct access *access,
			    const struct abi_ctx_field *field)
{
	if (env->privileged || env->prog_type != PROG_TYPE_CGROUP_SKB)
		return false;
	return is_packet_field(field) ||
	       (access->type == ACCESS_WRITE && field->unit == 8 && field->count == 1);
}

static int field_access(struct env *env, const struct access *access)
{
	struct abi_ctx_access how = {
		.prog_type = env->prog_type,
		.attach_type = env->attach_type,
		.offset = (u32)access->off,
		.size = access->size,
		.write = access->type == ACCESS_WRITE,
	};
	const struct abi_ctx_field *field =
		env->ctx && access->off >= 0 ? abi_ctx_allows(env->ctx, &how) : NULL;

	if (!field || field->since > env->rules->version ||
	    needs_privilege(env, access, field))
		return refuse(env, access);
	if (access->sign_extend && field->value != CTX_NUMBER)
		return reject(env, CTX_SIGN_EXTEND, field->name);
	if (access->type == ACCESS_WRITE || access->value < 0)
		return 0;
	return load_field(env, access, field);
}

/* ---- all of them ---- */

/* Whoever gives the context can give any number, and no pointer. */
static bool is_believed(const struct env *env, const struct access *access)
{
	const struct scalar any = scalar_unknown();
	const struct reg *reg;

	if (access->type == ACCESS_WRITE || access->value < 0)
		return false;
	reg = &env_regs(env)[access->value];
	return reg->kind != SCALAR || !scalar_same(&reg->var, &any);
}

static void note_context(struct env *env, const struct access *access)
{
	u32 end = (u32)access->off + access->size;

	if (env->context.size < end)
		env->context.size = end;
	if (!env->context.believed && is_believed(env, access))
		env->context.believed = env->pc + 1;
}

static int access_by_type(struct env *env, const struct access *access)
{
	if (is_memory(env->prog_type))
		return memory_access(env, access);
	if (is_attached(env->prog_type))
		return attached_access(env, access);
	return field_access(env, access);
}

int ctx_access(struct env *env, const struct access *access)
{
	int err;

	if (!env->ctx)
		env->ctx = abi_ctx(env->prog_type);
	err = access_by_type(env, access);
	if (!err)
		note_context(env, access);
	return err;
}
