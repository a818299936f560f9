/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Classic filters: what is refused, and that the translation is accepted.  The oracle
 * takes both to the live kernel: it must refuse the same filters, accept the translation
 * of all others, and give the same answer to a datagram that goes through the classic
 * filter of a socket and to the same bytes under the translation.
 */
#include <linux/filter.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/diag.h"
#include "check.h"
#include "isa/classic.h"
#include "kernel.h"

enum { PAYLOAD = 64, ETHERNET = 14, ROUNDS = 20000, MAX_RANDOM = 24 };

#define EXT(n) ((u32)(SKF_AD_OFF + (n)))
#define RET0                                                                             \
	{                                                                                \
		BPF_RET | BPF_K, 0, 0, 0                                                 \
	}

struct refusal {
	const char *id;
	struct classic_insn insns[4];
	u32 n;
};

static const struct refusal refusals[] = {
	{"CLASSIC_LENGTH", {RET0}, 0},
	{"CLASSIC_OPCODE", {{0x18, 0, 0, 0}, RET0}, 2},
	{"CLASSIC_OPCODE", {{0xffff, 0, 0, 0}, RET0}, 2},
	{"CLASSIC_OPCODE", {{BPF_LDX | BPF_H | BPF_MSH, 0, 0, 0}, RET0}, 2},
	{"CLASSIC_OPCODE", {{BPF_JMP | 0x50, 0, 0, 0}, RET0}, 2},
	{"CLASSIC_OPERAND", {{BPF_ALU | BPF_DIV, 0, 0, 0}, RET0}, 2},
	{"CLASSIC_OPERAND", {{BPF_ALU | BPF_MOD, 0, 0, 0}, RET0}, 2},
	{"CLASSIC_OPERAND", {{BPF_ALU | BPF_LSH, 0, 0, 32}, RET0}, 2},
	{"CLASSIC_OPERAND", {{BPF_ST, 0, 0, 16}, RET0}, 2},
	{"CLASSIC_OPERAND", {{BPF_LD | BPF_ABS, 0, 0, EXT(1)}, RET0}, 2},
	{"CLASSIC_OPERAND", {{BPF_LD | BPF_ABS, 0, 0, EXT(64)}, RET0}, 2},
	{"CLASSIC_JUMP", {{BPF_JMP, 0, 0, 1}, RET0}, 2},
	{"CLASSIC_JUMP", {{BPF_JMP, 0, 0, 0xffffffff}, RET0}, 2},
	{"CLASSIC_JUMP", {{BPF_JMP | BPF_JEQ, 0, 1, 0}, RET0}, 2},
	{"CLASSIC_SCRATCH", {{BPF_LD | BPF_MEM, 0, 0, 3}, RET0}, 2},
	{"CLASSIC_SCRATCH",
	 {{BPF_JMP | BPF_JEQ, 1, 0, 0}, {BPF_ST, 0, 0, 0}, {BPF_LDX | BPF_MEM}, RET0},
	 4},
	{"CLASSIC_END", {{BPF_ALU | BPF_NEG, 0, 0, 0}}, 1},
};

static int translate(const struct classic_insn *in, u32 n, struct arena *arena,
		     struct insn **out, u32 *n_out)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	int err = classic_translate(in, n, arena, out, n_out, &diag);

	if (!err && insns_check(*out, *n_out, &diag))
		fprintf(stderr, "translated into nonsense: %s\n", diag.text);
	return err;
}

static void what_linux_refuses_is_refused(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct arena arena = ARENA_INIT;
		struct skep_diag diag = SKEP_DIAG_INIT;
		struct insn *out;
		u32 n;

		CHECK_INT(classic_translate(refusals[i].insns, refusals[i].n, &arena,
					    &out, &n, &diag),
			  -EINVAL);
		CHECK_STR(skep_diag_name(diag.id), refusals[i].id);
		arena_fini(&arena);
	}
}

static void the_output_of_tcpdump_is_read(void)
{
	static const char good[] = "4\n40 0 0 12\n21 0 1 2048\n6 0 0 262144\n6 0 0 0\n";
	static const char *const bad[] = {
		"",
		"x",
		"2\n40 0 0 12\n",
		"1\n65536 0 0 0\n",
		"1\n6 256 0 0\n",
		"1\n6 0 0 4294967296\n",
		"0\n",
		"99999\n",
		"4294967297\n",
	};
	struct arena arena = ARENA_INIT;
	struct classic_insn *in;
	struct insn *out;
	u32 n, n_out;

	CHECK_INT(classic_parse((struct bytes){(const u8 *)good, strlen(good)}, &arena,
				&in, &n, NULL),
		  0);
	CHECK_INT(n, 4);
	CHECK_INT(in[1].jf, 1);
	CHECK_INT(in[2].k, 262144);
	CHECK_INT(translate(in, n, &arena, &out, &n_out), 0);
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		struct bytes text = {(const u8 *)bad[i], strlen(bad[i])};
		struct skep_diag diag = SKEP_DIAG_INIT;

		CHECK_INT(classic_parse(text, &arena, &in, &n, &diag), -EINVAL);
		CHECK(diag.id == DIAG_CLASSIC_TEXT || diag.id == DIAG_CLASSIC_LENGTH);
	}
	arena_fini(&arena);
}

static u64 random_state = 1;

static u32 pick(u32 n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (u32)(random_state >> 33) % n;
}

static u32 random_k(void)
{
	static const u32 edges[] = {0,
				    1,
				    2,
				    3,
				    13,
				    14,
				    15,
				    31,
				    32,
				    60,
				    63,
				    64,
				    0x7fffffff,
				    0x80000000,
				    0xffffffff,
				    SKF_NET_OFF,
				    SKF_NET_OFF + 4,
				    EXT(SKF_AD_ALU_XOR_X),
				    EXT(SKF_AD_MARK),
				    EXT(SKF_AD_QUEUE),
				    EXT(SKF_AD_VLAN_TAG_PRESENT)};

	return pick(3) ? pick(70) : edges[pick(ARRAY_SIZE(edges))];
}

static struct classic_insn random_insn(u32 left)
{
	static const u16 codes[] = {
		BPF_LD | BPF_ABS | BPF_W,
		BPF_LD | BPF_ABS | BPF_H,
		BPF_LD | BPF_ABS | BPF_B,
		BPF_LD | BPF_IND | BPF_W,
		BPF_LD | BPF_IND | BPF_B,
		BPF_LD | BPF_IMM,
		BPF_LD | BPF_LEN,
		BPF_LD | BPF_MEM,
		BPF_LDX | BPF_IMM,
		BPF_LDX | BPF_MEM,
		BPF_LDX | BPF_LEN,
		BPF_LDX | BPF_MSH | BPF_B,
		BPF_ST,
		BPF_STX,
		BPF_ST,
		BPF_MISC | BPF_TAX,
		BPF_MISC | BPF_TXA,
		BPF_RET | BPF_A,
		BPF_JMP | BPF_JA,
	};
	struct classic_insn in = {codes[pick(ARRAY_SIZE(codes))], 0, 0, random_k()};

	if (pick(2))
		in.code = (u16)(BPF_ALU | pick(11) << 4 | (pick(2) ? BPF_X : BPF_K));
	else if (!pick(4))
		in.code = (u16)(BPF_JMP | (1 + pick(4)) << 4 | (pick(2) ? BPF_X : BPF_K));
	if (in.code == BPF_ST || in.code == BPF_STX || (in.code & 0xe6) == BPF_MEM)
		in.k = pick(3);
	if (in.code == (BPF_JMP | BPF_JA))
		in.k = pick(left + 1);
	in.jt = (u8)pick(left + 1);
	in.jf = (u8)pick(left + 1);
	return in;
}

/* At the end A & 63 is the answer, so that it can be seen in what is left of a datagram.
 */
static u32 random_filter(struct classic_insn *in)
{
	u32 body = 1 + pick(MAX_RANDOM - 4), n = 0;

	in[n++] = (struct classic_insn){BPF_ST, 0, 0, 0};
	while (n < body)
		in[n] = random_insn(body - n), n++;
	in[n++] = (struct classic_insn){BPF_ALU | BPF_AND | BPF_K, 0, 0, PAYLOAD - 1};
	in[n++] = (struct classic_insn){BPF_RET | BPF_A, 0, 0, 0};
	return n;
}

static int attach(int sock, const struct classic_insn *in, u32 n)
{
	struct sock_filter filter[MAX_RANDOM + 2];
	struct sock_fprog prog = {(u16)n, filter};

	for (u32 i = 0; i < n; i++)
		filter[i] = (struct sock_filter){in[i].code, in[i].jt, in[i].jf, in[i].k};
	return setsockopt(sock, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog))
		       ? -errno
		       : 0;
}

/* How many bytes of the payload the socket's filter lets through. */
static u32 classic_answer(const int socks[2], const u8 *payload)
{
	u8 got[PAYLOAD];

	if (send(socks[0], payload, PAYLOAD, MSG_DONTWAIT) != PAYLOAD)
		return UINT32_MAX;
	ssize_t len = recv(socks[1], got, sizeof(got), MSG_DONTWAIT);
	return len < 0 ? 0 : (u32)len;
}

static void print_filter(const struct classic_insn *in, u32 n)
{
	fprintf(stderr, "%u\n", n);
	for (u32 i = 0; i < n; i++)
		fprintf(stderr, "%u %u %u %u\n", in[i].code, in[i].jt, in[i].jf, in[i].k);
}

static u32 translated_answer(const struct insn *insns, u32 n, const u8 *frame)
{
	static char log[1 << 16];
	u32 ret = UINT32_MAX;
	int fd = kernel_load(BPF_PROG_TYPE_SOCKET_FILTER, insns, n, log, sizeof(log));

	if (!CHECK(fd >= 0)) {
		fputs(log, stderr);
		return ret;
	}
	CHECK_INT(kernel_run(fd, (struct bytes){frame, ETHERNET + PAYLOAD}, NULL, NULL,
			     &ret),
		  0);
	close(fd);
	return ret < PAYLOAD ? ret : PAYLOAD;
}

/* Returns whether both accept it. */
static bool compare_one(const int socks[2], const struct classic_insn *in, u32 n,
			const u8 *frame)
{
	struct arena arena = ARENA_INIT;
	struct insn *insns = NULL;
	u32 n_insns = 0;
	int want = attach(socks[1], in, n),
	    got = translate(in, n, &arena, &insns, &n_insns);
	int failures = check_failed;

	CHECK_INT(got, want);
	if (!want && !got)
		CHECK_INT(translated_answer(insns, n_insns, frame),
			  classic_answer(socks, frame + ETHERNET));
	if (check_failed > failures)
		print_filter(in, n);
	arena_fini(&arena);
	return !want && !got;
}

static void linux_agrees(void)
{
	struct classic_insn in[MAX_RANDOM + 2];
	u8 frame[ETHERNET + PAYLOAD];
	int socks[2];
	u32 accepted = 0;

	if (!CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, socks)))
		return;
	for (u32 i = 0; i < ARRAY_SIZE(refusals); i++)
		CHECK_INT(attach(socks[1], refusals[i].insns, refusals[i].n), -EINVAL);
	for (u32 i = 0; i < ROUNDS && check_failed < 5; i++) {
		for (u32 k = 0; k < sizeof(frame); k++)
			frame[k] = (u8)pick(pick(2) ? 16 : 256);
		accepted += compare_one(socks, in, random_filter(in), frame);
	}
	CHECK(accepted > ROUNDS / 10);
	printf("%u random filters, %u accepted and run\n", ROUNDS, accepted);
	close(socks[0]);
	close(socks[1]);
}

int main(void)
{
	what_linux_refuses_is_refused();
	the_output_of_tcpdump_is_read();
	if (kernel_refuses())
		printf("the comparison with Linux was left out: bpf(2): %s\n",
		       kernel_refuses());
	else
		linux_agrees();
	return check_report();
}
