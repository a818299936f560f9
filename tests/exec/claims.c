/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checked engine notices when a program does what the verifier did not claim: claims
 * of one program are checked while another one runs.
 */
#include <linux/bpf.h>
#include <skep/skep.h>

#include "base/arena.h"
#include "base/diag.h"
#include "check.h"
#include "exec/exec.h"
#include "helpers/helpers.h"
#include "isa/asm.h"
#include "target/target.h"
#include "verify/claims.h"
#include "verify/verify.h"
#include "world/contexts.h"
#include "world/packet.h"
#include "world/world.h"

struct fixture {
	struct arena arena;
	struct prog claimed, run;
	struct claims *claims;
	struct image *image;
	struct packet packet;
	struct skep_diag diag;
};

static struct prog assemble(struct fixture *f, const char *text)
{
	struct asm_input in = {.text = {(const u8 *)text, strlen(text)}};
	struct asm_unit unit;
	struct asm_linked linked = {0};

	CHECK(!asm_parse(&in, &f->arena, &unit, &f->diag));
	CHECK(!asm_link(&unit, 0, &f->arena, &linked, &f->diag));
	return (struct prog){.name = "main",
			     .section = "xdp",
			     .type = BPF_PROG_TYPE_XDP,
			     .gpl_compatible = true,
			     .insns = linked.insns,
			     .n_insns = linked.n_insns};
}

/* R0, or ~0 after a violation; f->diag. */
static u64 run(struct fixture *f)
{
	const u8 bytes[64] = {0};
	struct world_script world;
	struct run run = {.world = &world.world, .packet = &f->packet, .diag = &f->diag};
	struct xdp_md ctx;
	u64 r0 = 0;
	int err;

	world_script_init(&world);
	packet_set_xdp(&f->packet, bytes, sizeof(bytes), sizeof(bytes));
	xdp_ctx_init(&ctx, &f->packet, &(struct xdp_origin){.ingress_ifindex = 1});
	run.ctx = &ctx;
	err = checked_run(f->image, &run, &r0);
	return err ? ~0ull : r0;
}

/* What happens when text runs and was taken for claimed. */
static u64 run_as(struct fixture *f, const char *claimed, const char *text)
{
	const struct target target = {.version = LINUX_DEFAULT};
	const struct verify_opts opts = {.target = &target};
	struct image_spec spec = {.prog = &f->run, .helper = helper_body};
	u64 r0 = ~0ull;

	*f = (struct fixture){.arena = ARENA_INIT, .diag = SKEP_DIAG_INIT};
	f->claimed = assemble(f, claimed);
	f->run = assemble(f, text);
	CHECK_INT(f->claimed.n_insns, f->run.n_insns);
	if (CHECK(!claims_new(&f->claimed, &opts, &f->claims, &f->diag))) {
		CHECK_INT(claims_given_up(f->claims), 0);
		spec.claims = f->claims;
		CHECK(!packet_init(&f->packet, &f->diag));
		CHECK(!image_new(&spec, &f->image, &f->diag));
		r0 = run(f);
		packet_fini(&f->packet);
	} else {
		fprintf(stderr, "%s\n", f->diag.text);
	}
	image_free(f->image);
	claims_free(f->claims);
	arena_fini(&f->arena);
	return r0;
}

static void is_refuted(const char *claimed, const char *text, const char *id, int insn)
{
	struct fixture f;

	CHECK_INT(run_as(&f, claimed, text), ~0ull);
	CHECK_STR(skep_diag_name(f.diag.id), id);
	CHECK_INT(f.diag.insn, insn);
}

static void is_true(const char *text, u64 r0)
{
	struct fixture f;

	CHECK_INT(run_as(&f, text, text), r0);
	CHECK_STR(f.diag.text, "");
}

static void what_is_claimed_is_true(void)
{
	is_true("r0 = 3\nr0 += 4\nexit", 7);
	/* a loop: each turn is a state */
	is_true("r0 = 0\nr1 = 9\nr0 += r1\nr1 -= 1\nif r1 != 0 goto -3\nexit", 45);
	/* the packet, and a number out of it */
	is_true("r2 = *(u32 *)(r1 + 4)\nr1 = *(u32 *)(r1 + 0)\nr3 = r1\nr3 += 8\n"
		"r0 = 1\nif r3 > r2 goto +3\nr0 = *(u8 *)(r1 + 7)\nr0 &= 3\nr1 += r0\n"
		"exit",
		0);
	/* frames: the callee's pointer is to its caller's stack */
	is_true(".program main\n*(u64 *)(r10 - 8) = 5\nr1 = r10\nr1 += -8\ncall f\nexit\n"
		".func f\nr0 = *(u64 *)(r1 + 0)\nexit",
		5);
}

static void numbers_are_refuted(void)
{
	struct fixture f;

	is_refuted("r0 = 3\nr0 += 1\nexit", "r0 = 4\nr0 += 1\nexit", "CLAIM_VALUE", 1);
	run_as(&f, "r0 = 3\nr0 += 1\nexit", "r0 = 4\nr0 += 1\nexit");
	CHECK_STR(f.diag.text, "R0 is 0x4 (4), but the verifier claimed 3");
	/* at 3 the number was refined */
	is_refuted("call 7\nr1 = r0\nif r1 > 7 goto +1\nr0 = r1\nexit",
		   "r0 = 8\nr1 = r0\nif r1 > 9 goto +1\nr0 = r1\nexit", "CLAIM_VALUE", 3);
}

static void pointers_are_refuted(void)
{
	is_refuted("r2 = r10\nr2 += -8\n*(u64 *)(r2 + 0) = 1\nr0 = 0\nexit",
		   "r2 = r10\nr2 += -16\n*(u64 *)(r2 + 0) = 1\nr0 = 0\nexit",
		   "CLAIM_VALUE", 2);
	is_refuted("r2 = r10\nr2 += -8\n*(u64 *)(r2 + 0) = 1\nr0 = 0\nexit",
		   "r2 = r1\nr2 += 8\n*(u64 *)(r2 + 0) = 1\nr0 = 0\nexit", "CLAIM_VALUE",
		   1);
	/* more of the packet than there is */
	is_refuted("r2 = *(u32 *)(r1 + 4)\nr1 = *(u32 *)(r1 + 0)\nr3 = r1\nr3 += 128\n"
		   "if r3 > r2 goto +1\nr0 = *(u8 *)(r1 + 0)\nr0 = 0\nexit",
		   "r2 = *(u32 *)(r1 + 4)\nr1 = *(u32 *)(r1 + 0)\nr3 = r1\nr3 += 128\n"
		   "if r3 < r2 goto +1\nr0 = *(u8 *)(r1 + 0)\nr0 = 0\nexit",
		   "CLAIM_VALUE", 5);
}

static void relations_are_refuted(void)
{
	is_refuted("call 7\nr6 = r0\nr0 ^= r6\nexit", "r0 = 76\nr6 = 77\nr0 ^= r6\nexit",
		   "CLAIM_RELATION", 2);
	is_refuted("call 7\nr6 = r0\nr6 += 1\nr0 ^= r6\nexit",
		   "r0 = 76\nr6 = r0\nr6 += 2\nr0 ^= r6\nexit", "CLAIM_RELATION", 3);
}

static void what_never_happens_is_noticed(void)
{
	is_refuted("r0 = 0\nif r0 == 0 goto +1\nr0 = 1\nexit",
		   "r0 = 0\nif r0 != 0 goto +1\nr0 = 1\nexit", "CLAIM_NEVER", 2);
}

static void other_engines_check_no_claims(void)
{
	struct skep_object_opts opts = {.engine = "interp", .check_claims = true};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct skep_object *obj;

	CHECK(skep_object_open_memory("", 0, &opts, &obj, &diag));
	CHECK_STR(skep_diag_name(diag.id), "CLAIMS_UNCHECKED");
}

int main(void)
{
	what_is_claimed_is_true();
	numbers_are_refuted();
	pointers_are_refuted();
	relations_are_refuted();
	what_never_happens_is_noticed();
	other_engines_check_no_claims();
	return check_report();
}
