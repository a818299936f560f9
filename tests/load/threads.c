/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One program in many threads at once, more of them than there are CPUs: nothing is lost,
 * neither per CPU nor in common.  Meant for the thread sanitizer.
 */
#include <pthread.h>
#include <stdlib.h>

#include "check.h"
#include "load/object.h"

enum { THREADS = 6, CPUS = 3, RUNS = 2000 };

static const char text[] = ".license \"GPL\"\n"
			   ".map own percpu_array key 4 value 8 entries 1\n"
			   ".map all hash key 4 value 8 entries 8\n"
			   ".section xdp\n"
			   ".program count\n"
			   "	r2 = *(u32 *)(r1 + 4)\n"
			   "	r1 = *(u32 *)(r1 + 0)\n"
			   "	r3 = r1; r3 += 14\n"
			   "	if r3 > r2 goto drop\n"
			   "	*(u8 *)(r1 + 0) = 1\n"
			   "	r6 = 0\n"
			   "	*(u32 *)(r10 - 4) = r6\n"
			   "	r1 = map[own]\n"
			   "	r2 = r10; r2 += -4\n"
			   "	call map_lookup_elem\n"
			   "	if r0 == 0 goto drop\n"
			   "	r1 = *(u64 *)(r0 + 0)\n"
			   "	r1 += 1\n"
			   "	*(u64 *)(r0 + 0) = r1\n"
			   "	r1 = map[all]\n"
			   "	r2 = r10; r2 += -4\n"
			   "	call map_lookup_elem\n"
			   "	if r0 == 0 goto drop\n"
			   "	r1 = 1\n"
			   "	lock *(u64 *)(r0 + 0) += r1\n"
			   "	r0 = XDP_PASS\n"
			   "	exit\n"
			   "drop:	r0 = XDP_DROP\n"
			   "	exit\n";

struct job {
	pthread_t thread;
	struct skep_prog *prog;
	int failed;
};

static void *work(void *arg)
{
	unsigned char bytes[64] = {0};
	struct job *job = arg;

	for (int i = 0; i < RUNS; i++) {
		struct skep_packet packet = {.data = bytes, .len = sizeof(bytes)};
		struct skep_diag diag = SKEP_DIAG_INIT;
		uint64_t verdict = 0;

		job->failed |=
			skep_prog_run_packet(job->prog, &packet, &verdict, &diag) ||
			verdict != 2;
	}
	return NULL;
}

static void run_threads(struct skep_prog *prog)
{
	struct job jobs[THREADS];

	for (int i = 0; i < THREADS; i++) {
		jobs[i] = (struct job){.prog = prog};
		CHECK(!pthread_create(&jobs[i].thread, NULL, work, &jobs[i]));
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(jobs[i].thread, NULL);
		CHECK(!jobs[i].failed);
	}
}

static void check_engine(const char *engine)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct skep_object_opts opts = {.engine = engine};
	u64 own[CPUS] = {0}, sum = 0, all = 0;
	struct skep_object *obj;
	u32 key = 0;

	if (!CHECK(!skep_world_new_real(CPUS, &opts.world, &diag)))
		return;
	obj = assemble(text, &opts, &diag);
	CHECK_STR(diag.text, "");
	if (!CHECK(obj) || !CHECK(!skep_object_load(obj, NULL, &diag)))
		fprintf(stderr, "\t%s: %s\n", diag.where, diag.text);
	else {
		struct skep_map *map = skep_object_find_map(obj, "all");

		CHECK_INT(skep_map_update(map, &key, &all, SKEP_NOEXIST), 0);
		run_threads(skep_object_find_prog(obj, "count"));
		CHECK_INT(skep_map_lookup(map, &key, &all, 0), 0);
		CHECK_INT(all, THREADS * RUNS);
		map = skep_object_find_map(obj, "own");
		CHECK_INT(skep_map_value_size(map), sizeof(own));
		CHECK_INT(skep_map_lookup(map, &key, own, 0), 0);
		for (int i = 0; i < CPUS; i++)
			sum += own[i];
		CHECK_INT(sum, THREADS * RUNS);
	}
	skep_object_close(obj);
	skep_world_free(opts.world);
}

int main(void)
{
	check_engine("checked");
	check_engine("interp");
	return check_report();
}
