/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Global functions: what their BTF and the tags of their arguments promise, whether a
 * call keeps it, and the state they are verified in, once for all calls.
 *
 * Soundness: args_set() gives the function nothing that args_check() does not demand of
 * every caller.  Static functions are verified at each call and need none of this.  Never
 * does: enter functions.  Words: __arg_ctx, __arg_nonnull ... of libbpf's bpf_helpers.h.
 */
#include <string.h>

#include "verify/calls.h"
#include "verify/memory.h"
#include "verify/record.h"

enum arg_tag {
	TAG_CTX = 1 << 0,
	TAG_NONNULL = 1 << 1,
	TAG_TRUSTED = 1 << 2,
	TAG_NULLABLE = 1 << 3,
	TAG_ARENA = 1 << 4,
	TAG_UNTRUSTED = 1 << 5,
};

/* One argument while it is read. */
struct reading {
	struct env *env;
	const struct btf *btf; /* the program's */
	const char *func;
	u32 func_id;
	u32 no;      /* of the argument, from 1 */
	u32 pointee; /* what it points to, modifiers and all */
	u32 tags;    /* enum arg_tag */
	struct sub_arg *arg;
};

/* ---- tags ---- */

static u32 tag_of(const char *name)
{
	static const struct {
		const char *name;
		enum arg_tag tag;
	} tags[] = {
		{"ctx", TAG_CTX},         {"nonnull", TAG_NONNULL},
		{"trusted", TAG_TRUSTED}, {"nullable", TAG_NULLABLE},
		{"arena", TAG_ARENA},     {"untrusted", TAG_UNTRUSTED},
	};

	for (u32 i = 0; i < ARRAY_SIZE(tags); i++) {
		if (!strcmp(tags[i].name, name))
			return tags[i].tag;
	}
	return 0;
}

static int read_tags(struct reading *r)
{
	u32 cursor = 0, id;

	if (!r->env->rules->args_tagged)
		return 0;
	while ((id = btf_next_tag(r->btf, r->func_id, &cursor))) {
		struct btf_type t = btf_type(r->btf, id);
		u32 tag;

		if (btf_component(&t) != (s32)r->no - 1 || strncmp(t.name, "arg:", 4))
			continue;
		tag = tag_of(t.name + 4);
		if (!tag || (tag == TAG_UNTRUSTED && !r->env->rules->untrusted_args))
			return reject(r->env, FUNC_ARG_TAG, r->no, r->func, t.name);
		r->tags |= tag;
	}
	return 0;
}

static int bad_tags(const struct reading *r)
{
	return reject(r->env, FUNC_ARG_TAGS, r->no, r->func);
}

/* ---- contexts ---- */

/* The struct that programs of this type know their context as, or NULL. */
static const char *ctx_name(u32 prog_type)
{
	const struct abi_ctx *ctx = abi_ctx(prog_type);

	/* A number there. */
	return ctx && prog_type != PROG_TYPE_LIRC_MODE2 ? ctx->name : NULL;
}

/* Is there, before all typedefs are followed, that one? */
static bool is_user_regs(const struct reading *r)
{
	u32 id = btf_skip_modifiers(r->btf, r->pointee);

	return btf_kind(r->btf, id) == BTF_TYPEDEF &&
	       !strcmp(btf_name(r->btf, id), "bpf_user_pt_regs_t");
}

/* The names of the kernel's own structs do, too. */
static bool is_twin(const char *ctx, const char *name)
{
	return (!strcmp(ctx, "__sk_buff") && !strcmp(name, "sk_buff")) ||
	       (!strcmp(ctx, "xdp_md") && !strcmp(name, "xdp_buff"));
}

static bool is_struct(enum btf_kind kind)
{
	return kind == BTF_STRUCT || kind == BTF_UNION;
}

/* Without a tag: by the name of the struct; of kprobes also that of the typedef, be it a
 * struct's. */
static bool looks_like_ctx(const struct reading *r)
{
	u32 type = r->env->prog_type;
	u32 id = btf_resolve(r->btf, r->pointee);
	const char *name = btf_name(r->btf, id), *ctx = ctx_name(type);

	if (type == PROG_TYPE_KPROBE &&
	    (is_user_regs(r) || !strcmp(name, "bpf_user_pt_regs_t")))
		return true;
	return is_struct(btf_kind(r->btf, id)) && ctx &&
	       (is_twin(ctx, name) || !strcmp(ctx, name));
}

/* A u64 * is as good as a struct where the context is an array of arguments. */
static bool is_u64(const struct reading *r, u32 id)
{
	struct btf_type t = btf_type(r->btf, id);

	return t.kind == BTF_INT && t.size == 8;
}

static bool tracing_ctx(const struct reading *r, u32 id)
{
	const char *name = btf_name(r->btf, id);
	bool is = btf_kind(r->btf, id) == BTF_STRUCT || btf_kind(r->btf, id) == BTF_UNION;

	switch (r->env->attach_type) {
	case ATTACH_TRACE_RAW_TP:
		return is_u64(r, id) || (is && !strcmp(name, "bpf_raw_tracepoint_args"));
	case ATTACH_TRACE_ITER: return is && !strncmp(name, "bpf_iter__", 10);
	case ATTACH_TRACE_FENTRY:
	case ATTACH_TRACE_FEXIT:
	case ATTACH_MODIFY_RETURN: return is_u64(r, id);
	default: return false;
	}
}

/* Tagged as the context: is the type one that may be? */
static bool may_be_ctx(const struct reading *r)
{
	u32 type = r->env->prog_type;
	u32 id = btf_resolve(r->btf, r->pointee);
	const char *name = btf_name(r->btf, id), *ctx = ctx_name(type);
	bool is = is_struct(btf_kind(r->btf, id));

	if ((type == PROG_TYPE_KPROBE || type == PROG_TYPE_PERF_EVENT) && is_user_regs(r))
		return true;
	if (!id)
		return true; /* void * */
	if (!*name)
		return false;
	switch (type) {
	case PROG_TYPE_PERF_EVENT:
		if (is && !strcmp(name, "pt_regs"))
			return true;
		break;
	case PROG_TYPE_RAW_TRACEPOINT:
	case PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
	case PROG_TYPE_LSM:
	case PROG_TYPE_STRUCT_OPS:
		if (is_u64(r, id))
			return true;
		break;
	case PROG_TYPE_TRACING:
		if (tracing_ctx(r, id))
			return true;
		break;
	case PROG_TYPE_TRACEPOINT:
	case PROG_TYPE_SYSCALL:
	case PROG_TYPE_EXT: return true;
	default: break;
	}
	return is && ctx && !strcmp(ctx, name);
}

static int read_ctx(const struct reading *r)
{
	if (r->tags & ~(u32)TAG_CTX)
		return bad_tags(r);
	if (r->tags && !may_be_ctx(r))
		return reject(r->env, FUNC_ARG_CTX, r->no, r->func);
	r->arg->kind = ARG_PTR_TO_CTX;
	return 0;
}

/* ---- pointers ---- */

static bool is_dynptr(const struct reading *r)
{
	struct btf_type t = btf_type(r->btf, btf_resolve(r->btf, r->pointee));

	return (is_struct(t.kind) || (t.kind == BTF_FWD && !t.kind_flag)) &&
	       !strcmp(t.name, "bpf_dynptr");
}

/* The one struct of the kernel with the name of the pointee; 0: the reason is told. */
static u32 kernel_twin(const struct reading *r)
{
	struct btf_type t = btf_type(r->btf, btf_resolve(r->btf, r->pointee));
	const struct btf *kernel = r->env->kernel;
	char name[128];
	size_t len = btf_essential_len(t.name);
	u32 id;

	if (!kernel) {
		(void)unsupported(r->env, "the target's types are not known");
		return 0;
	}
	if (!len || len >= sizeof(name)) {
		(void)reject(r->env, FUNC_ARG_NO_STRUCT, r->no, r->func, t.name);
		return 0;
	}
	memcpy(name, t.name, len);
	name[len] = 0;
	id = btf_find(kernel, name, t.kind);
	if (id && !btf_find_next(kernel, name, t.kind, id))
		return id;
	(void)reject(r->env, FUNC_ARG_NO_STRUCT, r->no, r->func, name);
	return 0;
}

static int read_trusted(const struct reading *r)
{
	if (r->tags & TAG_NONNULL)
		return bad_tags(r);
	r->arg->btf_id = kernel_twin(r);
	if (!r->arg->btf_id)
		return -ENOENT;
	r->arg->btf = r->env->kernel;
	r->arg->kind = ARG_PTR_TO_BTF_ID;
	r->arg->flags = PTR_TRUSTED | (r->tags & TAG_NULLABLE ? PTR_MAYBE_NULL : 0);
	return 0;
}

static int read_untrusted(const struct reading *r)
{
	enum btf_kind kind = btf_kind(r->btf, btf_resolve(r->btf, r->pointee));

	if (r->tags & ~(u32)TAG_UNTRUSTED)
		return bad_tags(r);
	if (kind == BTF_VOID || kind == BTF_INT || kind == BTF_ENUM ||
	    kind == BTF_ENUM64) {
		r->arg->kind = ARG_PTR_TO_MEM;
		r->arg->flags = MEM_RDONLY | PTR_UNTRUSTED;
		return 0;
	}
	r->arg->btf_id = kernel_twin(r);
	if (!r->arg->btf_id)
		return -ENOENT;
	if (!is_struct(btf_kind(r->env->kernel, r->arg->btf_id)))
		return reject(r->env, FUNC_ARG_KERNEL_KIND, r->no, r->func,
			      btf_name(r->env->kernel, r->arg->btf_id));
	r->arg->btf = r->env->kernel;
	r->arg->kind = ARG_PTR_TO_BTF_ID;
	r->arg->flags = PTR_UNTRUSTED;
	return 0;
}

/* Memory of the size of what it points to. */
static int read_memory(const struct reading *r)
{
	s64 size;

	if (r->tags & TAG_NULLABLE)
		return bad_tags(r);
	size = btf_size(r->btf, r->pointee);
	if (size < 0 || size > UINT32_MAX)
		return reject(r->env, FUNC_ARG_SIZE, r->no, r->func);
	r->arg->kind = ARG_PTR_TO_MEM;
	r->arg->flags = r->tags & TAG_NONNULL ? 0 : PTR_MAYBE_NULL;
	r->arg->mem_size = (u32)size;
	return 0;
}

static int read_pointer(const struct reading *r)
{
	if (r->tags & TAG_CTX || looks_like_ctx(r))
		return read_ctx(r);
	if (is_dynptr(r)) {
		if (r->tags)
			return bad_tags(r);
		r->arg->kind = ARG_PTR_TO_DYNPTR;
		r->arg->flags = MEM_RDONLY;
		return 0;
	}
	if (r->tags & TAG_TRUSTED)
		return read_trusted(r);
	if (r->tags & TAG_UNTRUSTED)
		return read_untrusted(r);
	if (!(r->tags & TAG_ARENA))
		return read_memory(r);
	if (r->tags & ~(u32)TAG_ARENA)
		return bad_tags(r);
	r->arg->kind = ARG_PTR_TO_ARENA;
	return 0;
}

/* ---- all arguments ---- */

static bool is_number(const struct btf *btf, u32 id)
{
	enum btf_kind kind = btf_kind(btf, btf_resolve(btf, id));

	return kind == BTF_INT || kind == BTF_ENUM || kind == BTF_ENUM64;
}

static int read_arg(struct reading *r, u32 type)
{
	struct btf_type t = btf_type(r->btf, btf_resolve(r->btf, type));
	int err = read_tags(r);

	if (err)
		return err;
	if (t.kind == BTF_PTR) {
		r->pointee = t.type;
		return read_pointer(r);
	}
	if (r->tags)
		return bad_tags(r);
	if (!is_number(r->btf, type))
		return reject(r->env, FUNC_ARG_TYPE, r->no, r->func);
	r->arg->kind = ARG_ANYTHING;
	return 0;
}

int global_args_read(struct env *env, u32 sub)
{
	const struct subprog *func = &env->prog->subprogs[sub];
	const struct btf *btf = env->prog->btf;
	struct sub_info *info = &env->subs[sub];
	struct btf_type proto;

	if (info->args_cached)
		return 0;
	if (!btf || !func->btf_id || btf_kind(btf, func->btf_id) != BTF_FUNC)
		return reject(env, FUNC_NO_BTF, func->name);
	proto = btf_type(btf, btf_type(btf, func->btf_id).type);
	if (proto.kind != BTF_FUNC_PROTO)
		return reject(env, FUNC_NO_BTF, func->name);
	if (proto.vlen > ARRAY_SIZE(info->args))
		return reject(env, FUNC_TOO_MANY_ARGS, func->name, proto.vlen);
	if (!is_number(btf, proto.type))
		return reject(env, FUNC_RETURNS, func->name);
	for (u32 i = 0; i < proto.vlen; i++) {
		struct reading r = {
			.env = env,
			.btf = btf,
			.func = func->name,
			.func_id = func->btf_id,
			.no = i + 1,
			.arg = &info->args[i],
		};
		int err;

		info->args[i] = (struct sub_arg){0};
		err = read_arg(&r, btf_param(btf, &proto, i).type);
		if (err)
			return err;
	}
	info->n_args = proto.vlen;
	info->args_cached = true;
	return 0;
}

/* ---- a call ---- */

/* The function may read and write that much, if there is anything. */
static int memory_given(struct env *env, u32 regno, const struct sub_arg *arg)
{
	struct region_use use = {
		.reg = regno,
		.size = arg->mem_size,
		.type = (enum access_type)(ACCESS_READ | ACCESS_WRITE),
		.zero_size_ok = true,
		.for_kfunc = true, /* as if it were not NULL */
	};
	int err = arg_offset_check(env, regno, ARG_DONTCARE);

	if (err || reg_is_null(&env_regs(env)[regno]))
		return err;
	return region_check(env, &use);
}

static const char *or_null(const struct reg *reg)
{
	return reg->flags & MAYBE_NULL ? " or NULL" : "";
}

static int arg_given(struct env *env, u32 regno, const struct sub_arg *arg,
		     const char *func)
{
	static const struct call no_helper;
	const struct reg *reg = &env_regs(env)[regno];
	const char *kind = reg_kind_phrase(reg->kind);
	u32 want = arg->kind | arg->flags;
	int err;

	if (arg->kind == ARG_ANYTHING)
		return reg->kind == SCALAR ? 0
					   : reject(env, CALL_ARG_KIND, regno, kind,
						    or_null(reg), func, "a number");
	if (arg->flags & PTR_UNTRUSTED) {
		/* reads cannot fail, whatever it is; writes are refused */
		env->untrusted = env->pc + 1;
		return 0;
	}
	switch (arg->kind) {
	case ARG_PTR_TO_CTX:
		err = arg_offset_check(env, regno, ARG_DONTCARE);
		if (err || (reg->kind == PTR_TO_CTX && !reg->flags))
			return err;
		return reject(env, CALL_ARG_KIND, regno, kind, or_null(reg), func,
			      "the context");
	case ARG_PTR_TO_MEM:
		err = memory_given(env, regno, arg);
		if (err || arg->flags & PTR_MAYBE_NULL || !(reg->flags & MAYBE_NULL))
			return err;
		return reject(env, CALL_ARG_MAYBE_NULL, regno, func);
	case ARG_PTR_TO_ARENA:
		if (reg->kind == PTR_TO_ARENA || reg->kind == SCALAR)
			return 0;
		return reject(env, CALL_ARG_KIND, regno, kind, or_null(reg), func,
			      "a pointer to the arena");
	case ARG_PTR_TO_DYNPTR:
		err = arg_offset_check(env, regno, ARG_PTR_TO_DYNPTR);
		return err ? err : dynptr_arg_check(env, regno, env->pc, want, 0);
	default: break;
	}
	if (reg_is_null(reg) && arg->flags & PTR_MAYBE_NULL)
		return 0;
	err = arg_kind_check(env, regno, want, arg->btf_id, &no_helper);
	return err ? err : arg_offset_check(env, regno, want);
}

int global_args_check(struct env *env, u32 sub)
{
	const struct sub_info *info = &env->subs[sub];
	int err = global_args_read(env, sub);

	for (u32 i = 0; i < info->n_args && !err; i++)
		err = arg_given(env, R1 + i, &info->args[i],
				env->prog->subprogs[sub].name);
	return err;
}

bool static_args_fit(struct env *env, u32 sub)
{
	const struct sub_info *info = &env->subs[sub];

	if (sub >= env->prog->n_subprogs || global_args_read(env, sub))
		return false;
	for (u32 i = 0; i < info->n_args; i++) {
		const struct reg *reg = &env_regs(env)[R1 + i];
		bool ctx = reg->kind == PTR_TO_CTX && !reg->flags && !reg->off &&
			   scalar_is_const(&reg->var) && !reg->var.bits.value;

		if (info->args[i].kind == ARG_ANYTHING
			    ? reg->kind != SCALAR
			    : info->args[i].kind != ARG_PTR_TO_CTX || !ctx)
			return false;
	}
	return true;
}

/* ---- the function itself ---- */

static u32 flags_given(const struct sub_arg *arg)
{
	return (arg->flags & PTR_MAYBE_NULL ? MAYBE_NULL : 0) |
	       (arg->flags & PTR_UNTRUSTED ? UNTRUSTED : 0) |
	       (arg->flags & PTR_TRUSTED ? TRUSTED : 0) |
	       (arg->flags & MEM_RDONLY ? RDONLY : 0);
}

static void set_arg(struct env *env, const struct sub_arg *arg, struct reg *reg)
{
	u32 flags = flags_given(arg);

	switch (arg->kind) {
	case ARG_PTR_TO_CTX: reg_set_pointer(reg, PTR_TO_CTX, 0); break;
	case ARG_PTR_TO_DYNPTR:
		/* Of no special kind: what all dynptrs can do. */
		reg_set_pointer(reg, CONST_PTR_TO_DYNPTR, 0);
		reg->dynptr_type = DYNPTR_LOCAL;
		reg->first_slot = true;
		reg->id = env_new_id(env);
		break;
	case ARG_PTR_TO_MEM:
		reg_set_pointer(reg, PTR_TO_MEM, flags);
		reg->mem_size = arg->mem_size;
		if (flags & MAYBE_NULL)
			reg->id = env_new_id(env);
		break;
	case ARG_PTR_TO_BTF_ID:
		reg_set_pointer(reg, PTR_TO_BTF_ID, flags);
		reg->btf = arg->btf;
		reg->btf_id = arg->btf_id;
		reg->id = env_new_id(env);
		break;
	default:
		reg_set_unknown(reg);
		break; /* numbers; callers may give any for arenas */
	}
}

int global_args_set(struct env *env, u32 sub, struct frame *frame)
{
	const struct sub_info *info = &env->subs[sub];
	int err = global_args_read(env, sub);

	for (u32 i = 0; i < info->n_args && !err; i++)
		set_arg(env, &info->args[i], &frame->regs[R1 + i]);
	return err;
}
