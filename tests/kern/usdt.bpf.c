/* SPDX-License-Identifier: Dual BSD/GPL */
/*
 * Arguments of USDT probes, fetched by libbpf's header as programs of other projects do
 * it.
 */
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>

struct seen {
	long count, first, second, arguments, cookie;
};

struct seen plain, counted;

static __always_inline void note(struct pt_regs *ctx, struct seen *seen)
{
	seen->count++;
	bpf_usdt_arg(ctx, 0, &seen->first);
	bpf_usdt_arg(ctx, 1, &seen->second);
	seen->arguments = bpf_usdt_arg_cnt(ctx);
	seen->cookie = bpf_usdt_cookie(ctx);
}

SEC("usdt")
int on_plain(struct pt_regs *ctx)
{
	note(ctx, &plain);
	return 0;
}

SEC("usdt")
int on_counted(struct pt_regs *ctx)
{
	note(ctx, &counted);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
