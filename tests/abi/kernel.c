/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of src/abi against the running kernel: numbers and layouts in its BTF; and
 * for every type of program that it loads, which helpers may be called and which parts
 * of the context may be read and written.
 *
 * The tables describe Linux 6.18, and since when each number exists and who was offered
 * it: an older version must agree with that, too (in the lab: docs/lab.md).  Nothing is
 * attached and nothing runs.
 */
#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

#include "abi/abi.h"
#include "base/arena.h"
#include "base/diag.h"
#include "base/file.h"
#include "btf/btf.h"
#include "check.h"
#include "kernel.h"

/* ---- BTF ---- */

/* Every enumerator of that enum which starts like that is known by its number. */
static void check_enum(const struct btf *btf, const char *name, const char *prefix,
		       const struct abi_name *(*find)(const char *))
{
	struct btf_type t = btf_type(btf, btf_find(btf, name, BTF_ENUM));

	CHECK(t.id);
	for (u32 i = 0; i < t.vlen; i++) {
		struct btf_enumerator e = btf_enumerator(btf, &t, i);
		bool wanted = !strncmp(e.name, prefix, strlen(prefix)) &&
			      !strstr(e.name, "UNSPEC") && !strstr(e.name, "DEPRECATED");
		const struct abi_name *row = wanted ? find(e.name) : NULL;

		if (wanted && check_that(row != NULL, e.name, name, (int)i))
			check_same(row->number, (long long)e.value, e.name, name, (int)i);
	}
}

static void numbers_are_the_kernels(const struct btf *btf)
{
	struct btf_type t = btf_type(btf, btf_find(btf, "bpf_func_id", BTF_ENUM));

	check_enum(btf, "bpf_prog_type", "BPF_PROG_TYPE_", abi_find_prog_type);
	check_enum(btf, "bpf_attach_type", "BPF_", abi_find_attach_type);
	check_enum(btf, "bpf_map_type", "BPF_MAP_TYPE_", abi_find_map_type);
	for (u32 i = 0; i < t.vlen; i++) {
		struct btf_enumerator e = btf_enumerator(btf, &t, i);
		const struct abi_helper *h =
			abi_find_helper(e.name + strlen("BPF_FUNC_"));

		if (e.value && strncmp(e.name, "__", 2) != 0 &&
		    check_that(h != NULL, e.name, "helpers", (int)i))
			check_same(h->number, (long long)e.value, e.name, "helpers",
				   (int)i);
	}
}

/* Does BTF have that enumerator in that enum? */
static bool is_in_enum(const struct btf *btf, const char *enum_name, const char *prefix,
		       const char *name)
{
	struct btf_type t = btf_type(btf, btf_find(btf, enum_name, BTF_ENUM));

	for (u32 i = 0; i < t.vlen; i++) {
		const char *has = btf_enumerator(btf, &t, i).name;

		if (!strncmp(has, prefix, strlen(prefix)) &&
		    !strcasecmp(has + strlen(prefix), name))
			return true;
	}
	return false;
}

struct known_since {
	const char *enum_name, *prefix;
	const struct abi_name *(*row)(u32);
	u32 n;
};

/* A row is in the running kernel's enum from the version on that it names. */
static void check_since(const struct btf *btf, u32 running)
{
	static const struct known_since tables[] = {
		{"bpf_prog_type", "BPF_PROG_TYPE_", abi_prog_type, PROG_TYPES},
		{"bpf_attach_type", "BPF_", abi_attach_type, ATTACH_TYPES},
		{"bpf_map_type", "BPF_MAP_TYPE_", abi_map_type, 64},
	};

	for (u32 k = 0; k < ARRAY_SIZE(tables); k++) {
		const struct known_since *t = &tables[k];

		for (u32 i = 0; i < t->n; i++) {
			const struct abi_name *row = t->row(i);

			if (row)
				check_same(is_in_enum(btf, t->enum_name, t->prefix,
						      row->name),
					   row->since <= running, row->name, t->enum_name,
					   (int)i);
		}
	}
	for (u32 i = 1; i < ABI_HELPERS; i++) {
		const struct abi_helper *h = abi_helper(i);

		if (h)
			check_same(is_in_enum(btf, "bpf_func_id", "BPF_FUNC_", h->name),
				   h->since <= running, h->name, "bpf_func_id", (int)i);
	}
}

/* Where a member is, anonymous unions looked through; -1: nowhere. */
static s64 member_offset(const struct btf *btf, u32 id, const char *name)
{
	struct btf_type t = btf_type(btf, id);

	for (u32 i = 0; i < t.vlen; i++) {
		struct btf_member m = btf_member(btf, &t, i);
		u32 inner = btf_resolve(btf, m.type);
		s64 off = -1;

		if (!strcmp(m.name, name))
			return m.bit_offset / 8;
		if (!m.name[0] && (btf_kind(btf, inner) == BTF_UNION ||
				   btf_kind(btf, inner) == BTF_STRUCT))
			off = member_offset(btf, inner, name);
		if (off >= 0)
			return m.bit_offset / 8 + off;
	}
	return -1;
}

static void layouts_are_the_kernels(const struct btf *btf)
{
	for (u32 type = 0; type < PROG_TYPES; type++) {
		const struct abi_ctx *ctx = abi_ctx(type);
		u32 id = ctx ? btf_find(btf, ctx->name, BTF_STRUCT) : 0;

		if (!id || !strcmp(ctx->name, "pt_regs") ||
		    !strcmp(ctx->name, "bpf_raw_tracepoint_args"))
			continue;
		CHECK_INT(btf_size(btf, id), ctx->size);
		for (u32 i = 0; i < ctx->n_fields; i++) {
			const struct abi_ctx_field *f = &ctx->fields[i];
			s64 off = member_offset(btf, id, f->name);

			/* args shares its place with reply, which may be written */
			if (!strcmp(f->name, "args"))
				off += f->unit;
			check_same(off, f->offset, f->name, ctx->name, (int)i);
		}
	}
}

/* ---- programs ---- */

/* Kinds of programs to load; type_name: what they attach to, of that kind. */
struct kind {
	u32 type, attach, flags;
	const char *target;
	enum btf_kind target_kind;
	u32 btf_id; /* of the target */
};

enum { SLEEPABLE = BPF_F_SLEEPABLE };

static struct kind kinds[] = {
	{PROG_TYPE_SOCKET_FILTER, 0},
	{PROG_TYPE_KPROBE, 0},
	{PROG_TYPE_KPROBE, ATTACH_TRACE_KPROBE_MULTI},
	{PROG_TYPE_KPROBE, ATTACH_TRACE_UPROBE_MULTI},
	{PROG_TYPE_SCHED_CLS, 0},
	{PROG_TYPE_SCHED_CLS, ATTACH_TCX_INGRESS},
	{PROG_TYPE_SCHED_CLS, ATTACH_NETKIT_PRIMARY},
	{PROG_TYPE_SCHED_ACT, 0},
	{PROG_TYPE_TRACEPOINT, 0},
	{PROG_TYPE_XDP, 0},
	{PROG_TYPE_XDP, ATTACH_XDP},
	{PROG_TYPE_XDP, ATTACH_XDP_DEVMAP},
	{PROG_TYPE_XDP, ATTACH_XDP_CPUMAP},
	{PROG_TYPE_PERF_EVENT, 0},
	{PROG_TYPE_CGROUP_SKB, ATTACH_CGROUP_INET_INGRESS},
	{PROG_TYPE_CGROUP_SKB, ATTACH_CGROUP_INET_EGRESS},
	{PROG_TYPE_CGROUP_SOCK, ATTACH_CGROUP_INET_SOCK_CREATE},
	{PROG_TYPE_CGROUP_SOCK, ATTACH_CGROUP_INET_SOCK_RELEASE},
	{PROG_TYPE_CGROUP_SOCK, ATTACH_CGROUP_INET4_POST_BIND},
	{PROG_TYPE_CGROUP_SOCK, ATTACH_CGROUP_INET6_POST_BIND},
	{PROG_TYPE_LWT_IN, 0},
	{PROG_TYPE_LWT_OUT, 0},
	{PROG_TYPE_LWT_XMIT, 0},
	{PROG_TYPE_LWT_SEG6LOCAL, 0},
	{PROG_TYPE_SOCK_OPS, ATTACH_CGROUP_SOCK_OPS},
	{PROG_TYPE_SK_SKB, 0},
	{PROG_TYPE_SK_SKB, ATTACH_SK_SKB_STREAM_PARSER},
	{PROG_TYPE_CGROUP_DEVICE, ATTACH_CGROUP_DEVICE},
	{PROG_TYPE_SK_MSG, ATTACH_SK_MSG_VERDICT},
	{PROG_TYPE_RAW_TRACEPOINT, 0},
	{PROG_TYPE_RAW_TRACEPOINT_WRITABLE, 0},
	{PROG_TYPE_CGROUP_SOCK_ADDR, ATTACH_CGROUP_INET4_BIND},
	{PROG_TYPE_CGROUP_SOCK_ADDR, ATTACH_CGROUP_INET6_BIND},
	{PROG_TYPE_CGROUP_SOCK_ADDR, ATTACH_CGROUP_INET4_CONNECT},
	{PROG_TYPE_CGROUP_SOCK_ADDR, ATTACH_CGROUP_INET6_CONNECT},
	{PROG_TYPE_CGROUP_SOCK_ADDR, ATTACH_CGROUP_UDP4_SENDMSG},
	{PROG_TYPE_CGROUP_SOCK_ADDR, ATTACH_CGROUP_UDP6_SENDMSG},
	{PROG_TYPE_CGROUP_SOCK_ADDR, ATTACH_CGROUP_UDP4_RECVMSG},
	{PROG_TYPE_CGROUP_SOCK_ADDR, ATTACH_CGROUP_UDP6_RECVMSG},
	{PROG_TYPE_CGROUP_SOCK_ADDR, ATTACH_CGROUP_INET4_GETPEERNAME},
	{PROG_TYPE_CGROUP_SOCK_ADDR, ATTACH_CGROUP_INET6_GETSOCKNAME},
	{PROG_TYPE_CGROUP_SOCK_ADDR, ATTACH_CGROUP_UNIX_CONNECT},
	{PROG_TYPE_CGROUP_SOCK_ADDR, ATTACH_CGROUP_UNIX_SENDMSG},
	{PROG_TYPE_CGROUP_SOCK_ADDR, ATTACH_CGROUP_UNIX_RECVMSG},
	{PROG_TYPE_CGROUP_SOCK_ADDR, ATTACH_CGROUP_UNIX_GETSOCKNAME},
	{PROG_TYPE_LIRC_MODE2, ATTACH_LIRC_MODE2},
	{PROG_TYPE_SK_REUSEPORT, ATTACH_SK_REUSEPORT_SELECT},
	{PROG_TYPE_SK_REUSEPORT, ATTACH_SK_REUSEPORT_SELECT_OR_MIGRATE},
	{PROG_TYPE_FLOW_DISSECTOR, ATTACH_FLOW_DISSECTOR},
	{PROG_TYPE_CGROUP_SYSCTL, ATTACH_CGROUP_SYSCTL},
	{PROG_TYPE_CGROUP_SOCKOPT, ATTACH_CGROUP_GETSOCKOPT},
	{PROG_TYPE_CGROUP_SOCKOPT, ATTACH_CGROUP_SETSOCKOPT},
	{PROG_TYPE_TRACING, ATTACH_TRACE_RAW_TP, 0, "btf_trace_sched_switch",
	 BTF_TYPEDEF},
	{PROG_TYPE_TRACING, ATTACH_TRACE_FENTRY, 0, "bpf_fentry_test1", BTF_FUNC},
	{PROG_TYPE_TRACING, ATTACH_TRACE_FEXIT, 0, "bpf_fentry_test1", BTF_FUNC},
	{PROG_TYPE_TRACING, ATTACH_MODIFY_RETURN, 0, "bpf_modify_return_test", BTF_FUNC},
	{PROG_TYPE_LSM, ATTACH_LSM_MAC, 0, "bpf_lsm_file_open", BTF_FUNC},
	{PROG_TYPE_LSM, ATTACH_LSM_CGROUP, 0, "bpf_lsm_socket_create", BTF_FUNC},
	{PROG_TYPE_STRUCT_OPS, 0, 0, "tcp_congestion_ops", BTF_STRUCT},
	{PROG_TYPE_SK_LOOKUP, ATTACH_SK_LOOKUP},
	{PROG_TYPE_SYSCALL, 0, SLEEPABLE},
	{PROG_TYPE_NETFILTER, ATTACH_NETFILTER},
};

static char kernel_log[16384];

/* 0 or a negative errno, with the kernel's words in kernel_log. */
static int load(const struct kind *kind, const struct insn *insns, u32 n)
{
	u8 slots[8 * INSN_SIZE];
	union bpf_attr attr = {
		.prog_type = kind->type,
		.expected_attach_type = kind->attach,
		.prog_flags = kind->flags,
		.attach_btf_id = kind->btf_id,
		.insns = (u64)(uintptr_t)slots,
		.insn_cnt = n,
		.license = (u64)(uintptr_t) "GPL",
		.kern_version = 0x61200,
		.log_buf = (u64)(uintptr_t)kernel_log,
		.log_size = sizeof(kernel_log),
		.log_level = 1,
	};

	for (u32 i = 0; i < n; i++)
		insn_write(slots + (size_t)i * INSN_SIZE, &insns[i],
			   host_is_big_endian());
	kernel_log[0] = 0;
	int fd = (int)kernel_bpf(BPF_PROG_LOAD, &attr);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static const struct insn set_1 = {.code = 0xb7, .dst_reg = R0, .imm = 1};
static const struct insn exit_insn = {.code = 0x95};

static bool loads(const struct kind *kind)
{
	const struct insn one[] = {set_1, exit_insn};
	const struct insn zero[] = {{.code = 0xb7, .dst_reg = R0}, exit_insn};

	return !load(kind, one, 2) || !load(kind, zero, 2);
}

/* ---- helpers ---- */

static bool kernel_offers(const struct kind *kind, u32 helper)
{
	const struct insn call[] = {{.code = 0x85, .imm = (s32)helper}, set_1, exit_insn};

	if (!load(kind, call, 3))
		return true;
	return !strstr(kernel_log, "program of this type cannot use helper") &&
	       !strstr(kernel_log, "invalid func ") &&
	       !strstr(kernel_log, "unknown func ");
}

/* What depends on how the kernel was built or booted, or, of LSM programs, on the hook.
 */
static bool may_be_missing(const struct kind *kind, u32 helper)
{
	static const char *const names[] = {"override_return", "probe_write_user"};
	static const char *const of_hooks[] = {"setsockopt", "getsockopt"};

	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(abi_helper(helper)->name, names[i]) ||
		    (kind->type == PROG_TYPE_LSM &&
		     !strcmp(abi_helper(helper)->name, of_hooks[i])))
			return true;
	}
	return false;
}

static void check_helpers(const struct kind *kind)
{
	for (u32 i = 1; i < ABI_HELPERS; i++) {
		const struct abi_helper *row = abi_helper_at(i, kind->type, kind->attach);
		bool ours = row && abi_helper_since(row, kind->type, kind->attach) <=
					   kernel_version();
		bool kernels = kernel_offers(kind, i);

		if (ours && !kernels && may_be_missing(kind, i))
			continue;
		if (check_that(ours == kernels, abi_helper(i)->name,
			       abi_prog_type(kind->type)->name, (int)kind->attach))
			continue;
		fprintf(stderr, "\tthe kernel %s it\n", kernels ? "offers" : "refuses");
	}
}

/* ---- kfuncs ---- */

static bool kernel_offers_kfunc(const struct kind *kind, u32 id)
{
	const struct insn call[] = {
		{.code = 0x85, .src_reg = CALL_KFUNC, .imm = (s32)id}, set_1, exit_insn};

	return !load(kind, call, 3) || !strstr(kernel_log, "is not allowed");
}

static bool kfunc_offered(const struct kind *kind, const struct abi_kfunc *row)
{
	if (!row)
		return false;
	if (row->flags & KF_ONLY_ITER)
		return kind->attach == ATTACH_TRACE_ITER;
	if (row->flags & KF_ONLY_SESSION)
		return kind->attach == ATTACH_TRACE_KPROBE_SESSION ||
		       kind->attach == ATTACH_TRACE_UPROBE_SESSION;
	return true;
}

static void check_kfunc(const struct kind *kind, const struct btf *btf, u32 id)
{
	const struct abi_kfunc *known = abi_find_kfunc(btf_name(btf, id));
	const struct abi_kfunc *row;
	bool ours, kernels;

	/* those for programs that are bound to a device are refused before */
	if (!known || known->flags & KF_DEV_BOUND)
		return;
	row = abi_kfunc_for(known, kernel_version(), kind->type);
	ours = kfunc_offered(kind, row);
	kernels = kernel_offers_kfunc(kind, id);
	if (check_that(ours == kernels, known->name, abi_prog_type(kind->type)->name,
		       (int)kind->attach))
		return;
	fprintf(stderr, "\tthe kernel %s it\n", kernels ? "offers" : "refuses");
}

/* The kernel marks them in its BTF: one call each, first with id 0. */
static u32 next_kfunc(const struct btf *btf, u32 *tag)
{
	for (u32 id = *tag + 1; id < btf_count(btf); id++) {
		struct btf_type t = btf_type(btf, id);

		if (t.kind != BTF_DECL_TAG || strcmp(t.name, "bpf_kfunc") != 0)
			continue;
		*tag = id;
		return t.type;
	}
	return 0;
}

static void check_kfuncs(const struct kind *kind, const struct btf *btf)
{
	for (u32 tag = 0, id; (id = next_kfunc(btf, &tag));)
		check_kfunc(kind, btf, id);
}

/* As many arguments as engines believe? */
static void check_proto(const struct btf *btf, u32 func)
{
	const char *name = btf_name(btf, func);
	const struct abi_helper *ours = abi_kfunc_proto(abi_kfunc_number_of(name));
	struct btf_type t = btf_type(btf, func);
	u32 n = 0;

	t = btf_type(btf, t.type);
	while (ours && n < ARRAY_SIZE(ours->args) && ours->args[n])
		n++;
	if (ours)
		check_that(n == t.vlen, name, "takes as many arguments", (int)t.vlen);
}

static void kfuncs_are_known(const struct btf *btf)
{
	for (u32 tag = 0, id; (id = next_kfunc(btf, &tag));) {
		const char *name = btf_name(btf, id);
		const struct abi_kfunc *row = abi_find_kfunc(name);

		if (check_that(row != NULL, name, "kfuncs.def", (int)id))
			check_that(row->since <= kernel_version(), name, "is older",
				   (int)id);
		if (row && row->flags & KF_FASTCALL)
			check_that(btf_has_tag(btf, id, -1, "bpf_fastcall"), name,
				   "is no fast call", (int)id);
		check_proto(btf, id);
	}
}

/* ---- contexts ---- */

static bool kernel_allows(const struct kind *kind, u32 off, u32 size, bool write)
{
	static const u8 width[] = {[1] = 0x10, [2] = 0x08, [4] = 0x00, [8] = 0x18};
	const struct insn read[] = {{.code = (u8)(CLASS_LDX | MODE_MEM | width[size]),
				     .dst_reg = R0,
				     .src_reg = R1,
				     .off = (s16)off},
				    set_1,
				    exit_insn};
	const struct insn stores[] = {set_1,
				      {.code = (u8)(CLASS_STX | MODE_MEM | width[size]),
				       .dst_reg = R1,
				       .src_reg = R0,
				       .off = (s16)off},
				      exit_insn};

	return !load(kind, write ? stores : read, 3);
}

static void check_access(const struct kind *kind, const struct abi_ctx *ctx,
			 struct abi_ctx_access *access)
{
	const struct abi_ctx_field *allowed = abi_ctx_allows(ctx, access);
	bool ours = allowed && allowed->since <= kernel_version();
	bool kernels = kernel_allows(kind, access->offset, access->size, access->write);
	const struct abi_ctx_field *field = abi_ctx_field(ctx, access->offset);

	if (check_that(ours == kernels, field ? field->name : "no field",
		       abi_prog_type(kind->type)->name, (int)kind->attach))
		return;
	fprintf(stderr, "\tthe kernel %s the %s of %u bytes at %u\n",
		kernels ? "allows" : "refuses", access->write ? "write" : "read",
		access->size, access->offset);
}

static void check_context(const struct kind *kind)
{
	const struct abi_ctx *ctx = abi_ctx(kind->type);
	struct abi_ctx_access access = {.prog_type = kind->type,
					.attach_type = kind->attach};

	if (!ctx)
		return;
	for (access.offset = 0; access.offset < ctx->size + 8; access.offset++) {
		for (access.size = 1; access.size <= 8; access.size *= 2) {
			/* at odd places a few are enough */
			if (access.offset % access.size && access.offset > 16)
				continue;
			access.write = false;
			check_access(kind, ctx, &access);
			access.write = true;
			check_access(kind, ctx, &access);
		}
	}
}

int main(void)
{
	struct arena arena = ARENA_INIT;
	const struct btf *btf = NULL;
	const char *why = kernel_refuses();
	u32 running = kernel_version();
	struct file file = {0};
	u32 n = 0;

	if (!file_read("/sys/kernel/btf/vmlinux", &file, NULL))
		btf_read(&arena, file_bytes(&file), NULL, &btf, NULL);

	if (!running || running > ABI_LINUX(6, 18) || !btf || why) {
		printf("skipped: %s\n", why ? why : "no Linux up to 6.18 with BTF");
		arena_fini(&arena);
		file_fini(&file);
		return KERNEL_SKIP;
	}
	numbers_are_the_kernels(btf);
	check_since(btf, running);
	kfuncs_are_known(btf);
	if (running == ABI_LINUX(6, 18))
		layouts_are_the_kernels(btf);
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct kind *kind = &kinds[i];

		if (kind->target)
			kind->btf_id = btf_find(btf, kind->target, kind->target_kind);
		if (!loads(kind)) {
			printf("not loaded here: %s/%s\n",
			       abi_prog_type(kind->type)->name,
			       abi_attach_type(kind->attach)->name);
			continue;
		}
		check_helpers(kind);
		check_kfuncs(kind, btf);
		check_context(kind);
		n++;
	}
	printf("%u of %zu kinds of programs were asked for\n", n, ARRAY_SIZE(kinds));
	arena_fini(&arena);
	file_fini(&file);
	return check_report();
}
