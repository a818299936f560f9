/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of src/abi against <linux/bpf.h>, and the questions that can be asked of
 * them.  The header may be older than the tables: what it knows must be what they say.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <stdlib.h>

#include "abi/abi.h"
#include "check.h"

/* ---- numbers ---- */

static const struct {
	const char *name;
	u32 number;
} header_helpers[] = {
#define HELPER(text)                                                                     \
	{                                                                                \
#text, BPF_FUNC_##text                                                   \
	}
	__BPF_FUNC_MAPPER(HELPER)};

static void helpers_have_the_numbers_of_the_header(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(header_helpers); i++) {
		const struct abi_helper *h = abi_find_helper(header_helpers[i].name);

		if (!header_helpers[i].number)
			continue;
		if (CHECK(h))
			CHECK_INT(h->number, header_helpers[i].number);
	}
}

static void every_helper_is_there_and_can_be_called(void)
{
	CHECK(!abi_helper(0));
	CHECK(!abi_helper(ABI_HELPERS));
	for (u32 i = 1; i < ABI_HELPERS; i++) {
		const struct abi_helper *h = abi_helper(i);

		if (!CHECK(h))
			continue;
		CHECK_INT(h->number, i);
		CHECK(h->callers);
		CHECK(h->since >= ABI_LINUX(3, 19) && h->since <= ABI_LINUX(6, 18));
		CHECK(i == 1 || h->since >= abi_helper(i - 1)->since);
		CHECK(abi_find_helper(h->name) == h);
	}
}

/* Two rows of a helper are never for the same program. */
static void rows_of_a_helper_do_not_overlap(void)
{
	for (u32 i = 1; i < ABI_HELPERS; i++) {
		const struct abi_helper *first = abi_helper(i);
		u64 callers = first->callers;

		for (const struct abi_helper *h = first + 1;
		     i + 1 < ABI_HELPERS && h < abi_helper(i + 1); h++) {
			CHECK_INT(h->number, i);
			CHECK_STR(h->name, first->name);
			CHECK_INT(h->callers & callers, 0);
			callers |= h->callers;
			CHECK_INT(h->since, first->since);
		}
	}
}

/* A size follows the memory that it is about. */
static void sizes_follow_memory(void)
{
	for (u32 i = 1; i < ABI_HELPERS; i++) {
		const struct abi_helper *h = abi_helper(i);

		for (u32 k = 0; k < 5; k++) {
			u32 base = h->args[k] & ABI_BASE;
			bool sized =
				base == ARG_CONST_SIZE || base == ARG_CONST_SIZE_OR_ZERO;
			bool mem = k && (h->args[k - 1] & ABI_BASE) == ARG_PTR_TO_MEM;

			CHECK(!sized || mem);
			CHECK(base != ARG_PTR_TO_MEM || !(h->args[k] & MEM_FIXED_SIZE) ||
			      abi_mem_size(h->args[k]));
		}
	}
}

static void helpers_depend_on_the_program(void)
{
	CHECK(!abi_helper_for(44, PROG_TYPE_SCHED_CLS)); /* xdp_adjust_head */
	CHECK_STR(abi_helper_for(44, PROG_TYPE_XDP)->name, "xdp_adjust_head");
	CHECK(!abi_helper_for(44, PROG_TYPES));
	CHECK(!abi_helper_for(ABI_HELPERS, PROG_TYPE_XDP));
	/* get_cgroup_classid takes a context in one place, nothing in another */
	CHECK_INT(abi_helper_for(17, PROG_TYPE_SCHED_CLS)->args[0], ARG_PTR_TO_CTX);
	CHECK_INT(abi_helper_for(17, PROG_TYPE_XDP)->args[0], ARG_DONTCARE);
	/* bind is for connect() */
	/* get_current_comm: XDP got it later than others; get_attach_cookie: by attach
	 * type */
	CHECK_INT(abi_helper_since(abi_helper(16), PROG_TYPE_KPROBE, 0), ABI_LINUX(4, 2));
	CHECK_INT(abi_helper_since(abi_helper(16), PROG_TYPE_XDP, 0), ABI_LINUX(6, 16));
	CHECK_INT(
		abi_helper_since(abi_helper(174), PROG_TYPE_TRACING, ATTACH_TRACE_RAW_TP),
		ABI_LINUX(6, 10));
	CHECK_INT(
		abi_helper_since(abi_helper(174), PROG_TYPE_TRACING, ATTACH_TRACE_FENTRY),
		ABI_LINUX(5, 15));
	CHECK(abi_helper_at(64, PROG_TYPE_CGROUP_SOCK_ADDR, ATTACH_CGROUP_INET4_CONNECT));
	CHECK(!abi_helper_at(64, PROG_TYPE_CGROUP_SOCK_ADDR, ATTACH_CGROUP_INET4_BIND));
}

static void helpers_are_found_by_either_name(void)
{
	CHECK(abi_find_helper("bpf_redirect") == abi_find_helper("redirect"));
	CHECK(!abi_find_helper("bpf_"));
	CHECK(!abi_find_helper("no_such_helper"));
	CHECK_STR(abi_btf_struct(abi_find_helper("get_current_task_btf")->ret),
		  "task_struct");
	CHECK(!abi_btf_struct(0xff000000u));
}

static void types_are_found_by_name_and_number(void)
{
	CHECK_INT(abi_find_prog_type("xdp")->number, BPF_PROG_TYPE_XDP);
	CHECK_INT(abi_find_prog_type("BPF_PROG_TYPE_SCHED_CLS")->number,
		  BPF_PROG_TYPE_SCHED_CLS);
	CHECK_STR(abi_prog_type(BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE)->name,
		  "raw_tracepoint_writable");
	CHECK(!abi_prog_type(0));
	CHECK(!abi_prog_type(PROG_TYPES));
	CHECK(!abi_find_prog_type(""));
	CHECK(!abi_find_prog_type("xd"));
	CHECK_INT(abi_find_attach_type("cgroup_inet4_bind")->number,
		  BPF_CGROUP_INET4_BIND);
	CHECK_STR(abi_attach_type(BPF_SK_REUSEPORT_SELECT_OR_MIGRATE)->name,
		  "sk_reuseport_select_or_migrate");
	CHECK(!abi_attach_type(ATTACH_TYPES));
	CHECK_INT(abi_find_map_type("lpm_trie")->number, BPF_MAP_TYPE_LPM_TRIE);
	CHECK_STR(abi_map_type(BPF_MAP_TYPE_REUSEPORT_SOCKARRAY)->name,
		  "reuseport_sockarray");
	CHECK(!abi_map_type(UINT32_MAX));
}

/* ---- sections ---- */

struct section_case {
	const char *section;
	u32 type; /* 0: nobody knows it */
	const char *target;
	bool sleepable;
};

static const struct section_case section_cases[] = {
	{"xdp", BPF_PROG_TYPE_XDP, NULL, false},
	{"xdp/main", BPF_PROG_TYPE_XDP, "main", false},
	{"xdp_main", BPF_PROG_TYPE_XDP, NULL, false},
	{"xdp1", BPF_PROG_TYPE_XDP, NULL, false},
	{"xdpmain", 0, NULL, false},
	{"xd", 0, NULL, false},
	{"", 0, NULL, false},
	{"tc", BPF_PROG_TYPE_SCHED_CLS, NULL, false},
	{"tc/ingress", BPF_PROG_TYPE_SCHED_CLS, NULL, false},
	{"classifier/x", BPF_PROG_TYPE_SCHED_CLS, "x", false},
	{"kprobe/do_unlinkat", BPF_PROG_TYPE_KPROBE, "do_unlinkat", false},
	{"kprobes/do_unlinkat", 0, NULL, false},
	{"tracepoint/sched/sched_switch", BPF_PROG_TYPE_TRACEPOINT, "sched/sched_switch",
	 false},
	{"fentry.s/vfs_read", BPF_PROG_TYPE_TRACING, "vfs_read", true},
	{"fentry", BPF_PROG_TYPE_TRACING, NULL, false},
	{"uprobe.multi.s//bin/ls:main", BPF_PROG_TYPE_KPROBE, "/bin/ls:main", true},
	{"cgroup/connect4", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, NULL, false},
	{"cgroup/sock_create", BPF_PROG_TYPE_CGROUP_SOCK, NULL, false},
	{"cgroup/sock1", BPF_PROG_TYPE_CGROUP_SOCK, NULL, false},
	{"sk_skb/stream_verdict", BPF_PROG_TYPE_SK_SKB, NULL, false},
	{"syscall", BPF_PROG_TYPE_SYSCALL, NULL, true},
	{".text", 0, NULL, false},
};

static void sections_are_known_by_name(void)
{
	const char *target;

	for (u32 i = 0; i < ARRAY_SIZE(section_cases); i++) {
		const struct section_case *c = &section_cases[i];
		const struct abi_section *row = abi_find_section(c->section, &target);

		if (CHECK_INT(row ? row->prog_type : 0, c->type) && row)
			CHECK_INT(row->sleepable, c->sleepable);
		else if (!row)
			CHECK(!c->type);
		if (c->target)
			CHECK_STR(target, c->target);
		else
			CHECK(!target);
	}
	CHECK(abi_find_section("xdp.frags", &target)->frags);
	CHECK_INT(abi_find_section("xdp/devmap", &target)->attach_type, BPF_XDP_DEVMAP);
	CHECK_INT(abi_find_section("xdp", &target)->attach_type, BPF_XDP);
	CHECK(!abi_find_section("tc", &target)->attach);
	CHECK(abi_find_section("cgroup_skb/ingress", &target)->attach);
	CHECK(abi_find_section("lsm/file_open", &target)->needs_btf);
}

static void typos_are_understood(void)
{
	CHECK_STR(abi_nearest_section("xpd"), "xdp");
	CHECK_STR(abi_nearest_section("kporbe/do_unlinkat"), "kprobe");
	CHECK_STR(abi_nearest_section("tracepiont/sched/sched_switch"), "tracepoint");
	CHECK_STR(abi_nearest_section("cgroup/conect4"), "cgroup/connect4");
	CHECK_STR(abi_nearest_section("clasifier"), "classifier");
	CHECK(!abi_nearest_section("something_else"));
	CHECK(!abi_nearest_section(""));
	CHECK(!abi_nearest_section(
		"a_name_that_is_so_long_that_no_row_of_the_table_can_be_meant"));
}

/* ---- contexts ---- */

static bool allowed(u32 type, u32 offset, u32 size, bool write)
{
	struct abi_ctx_access access = {
		.prog_type = type, .offset = offset, .size = size, .write = write};

	return abi_ctx_allows(abi_ctx(type), &access);
}

static void contexts_have_rules(void)
{
	u32 mark = offsetof(struct __sk_buff, mark), cb = offsetof(struct __sk_buff, cb);

	CHECK_INT(abi_ctx(BPF_PROG_TYPE_XDP)->size, sizeof(struct xdp_md));
	CHECK_INT(abi_ctx(BPF_PROG_TYPE_SCHED_CLS)->size, sizeof(struct __sk_buff));
	CHECK_INT(abi_find_ctx("bpf_sock")->size, sizeof(struct bpf_sock));
	CHECK(!abi_ctx(BPF_PROG_TYPE_TRACING));
	CHECK(!abi_ctx(PROG_TYPES));
	CHECK(!abi_find_ctx("task_struct"));
	CHECK(allowed(BPF_PROG_TYPE_XDP, 0, 4, false));
	CHECK(!allowed(BPF_PROG_TYPE_XDP, 0, 4, true));
	CHECK(!allowed(BPF_PROG_TYPE_XDP, 0, 2, false));
	CHECK(!allowed(BPF_PROG_TYPE_XDP, 0, 8, false));
	CHECK(!allowed(BPF_PROG_TYPE_XDP, 24, 4, false));
	CHECK(!allowed(BPF_PROG_TYPE_XDP, UINT32_MAX, 4, false));
	CHECK(!allowed(BPF_PROG_TYPE_XDP, 0, 0, false));
	CHECK(!allowed(BPF_PROG_TYPE_XDP, 0, 3, false));
	CHECK(allowed(BPF_PROG_TYPE_SCHED_CLS, mark, 4, true));
	CHECK(!allowed(BPF_PROG_TYPE_SOCKET_FILTER, mark, 4, true));
	CHECK(allowed(BPF_PROG_TYPE_SOCKET_FILTER, mark + 3, 1, false));
	CHECK(!allowed(BPF_PROG_TYPE_SCHED_CLS, mark + 3, 1, true));
	CHECK(allowed(BPF_PROG_TYPE_SOCKET_FILTER, cb + 16, 4, true));
	CHECK(!allowed(BPF_PROG_TYPE_SOCKET_FILTER, cb + 17, 4, true));
	CHECK_STR(abi_ctx_field(abi_ctx(BPF_PROG_TYPE_XDP), 5)->name, "data_end");
	CHECK(!abi_ctx_field(abi_ctx(BPF_PROG_TYPE_XDP), 24));
}

static void fields_are_sorted_and_inside(void)
{
	for (u32 type = 0; type < PROG_TYPES; type++) {
		const struct abi_ctx *ctx = abi_ctx(type);

		for (u32 i = 0; ctx && i < ctx->n_fields; i++) {
			const struct abi_ctx_field *f = &ctx->fields[i];

			CHECK((u32)f->offset + f->unit * f->count <= ctx->size);
			CHECK(!i || f->offset >= f[-1].offset);
			CHECK(f->readers || f->writers);
			CHECK_INT(f->offset % f->unit, 0);
		}
	}
}

/* ---- constants ---- */

static void constants_have_the_values_of_the_headers(void)
{
	static const struct {
		const char *name;
		s64 value;
	} cases[] = {
		{"XDP_REDIRECT", XDP_REDIRECT},
		{"TC_ACT_UNSPEC", TC_ACT_UNSPEC},
		{"TC_ACT_TRAP", TC_ACT_TRAP},
		{"BPF_F_NO_PREALLOC", BPF_F_NO_PREALLOC},
		{"BPF_F_RDONLY_PROG", BPF_F_RDONLY_PROG},
		{"BPF_F_CURRENT_CPU", BPF_F_CURRENT_CPU},
		{"BPF_F_CTXLEN_MASK", BPF_F_CTXLEN_MASK},
		{"BPF_F_PSEUDO_HDR", BPF_F_PSEUDO_HDR},
		{"BPF_F_CURRENT_NETNS", BPF_F_CURRENT_NETNS},
		{"ETH_P_IPV6", ETH_P_IPV6},
		{"BPF_MAP_TYPE_RINGBUF", BPF_MAP_TYPE_RINGBUF},
		{"BPF_PROG_TYPE_LSM", BPF_PROG_TYPE_LSM},
		{"BPF_FUNC_redirect", BPF_FUNC_redirect},
	};
	s64 value;

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		if (CHECK(abi_find_constant(cases[i].name, &value)))
			CHECK_INT(value, cases[i].value);
	}
	CHECK(!abi_find_constant("BPF_NO_SUCH_THING", &value));
	CHECK(!abi_find_constant("BPF_FUNC_no_such_thing", &value));
	CHECK(!abi_find_constant("BPF_MAP_TYPE_", &value));
}

int main(void)
{
	helpers_have_the_numbers_of_the_header();
	every_helper_is_there_and_can_be_called();
	rows_of_a_helper_do_not_overlap();
	sizes_follow_memory();
	helpers_depend_on_the_program();
	helpers_are_found_by_either_name();
	types_are_found_by_name_and_number();
	sections_are_known_by_name();
	typos_are_understood();
	contexts_have_rules();
	fields_are_sorted_and_inside();
	constants_have_the_values_of_the_headers();
	return check_report();
}
