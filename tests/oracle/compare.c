/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sides of a comparison.  Maps are made once and emptied for each case, as Linux
 * frees them slowly; the scratch value of the kernel is mapped, so that a run costs one
 * system call.
 */
#include "oracle/compare.h"

#include <linux/if_packet.h>
#include <stdarg.h>
#include <sys/mman.h>

#include "exec/exec.h"
#include "helpers/helpers.h"
#include "maps/kernel_maps.h"
#include "oracle/judge.h"
#include "verify/claims.h"
#include "world/contexts.h"
#include "world/packet.h"
#include "world/world.h"

enum { RING_PAGE = 4096 };

/* All records of a ring buffer, each behind its length. */
struct records {
	u8 bytes[4 * RING_PAGE];
	u32 len;
};

struct side {
	const struct engine *engine;     /* NULL: the kernel */
	struct map *maps[GEN_MAPS];      /* counted; of an engine */
	int fds[GEN_MAPS];               /* owned; of the kernel */
	struct gen_scratch *scratch;     /* in the map */
	struct image *images[GEN_PROGS]; /* owned; of the case under way */
	struct outcome out;
	bool gave_up; /* the run ended early, in a harmless way: there is no outcome */
	struct records ring;
};

/* What may happen to programs that the verifier accepts: bytes of the stack that nobody
 * wrote are read with CAP_PERFMON, and a loop may be long. */
static const enum diag_id harmless[] = {DIAG_UNINIT_STACK, DIAG_STEP_LIMIT};
enum { MAX_STEPS = 1 << 16 };

struct sides {
	struct sides_opts opts;
	u32 n_cpus, first, n;
	int btf;                  /* owned; of functions */
	u64 *consumer, *producer; /* owned; of the kernel's ring buffer */
	struct side side[MAX_SIDES];
	int jumps[2]; /* owned: a program array is for one type of programs */
	struct packet packet;
	struct world_script world;
	struct judge judge;
	/* the case under way */
	int progs[GEN_PROGS]; /* owned descriptors */
	struct prog prog[GEN_PROGS];
	struct claims *claims[GEN_PROGS]; /* owned */
	struct skep_diag diag;
};

static const struct map_attr map_attrs[GEN_MAPS] = {
	[GEN_SCRATCH] = {.type = MAP_TYPE_ARRAY,
			 .key_size = 4,
			 .value_size = sizeof(struct gen_scratch),
			 .max_entries = 1,
			 .flags = MAP_MMAPABLE},
#define M(name, text, t, key, value, entries, f)                                         \
	[GEN_##name] = {.type = MAP_TYPE_##t,                                            \
			.key_size = key,                                                 \
			.value_size = value,                                             \
			.max_entries = entries,                                          \
			.flags = f},
#include "oracle/maps.def"
#undef M
};

static void say(struct comparison *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say(struct comparison *out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(out->text, sizeof(out->text), format, args);
	va_end(args);
	out->verdict = DIFFERENT;
}

/* ---- the ring buffer ---- */

enum { RING_HEAD = 8, RING_BUSY = 1 << 31, RING_DISCARD = 1 << 30 };

/* Pages of Linux' ring buffer: where the consumer is, where the producer is, the data
 * twice. */
static bool map_ring(struct sides *s, int fd)
{
	s->consumer = mmap(NULL, RING_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	s->producer = mmap(NULL, 3 * RING_PAGE, PROT_READ, MAP_SHARED, fd, RING_PAGE);
	return s->consumer != MAP_FAILED && s->producer != MAP_FAILED;
}

static int add_record(void *arg, const void *data, u32 size)
{
	struct records *r = arg;

	store_u32(r->bytes + r->len, size);
	memcpy(r->bytes + r->len + 4, data, size);
	r->len += 4 + size;
	return 0;
}

static void drain_kernel(struct sides *s, struct records *r)
{
	const u8 *data = (const u8 *)s->producer + RING_PAGE;
	u64 end = __atomic_load_n(s->producer, __ATOMIC_ACQUIRE), at = *s->consumer;

	while (at < end) {
		const u8 *head = data + at % RING_PAGE;
		u32 word = load_u32(head), len = word & ~(u32)(RING_BUSY | RING_DISCARD);

		if (!(word & RING_DISCARD))
			add_record(r, head + RING_HEAD, len);
		at += (len + RING_HEAD + 7) / 8 * 8;
	}
	__atomic_store_n(s->consumer, at, __ATOMIC_RELEASE);
}

/* ---- maps ---- */

/* Slots 0 and 1 of the maps of maps; slot 2 holds the first again, slot 3 nothing. */
static const enum gen_map inners[] = {GEN_INNER_A, GEN_INNER_B, GEN_INNER_A};

static bool make_kernel_maps(struct sides *s, struct side *k)
{
	for (u32 i = 0; i < GEN_MAPS; i++) {
		k->fds[i] = kernel_map_new(&map_attrs[i], k->fds[GEN_INNER_A]);
		if (k->fds[i] < 0)
			return false;
	}
	for (u32 i = 0; i < ARRAY_SIZE(inners); i++)
		if (kernel_map_op(BPF_MAP_UPDATE_ELEM, k->fds[GEN_OUTER], &i,
				  &k->fds[inners[i]], 0) ||
		    kernel_map_op(BPF_MAP_UPDATE_ELEM, k->fds[GEN_OUTER_HASH], &i,
				  &k->fds[inners[i]], 0))
			return false;
	s->jumps[0] = k->fds[GEN_JUMPS];
	s->jumps[1] = kernel_map_new(&map_attrs[GEN_JUMPS], 0);
	k->scratch = mmap(NULL, sizeof(struct gen_scratch), PROT_READ | PROT_WRITE,
			  MAP_SHARED, k->fds[GEN_SCRATCH], 0);
	return s->jumps[1] >= 0 && k->scratch != MAP_FAILED &&
	       map_ring(s, k->fds[GEN_RING]);
}

static bool make_our_maps(struct sides *s, struct side *side)
{
	void *scratch;

	for (u32 i = 0; i < GEN_MAPS; i++) {
		struct map_attr attr = map_attrs[i];

		attr.n_cpus = s->n_cpus;
		if (i == GEN_OUTER || i == GEN_OUTER_HASH)
			attr.inner = &map_attrs[GEN_INNER_A];
		if (map_new(&attr, &side->maps[i], &s->diag))
			return false;
	}
	for (u32 i = 0; i < ARRAY_SIZE(inners); i++)
		if (map_update_ref(side->maps[GEN_OUTER], &i, side->maps[inners[i]], 0) ||
		    map_update_ref(side->maps[GEN_OUTER_HASH], &i, side->maps[inners[i]],
				   0))
			return false;
	if (map_value_addr(side->maps[GEN_SCRATCH], 0, &scratch))
		return false;
	side->scratch = scratch;
	return true;
}

static bool add_engine(struct sides *s, const struct engine *engine)
{
	struct side *side = &s->side[s->n];

	if (!engine || s->n == MAX_SIDES)
		return false;
	side->engine = engine;
	s->n++;
	return make_our_maps(s, side);
}

/* What nobody else has run only runs where it can do no harm. */
static bool add_default_engines(struct sides *s)
{
	for (u32 i = 0; engine_at(i); i++)
		if ((s->opts.runs || engine_at(i)->safe) && !add_engine(s, engine_at(i)))
			return false;
	return true;
}

static bool add_engines(struct sides *s)
{
	char names[128], *rest = names, *name;

	if (!s->opts.engines)
		return add_default_engines(s);
	snprintf(names, sizeof(names), "%s", s->opts.engines);
	while ((name = strsep(&rest, ",")))
		if (!add_engine(s, engine_find(name)))
			return false;
	return true;
}

struct sides *sides_new(const struct sides_opts *opts)
{
	struct sides *s = calloc(1, sizeof(*s));
	bool good;

	if (!s)
		return NULL;
	s->opts = *opts;
	s->btf = opts->kernel ? kernel_function_btf() : -1;
	s->n_cpus = opts->kernel ? kernel_cpus() : 4;
	world_script_init(&s->world);
	s->world.world.n_cpus = s->n_cpus;
	s->world.world.mtu = 65536; /* of the loopback interface */
	s->first = opts->runs ? KERNEL : FIRST_ENGINE;
	s->n = FIRST_ENGINE;
	good = !packet_init(&s->packet, &s->diag) && judge_init(&s->judge) &&
	       (!opts->kernel || make_kernel_maps(s, &s->side[KERNEL])) && add_engines(s);
	if (good)
		return s;
	sides_free(s);
	return NULL;
}

void sides_free(struct sides *s)
{
	if (!s)
		return;
	for (u32 i = 0; i < GEN_MAPS; i++) {
		if (s->opts.kernel)
			close(s->side[KERNEL].fds[i]);
		for (u32 k = FIRST_ENGINE; k < s->n; k++)
			map_put(s->side[k].maps[i]);
	}
	if (s->opts.kernel) {
		close(s->jumps[1]);
		close(s->btf);
	}
	packet_fini(&s->packet);
	judge_fini(&s->judge);
	free(s);
}

/* ---- operations on all sides ---- */

static int map_op(const struct side *side, int cmd, enum gen_map map, const void *key,
		  void *value)
{
	if (!side->engine)
		return kernel_map_op(cmd, side->fds[map], key, value, 0);
	switch (cmd) {
	case BPF_MAP_LOOKUP_ELEM: return map_user_lookup(side->maps[map], key, value, 0);
	case BPF_MAP_UPDATE_ELEM: return map_user_update(side->maps[map], key, value, 0);
	case BPF_MAP_DELETE_ELEM: return map_user_delete(side->maps[map], key);
	case BPF_MAP_GET_NEXT_KEY: return map_user_next_key(side->maps[map], key, value);
	}
	return -EINVAL;
}

enum { VALUE_ROOM = 64 * 1024 };
static u8 zeroes[VALUE_ROOM];

static bool is_array(u32 map)
{
	return map_attrs[map].type == MAP_TYPE_ARRAY ||
	       map_attrs[map].type == MAP_TYPE_PERCPU_ARRAY;
}

static bool holds_values(u32 map)
{
	return map != GEN_SCRATCH && map != GEN_OUTER && map != GEN_OUTER_HASH &&
	       map != GEN_JUMPS && map != GEN_RING;
}

static void empty(const struct side *side, enum gen_map map)
{
	u8 key[8] = {0};

	if (is_array(map)) {
		for (u32 i = 0; i < map_attrs[map].max_entries; i++)
			map_op(side, BPF_MAP_UPDATE_ELEM, map, &i, zeroes);
		return;
	}
	while (!map_op(side, BPF_MAP_GET_NEXT_KEY, map, NULL, key))
		map_op(side, BPF_MAP_DELETE_ELEM, map, key, NULL);
}

static void empty_maps(struct sides *s, u32 used)
{
	for (u32 map = 0; map < GEN_MAPS; map++)
		for (u32 i = s->first; i < s->n; i++)
			if (used >> map & 1 && holds_values(map))
				empty(&s->side[i], (enum gen_map)map);
}

/* ---- programs ---- */

/* The verifier's last words before its statistics. */
static void last_words(char *log, struct comparison *out)
{
	char *end = strstr(log, "\nprocessed "), *line;

	if (end)
		*end = 0;
	line = strrchr(log, '\n');
	snprintf(out->text, sizeof(out->text), "%.500s", line ? line + 1 : log);
	out->verdict = REFUSED;
}

static char verifier_log[4 << 20];

static bool load_kernel(struct sides *s, const struct gen_case *c, struct comparison *out)
{
	u32 functions[GEN_FUNCS];
	struct kernel_prog prog = {.type = c->type,
				   .fds = s->side[KERNEL].fds,
				   .functions = functions,
				   .btf_fd = s->btf};

	s->side[KERNEL].fds[GEN_JUMPS] = s->jumps[c->type != BPF_PROG_TYPE_XDP];
	for (u32 i = 0; i < c->n_progs; i++) {
		prog.insns = c->progs[i].insns;
		prog.n_insns = c->progs[i].n_insns;
		prog.n_functions = gen_functions(&c->progs[i], functions);
		prog.log_size = 0;
		s->progs[i] = kernel_load_prog(&prog);
		if (s->progs[i] >= 0)
			continue;
		if (s->progs[i] != -EINVAL && s->progs[i] != -EACCES) {
			out->verdict = REFUSED; /* its words would take too long */
			out->too_complex = true;
			snprintf(out->text, sizeof(out->text), "%s",
				 strerror(-s->progs[i]));
			return false;
		}
		prog.log = verifier_log;
		prog.log_size = sizeof(verifier_log);
		s->progs[i] = kernel_load_prog(&prog);
		if (s->progs[i] >= 0)
			continue; /* the verifier was interrupted before */
		if (s->opts.log_to)
			fputs(verifier_log, s->opts.log_to);
		last_words(verifier_log, out);
		if (!*out->text)
			snprintf(out->text, sizeof(out->text), "%s",
				 strerror(-s->progs[i]));
		return false;
	}
	return true;
}

/* Half of the programs so that their time could be limited. */
static bool make_image(struct sides *s, struct side *side, u32 i, const u8 *ways,
		       struct comparison *out)
{
	u32 n = s->prog[i].n_insns;
	struct image_spec spec = {.prog = &s->prog[i],
				  .maps = side->maps,
				  .helper = helper_body,
				  .claims = s->claims[i],
				  .engines = side->engine->images,
				  .ways = ways,
				  .jit = {.time_limit = n & 1, .bounded = n & 2}};

	if (!image_new(&spec, &side->images[i], &s->diag))
		return true;
	say(out, "skep refuses: %s at %d: %s", skep_diag_name(s->diag.id), s->diag.insn,
	    s->diag.text);
	return false;
}

static bool claim(struct sides *s, u32 i, struct comparison *out)
{
	if (!judge_claims(&s->judge, &s->prog[i], &s->claims[i], &s->diag)) {
		say(out, "accepted, but only where numbers are left out: %s at %d: %s",
		    skep_diag_name(s->diag.id), s->diag.insn, s->diag.text);
		return false;
	}
	out->unclaimed |= !s->claims[i];
	diag_clear(&s->diag);
	return true;
}

static bool load_ours(struct sides *s, const struct gen_case *c, struct comparison *out)
{
	bool good = true;

	for (u32 i = 0; i < c->n_progs && good; i++) {
		u8 *ways = judge_ways(&s->judge, &s->prog[i]);

		good = !s->opts.claims || claim(s, i, out);
		for (u32 k = FIRST_ENGINE; k < s->n && good; k++)
			good = make_image(s, &s->side[k], i, ways, out);
		free(ways);
	}
	return good;
}

static void put_programs(struct sides *s, const struct gen_case *c, u32 engine)
{
	struct side *side = &s->side[engine];

	for (u32 i = 0; i < c->n_progs; i++)
		if (side->engine)
			map_update_ref(side->maps[GEN_JUMPS], &i, side->images[i], 0);
		else
			kernel_map_op(BPF_MAP_UPDATE_ELEM, side->fds[GEN_JUMPS], &i,
				      &s->progs[i], 0);
}

static void take_programs(struct sides *s, u32 engine)
{
	struct side *side = &s->side[engine];

	for (u32 i = 0; i < GEN_PROGS; i++)
		map_op(side, BPF_MAP_DELETE_ELEM, GEN_JUMPS, &i, NULL);
	if (side->engine)
		map_reclaim(side->maps[GEN_JUMPS]);
}

/* ---- running ---- */

static void run_kernel(struct sides *s, const struct gen_case *c,
		       const struct gen_input *in)
{
	struct outcome *out = &s->side[KERNEL].out;
	struct __sk_buff skb;
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (u32)s->progs[0];
	attr.test.data_in = (uintptr_t)in->packet;
	attr.test.data_size_in = in->packet_len;
	attr.test.data_out = (uintptr_t)out->packet;
	attr.test.data_size_out = PACKET_ROOM;
	attr.test.repeat = 1;
	if (c->type != BPF_PROG_TYPE_XDP) {
		memset(&skb, 0, sizeof(skb));
		attr.test.ctx_out = (uintptr_t)&skb;
		attr.test.ctx_size_out = sizeof(skb);
	}
	if (kernel_bpf(BPF_PROG_TEST_RUN, &attr)) {
		out->err = -errno;
		snprintf(out->why, sizeof(out->why), "%s", strerror(errno));
		return;
	}
	out->ret = attr.test.retval;
	out->packet_len = attr.test.data_size_out;
	if (c->type == BPF_PROG_TYPE_XDP)
		return;
	out->mark = skb.mark;
	out->priority = skb.priority;
	memcpy(out->cb, skb.cb, sizeof(out->cb));
}

static void run_xdp(struct sides *s, struct side *side, struct run *run,
		    const struct gen_input *in)
{
	struct packet *p = &s->packet;
	struct xdp_md ctx = {0};
	u32 meta_len;
	u64 ret = 0;

	packet_set_xdp(p, in->packet, in->packet_len, in->packet_len);
	memset(p->start, 0, (size_t)(p->data - p->start)); /* as Linux' test runs do */
	xdp_ctx_init(&ctx, p, &(struct xdp_origin){.ingress_ifindex = 1});
	run->ctx = &ctx;
	side->out.err = side->engine->run(side->images[0], run, &ret);
	side->out.ret = (u32)ret;
	meta_len = (u32)(p->data - p->meta);
	memcpy(side->out.packet, p->meta, meta_len);
	side->out.packet_len = meta_len + packet_len(p);
	packet_read(p, 0, side->out.packet + meta_len, packet_len(p));
}

static void run_skb(struct sides *s, struct side *side, struct run *run,
		    const struct gen_input *in)
{
	struct skb_origin origin = {.host_mac = (const u8 *)"\0\0\0\0\0\0", .ifindex = 1};
	struct packet *p = &s->packet;
	struct __sk_buff ctx;
	u64 ret = 0;

	packet_set_skb(p, in->packet, in->packet_len, in->packet_len);
	skb_ctx_init(&ctx, p, &origin);
	/* Linux' test runs use the loopback interface, which has no broadcast address,
	 * and set no transport header */
	p->skb.gso_type = p->skb.transport = 0;
	if (p->skb.pkt_type == PACKET_BROADCAST)
		p->skb.pkt_type = PACKET_MULTICAST;
	skb_ctx_sync(&ctx, p);
	run->ctx = &ctx;
	side->out.err = side->engine->run(side->images[0], run, &ret);
	side->out.ret = (u32)ret;
	side->out.packet_len = packet_len(p);
	packet_read(p, 0, side->out.packet, packet_len(p));
	side->out.mark = ctx.mark;
	side->out.priority = ctx.priority;
	memcpy(side->out.cb, ctx.cb, sizeof(side->out.cb));
}

static void run_ours(struct sides *s, struct side *side, const struct gen_case *c,
		     const struct gen_input *in)
{
	const struct exec_opts limits = {.max_steps = s->opts.runs ? 0 : MAX_STEPS};
	struct run run = {.world = &s->world.world,
			  .opts = &limits,
			  .cpu = s->opts.cpu,
			  .packet = &s->packet,
			  .diag = &s->diag};

	if (c->type == BPF_PROG_TYPE_XDP)
		run_xdp(s, side, &run, in);
	else
		run_skb(s, side, &run, in);
	run_end(&run);
	side->gave_up = false;
	for (u32 i = 0; i < ARRAY_SIZE(harmless) && !s->opts.runs; i++)
		if (side->out.err && s->diag.id == (int)harmless[i])
			side->gave_up = true;
	if (side->gave_up)
		side->out.err = 0;
	if (side->out.err)
		snprintf(side->out.why, sizeof(side->out.why), "%s at %d: %s",
			 skep_diag_name(s->diag.id), s->diag.insn, s->diag.text);
	diag_clear(&s->diag);
}

static void run_side(struct sides *s, struct side *side, const struct gen_case *c,
		     const struct gen_input *in)
{
	struct outcome *out = &side->out;

	memset(out, 0, offsetof(struct outcome, packet));
	out->mark = out->priority = 0;
	memset(out->cb, 0, sizeof(out->cb));
	memcpy(side->scratch, &in->scratch, sizeof(in->scratch));
	if (side->engine)
		run_ours(s, side, c, in);
	else
		run_kernel(s, c, in);
	memcpy(&out->scratch, side->scratch, sizeof(out->scratch));
}

/* ---- comparing ---- */

static bool same_numbers(const char *name, const char *what, u64 want, u64 got,
			 struct comparison *out)
{
	if (want == got)
		return true;
	say(out, "%s: %s: wanted %#llx, got %#llx", name, what, (unsigned long long)want,
	    (unsigned long long)got);
	return false;
}

static bool same_bytes(const char *name, const char *what, struct bytes want,
		       const void *got, struct comparison *out)
{
	const u8 *b = got;
	size_t i = 0;

	if (!memcmp(want.data, got, want.len))
		return true;
	while (want.data[i] == b[i])
		i++;
	say(out, "%s: byte %zu of %s: wanted %02x, got %02x", name, i, what, want.data[i],
	    b[i]);
	return false;
}

#define BYTES(x) ((struct bytes){(const u8 *)&(x), sizeof(x)})

static bool same_outcome(const char *name, const struct outcome *k,
			 const struct outcome *o, struct comparison *out)
{
	if (k->err || o->err) {
		say(out, "%s: wanted %d %s, got %d %s", name, k->err,
		    k->err ? k->why : "", o->err, o->err ? o->why : "");
		return false;
	}
	for (u32 i = 0; i < GEN_REGS; i++)
		if (!same_numbers(name, (char[]){'R', (char)('0' + i), 0},
				  k->scratch.regs[i], o->scratch.regs[i], out))
			return false;
	return same_numbers(name, "the result", k->ret, o->ret, out) &&
	       same_bytes(name, "scratch memory", BYTES(k->scratch.mem), o->scratch.mem,
			  out) &&
	       same_numbers(name, "packet length", k->packet_len, o->packet_len, out) &&
	       same_bytes(name, "the packet", (struct bytes){k->packet, k->packet_len},
			  o->packet, out) &&
	       same_numbers(name, "mark", k->mark, o->mark, out) &&
	       same_numbers(name, "priority", k->priority, o->priority, out) &&
	       same_bytes(name, "cb", BYTES(k->cb), o->cb, out);
}

static bool same_value(struct sides *s, u32 engine, enum gen_map map, const void *key,
		       struct comparison *out)
{
	static u8 want[VALUE_ROOM], got[VALUE_ROOM];
	struct side *k = &s->side[s->first], *o = &s->side[engine];
	u64 size = map_user_value_size(o->maps[map]);
	int a = map_op(k, BPF_MAP_LOOKUP_ELEM, map, key, want);
	int b = map_op(o, BPF_MAP_LOOKUP_ELEM, map, key, got);

	return same_numbers(o->engine->name, s->judge.defs[map].name, (u64)a, (u64)b,
			    out) &&
	       (a || same_bytes(o->engine->name, s->judge.defs[map].name,
				(struct bytes){want, size}, got, out));
}

static u32 count_keys(const struct side *side, enum gen_map map)
{
	u8 key[8] = {0};
	u32 n = 0;

	if (map_op(side, BPF_MAP_GET_NEXT_KEY, map, NULL, key))
		return 0;
	do
		n++;
	while (!map_op(side, BPF_MAP_GET_NEXT_KEY, map, key, key));
	return n;
}

static bool same_map(struct sides *s, u32 engine, enum gen_map map,
		     struct comparison *out)
{
	struct side *k = &s->side[s->first], *o = &s->side[engine];
	u8 key[8] = {0}, *last = NULL;

	if (!same_numbers(o->engine->name, "number of keys", count_keys(k, map),
			  count_keys(o, map), out))
		return false;
	while (!map_op(k, BPF_MAP_GET_NEXT_KEY, map, last, key)) {
		if (!same_value(s, engine, map, key, out))
			return false;
		last = key;
	}
	return true;
}

/* After every case: what is left would be the next one's. */
static void drain_rings(struct sides *s)
{
	for (u32 i = s->first; i < s->n; i++) {
		struct side *side = &s->side[i];

		side->ring.len = 0;
		if (side->engine)
			ringbuf_drain(side->maps[GEN_RING], add_record, &side->ring);
		else
			drain_kernel(s, &side->ring);
	}
}

static bool same_rings(const struct sides *s, struct comparison *out)
{
	const struct records *want = &s->side[s->first].ring;
	struct bytes bytes = {want->bytes, want->len};

	for (u32 i = s->first + 1; i < s->n; i++) {
		const char *name = s->side[i].engine->name;
		const struct records *got = &s->side[i].ring;

		if (!same_numbers(name, "bytes in the ring", want->len, got->len, out) ||
		    !same_bytes(name, "the ring", bytes, got->bytes, out))
			return false;
	}
	return true;
}

static bool same_maps(struct sides *s, u32 used, struct comparison *out)
{
	for (u32 map = 0; map < GEN_MAPS; map++)
		for (u32 i = s->first + 1; i < s->n; i++)
			if (used >> map & 1 && holds_values(map) &&
			    !same_map(s, i, (enum gen_map)map, out))
				return false;
	return true;
}

/* Where the kernel has no part, the first side must run to its end; the others must say
 * the same. */
static void compare_outcomes(struct sides *s, struct comparison *out)
{
	const struct side *first = &s->side[s->first];

	if (first->engine && first->out.err)
		say(out, "%s: %d %s", first->engine->name, first->out.err,
		    first->out.why);
	for (u32 k = s->first + 1; k < s->n && out->verdict == SAME && s->opts.same; k++)
		same_outcome(s->side[k].engine->name, &first->out, &s->side[k].out, out);
}

/* On all sides, but on none after one that failed.  False: where one gave up, the maps
 * are not the same. */
static bool run_sides(struct sides *s, const struct gen_case *c,
		      const struct gen_input *in)
{
	for (u32 k = s->first; k < s->n; k++) {
		run_side(s, &s->side[k], c, in);
		if (s->side[k].gave_up)
			return false;
		if (s->side[k].engine && s->side[k].out.err)
			break;
	}
	return true;
}

/* False: the maps cannot be compared. */
static bool run_inputs(struct sides *s, const struct gen_case *c, u32 first, u32 n,
		       struct comparison *out)
{
	struct gen_input in;

	for (u32 i = 0; i < n && out->verdict == SAME; i++) {
		out->input = first + i;
		generate_input(c, first + i, &in);
		out->runs++;
		if (run_sides(s, c, &in))
			compare_outcomes(s, out);
		else if (s->opts.same && s->n > s->first + 1)
			return false;
	}
	return out->verdict == SAME && s->opts.same;
}

static void compare_runs(struct sides *s, const struct gen_case *c, u32 first, u32 n,
			 struct comparison *out)
{
	u32 used = gen_maps_used(c);
	bool whole;

	empty_maps(s, used);
	for (u32 i = s->first; i < s->n && used >> GEN_JUMPS & 1; i++)
		put_programs(s, c, i);
	whole = run_inputs(s, c, first, n, out);
	if (used >> GEN_RING & 1)
		drain_rings(s);
	if (whole && (!(used >> GEN_RING & 1) || same_rings(s, out)))
		same_maps(s, used, out);
	for (u32 i = s->first; i < s->n && used >> GEN_JUMPS & 1; i++)
		take_programs(s, i);
}

static void refused(struct comparison *out, const char *words)
{
	out->verdict = REFUSED;
	snprintf(out->text, sizeof(out->text), "%s", words);
}

/*
 * Skep is asked first: what it finds too complex is not put to Linux, whose verdict on
 * such depends on its memory, and whose verifier must not be driven to its limits.  True:
 * accepted by all who were asked.
 */
static bool verdicts(struct sides *s, const struct gen_case *c, struct comparison *out)
{
	char words[sizeof(out->text) / 2] = "";
	enum judged ours = ACCEPTED;
	bool loaded = true;

	if (s->opts.verifier)
		ours = judge_verdict(&s->judge, s->prog, c->n_progs, words,
				     sizeof(words));
	if (ours != NOT_JUDGED && s->opts.kernel)
		loaded = load_kernel(s, c, out);
	if (out->too_complex)
		return false;
	if (ours == REJECTED && s->opts.kernel && loaded)
		say(out, "Linux accepts, skep rejects: %s", words);
	else if (ours != ACCEPTED)
		refused(out, words);
	else if (!loaded && s->opts.verifier) {
		snprintf(words, sizeof(words), "%.*s", (int)sizeof(words) - 1, out->text);
		say(out, "skep accepts, Linux rejects: %s", words);
	}
	return out->verdict == SAME;
}

void compare(struct sides *s, const struct gen_case *c, u32 first, u32 n,
	     struct comparison *out)
{
	*out = (struct comparison){.verdict = SAME};
	memset(s->progs, -1, sizeof(s->progs));
	diag_clear(&s->diag);
	judge_progs(&s->judge, c, s->prog);
	if (verdicts(s, c, out) && load_ours(s, c, out))
		compare_runs(s, c, first, n, out);
	for (u32 i = 0; i < GEN_PROGS; i++) {
		if (s->progs[i] >= 0)
			close(s->progs[i]);
		for (u32 k = FIRST_ENGINE; k < s->n; k++) {
			image_free(s->side[k].images[i]);
			s->side[k].images[i] = NULL;
		}
		claims_free(s->claims[i]);
		s->claims[i] = NULL;
	}
}

const struct outcome *kernel_outcome(const struct sides *s)
{
	return s->opts.runs ? &s->side[KERNEL].out : NULL;
}
