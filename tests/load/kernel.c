/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public API with the engine "kernel": the same calls on maps and programs that are
 * Linux', every refusal, and that nothing stays when an object is closed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "check.h"
#include "kern/sys.h"
#include "kernel.h"
#include "load/load.h"
#include "load/object.h"

static const char text[] =
	".var limit in .rodata u32 5\n"
	".var total in .bss zero 8\n"
	".map counts hash key 4 value 8 entries 4\n"
	".map per_cpu percpu_array key 4 value 8 entries 2\n"
	".map inner array key 4 value 4 entries 1\n"
	".map outer array_of_maps key 4 value 4 entries 2 inner inner\n"
	".map jumps prog_array key 4 value 4 entries 2\n"
	".map events ringbuf entries 4096\n"
	".section xdp\n"
	".program p\n"
	"r6 = r1\n"
	"r1 = value[total]\n"
	"r2 = value[limit]\n"
	"r2 = *(u32 *)(r2 + 0)\n"
	"lock *(u64 *)(r1 + 0) += r2\n"
	"*(u64 *)(r10 - 8) = 77\n"
	"r1 = map[events]\n"
	"r2 = r10\n"
	"r2 += -8\n"
	"r3 = 8\n"
	"r4 = 0\n"
	"call 130\n"
	"r1 = r6\n"
	"r2 = map[jumps]\n"
	"r3 = 1\n"
	"call 12\n"
	"r1 = map[counts]\n"
	"r1 = map[per_cpu]\n"
	"r1 = map[outer]\n"
	"r0 = 2\n"
	"exit\n"
	".program next\n"
	"r0 = 1\n"
	"exit\n";

static struct skep_diag diag;

static struct skep_object *make(const char *source)
{
	struct skep_object_opts opts = {.engine = "kernel"};
	struct skep_object *obj;

	diag = (struct skep_diag)SKEP_DIAG_INIT;
	obj = assemble(source, &opts, &diag);
	CHECK_STR(diag.text, "");
	return obj;
}

static struct skep_object *make_loaded(void)
{
	struct skep_object *obj = make(text);

	if (obj && !CHECK_INT(skep_object_load(obj, NULL, &diag), 0))
		fprintf(stderr, "\t%s: %s\n", diag.where, diag.text);
	return obj;
}

static int count_event(void *arg, int cpu, const void *data, u32 size)
{
	CHECK(cpu == -1 && size == 8 && load_u64(data) == 77);
	++*(int *)arg;
	return 0;
}

static u64 run_once(struct skep_prog *prog)
{
	u8 bytes[64] = {0};
	struct skep_packet packet = {.data = bytes, .len = sizeof(bytes)};
	u64 ret = ~0ull;

	CHECK_INT(skep_prog_run_packet(prog, &packet, &ret, &diag), 0);
	return ret;
}

static void programs_and_variables(struct skep_object *obj)
{
	struct skep_prog *prog = skep_object_find_prog(obj, "p");
	struct skep_map *events = skep_object_find_map(obj, "events");
	struct pollfd ready = {.fd = skep_map_event_fd(events), .events = POLLIN};
	const u64 new_total = 100;
	const u32 slot = 1, limit = 1;
	u64 total = 0;
	int seen = 0;

	CHECK(skep_prog_is_loaded(prog) && skep_prog_takes_packets(prog));
	CHECK_INT(run_once(prog), XDP_PASS);
	CHECK_INT(skep_object_get_var(obj, "total", &total, 8, &diag), 0);
	CHECK_INT(total, 5);
	CHECK_INT(skep_object_set_var(obj, "total", &new_total, 8, &diag), 0);
	CHECK_INT(skep_object_set_var(obj, "limit", &limit, 4, &diag), -EPERM);
	CHECK_STR(skep_diag_name(diag.id), "VAR_IS_CONST");
	diag = (struct skep_diag)SKEP_DIAG_INIT;
	CHECK_INT(skep_map_update_prog(skep_object_find_map(obj, "jumps"), &slot,
				       skep_object_find_prog(obj, "next"), 0),
		  0);
	CHECK_INT(run_once(prog), XDP_DROP);
	CHECK_INT(skep_object_get_var(obj, "total", &total, 8, &diag), 0);
	CHECK_INT(total, 105);
	CHECK_INT(poll(&ready, 1, 1000), 1);
	CHECK_INT(skep_map_consume(events, count_event, &seen), 2);
	CHECK_INT(seen, 2);
	CHECK_INT(skep_map_consume(events, count_event, &seen), 0);
	CHECK_INT(skep_map_event_fd(skep_object_find_map(obj, "counts")), -EINVAL);
}

static void maps(struct skep_object *obj)
{
	struct skep_map *counts = skep_object_find_map(obj, "counts");
	struct skep_map *per_cpu = skep_object_find_map(obj, "per_cpu");
	u64 *values = calloc(1, skep_map_value_size(per_cpu));
	u32 key = 7, next;
	u64 value = 9;

	CHECK_INT(skep_map_lookup(counts, &key, &value, 0), -ENOENT);
	CHECK_INT(skep_map_update(counts, &key, &value, SKEP_EXIST), -ENOENT);
	CHECK_INT(skep_map_update(counts, &key, &value, 0), 0);
	CHECK_INT(skep_map_update(counts, &key, &value, SKEP_NOEXIST), -EEXIST);
	value = 0;
	CHECK_INT(skep_map_lookup(counts, &key, &value, 0), 0);
	CHECK_INT(value, 9);
	CHECK(!skep_map_next_key(counts, NULL, &next) && next == 7);
	CHECK_INT(skep_map_next_key(counts, &next, &next), -ENOENT);
	CHECK_INT(skep_map_delete(counts, &key), 0);
	CHECK_INT(skep_map_delete(counts, &key), -ENOENT);
	/* one value for each CPU that there could be */
	key = 1;
	CHECK(skep_map_value_size(per_cpu) % 8 == 0 && values);
	values[0] = 3;
	CHECK_INT(skep_map_update(per_cpu, &key, values, 0), 0);
	values[0] = 0;
	CHECK_INT(skep_map_lookup(per_cpu, &key, values, 0), 0);
	CHECK_INT(values[0], 3);
	free(values);
	CHECK_INT(skep_map_update_map(skep_object_find_map(obj, "outer"), &key,
				      skep_object_find_map(obj, "inner"), 0),
		  0);
}

static void maps_are_shared(struct skep_object *old)
{
	struct skep_object *obj = make(text);
	struct skep_map *counts = obj ? skep_object_find_map(obj, "counts") : NULL;
	u32 key = 3;
	u64 value = 4;

	if (!counts)
		return;
	CHECK_INT(skep_map_reuse(counts, skep_object_find_map(old, "per_cpu"), &diag),
		  -EINVAL);
	diag = (struct skep_diag)SKEP_DIAG_INIT;
	CHECK_INT(skep_map_reuse(counts, skep_object_find_map(old, "counts"), &diag), 0);
	CHECK_INT(skep_object_load(obj, NULL, &diag), 0);
	CHECK_INT(skep_map_update(counts, &key, &value, 0), 0);
	value = 0;
	CHECK_INT(skep_map_lookup(skep_object_find_map(old, "counts"), &key, &value, 0),
		  0);
	CHECK_INT(value, 4);
	skep_object_close(obj);
}

static void refused_load(const char *source, int err, const char *id, const char *words)
{
	struct skep_object *obj = make(source);

	if (!obj)
		return;
	CHECK_INT(skep_object_load(obj, NULL, &diag), err);
	CHECK_STR(skep_diag_name(diag.id), id);
	if (!CHECK(strstr(diag.text, words)))
		fprintf(stderr, "\t%s\n", diag.text);
	CHECK(!skep_prog_is_loaded(skep_object_next_prog(obj, NULL)));
	skep_object_close(obj);
}

/* A load that fails leaves the object as it was: with the map that it reuses. */
static void a_reused_map_stays(struct skep_object *old)
{
	struct skep_object *obj = make(".map counts hash key 4 value 8 entries 4\n"
				       ".section xdp\n.program p\nr1 = map[counts]\n"
				       "r0 = *(u8 *)(r0 + 0)\nexit\n");
	struct skep_map *counts = obj ? skep_object_find_map(obj, "counts") : NULL;
	u32 key = 5;
	u64 value = 6;

	if (!counts)
		return;
	CHECK_INT(skep_map_reuse(counts, skep_object_find_map(old, "counts"), &diag), 0);
	CHECK_INT(skep_object_load(obj, NULL, &diag), -EACCES);
	diag = (struct skep_diag)SKEP_DIAG_INIT;
	CHECK_INT(skep_map_update(counts, &key, &value, 0), 0);
	CHECK_INT(skep_map_delete(skep_object_find_map(old, "counts"), &key), 0);
	skep_object_close(obj);
}

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && (u32)fs.f_type == BPF_FS_MAGIC;
}

/* Linux adds a flag to device maps that nobody asked for.  What fails to load leaves no
 * pin. */
static void a_pinned_device_map_is_found_again(void)
{
	static const char source[] = ".map skep_test_devs devmap key 4 value 4 entries 2 "
				     "pin\n.section xdp\n.program p\n"
				     "r1 = map[skep_test_devs]\nr0 = 0\nexit\n";

	if (!is_bpffs("/sys/fs/bpf"))
		return;
	refused_load(".map skep_test_devs devmap key 4 value 4 entries 2 pin\n"
		     ".section xdp\n.program p\nr1 = map[skep_test_devs]\n"
		     "r0 = *(u8 *)(r0 + 0)\nexit\n",
		     -EACCES, "KERN_REJECTED", "!read_ok");
	CHECK(access("/sys/fs/bpf/skep_test_devs", F_OK));
	for (int i = 0; i < 2; i++) {
		struct skep_object *obj = make(source);

		if (obj && !CHECK_INT(skep_object_load(obj, NULL, &diag), 0))
			fprintf(stderr, "\t%s: %s\n", diag.where, diag.text);
		skep_object_close(obj);
		CHECK(!access("/sys/fs/bpf/skep_test_devs", F_OK));
	}
	unlink("/sys/fs/bpf/skep_test_devs");
}

/* ---- events ---- */

/* Without descriptors there are no rings; those of others stay open. */
static void rings_without_descriptors(void)
{
	struct skep_object *obj = make(".map events perf_event_array key 4 value 4\n"
				       ".section xdp\n.program p\nr1 = map[events]\n"
				       "r0 = 0\nexit\n");
	struct rlimit old, none;
	struct skep_map *events;

	if (!obj)
		return;
	events = skep_object_find_map(obj, "events");
	CHECK_INT(skep_object_load(obj, NULL, &diag), 0);
	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	CHECK_INT(skep_map_event_fd(events), -EMFILE);
	setrlimit(RLIMIT_NOFILE, &old);
	CHECK(fcntl(0, F_GETFD) >= 0);
	skep_object_close(obj);
}

/* ---- refusals ---- */

static void refusals(void)
{
	refused_load(".section xdp\n.program p\nr0 = *(u8 *)(r0 + 0)\nexit\n", -EACCES,
		     "KERN_REJECTED", "R0 !read_ok");
	refused_load(".section nonsense\n.program p\nr0 = 0\nexit\n", -EINVAL,
		     "KERN_NO_TYPE", "nonsense");
	refused_load(".section tp_btf/nothing\n.program p\nr0 = 0\nexit\n", -ENOENT,
		     "KERN_NO_TARGET", "nothing");
	refused_load(".section freplace/f\n.program p\nr0 = 0\nexit\n", -EINVAL,
		     "KERN_NO_PROG_TARGET", "f of another program");
	refused_load(".map m hash key 4 value 8\n.section xdp\n.program p\n"
		     "r1 = map[m]\nr0 = 0\nexit\n",
		     -EINVAL, "KERN_MAP_EMPTY", "max_entries");
	refused_load(".map m hash key 4 value 8 entries 1 flags 0x80000000\n"
		     ".section xdp\n.program p\nr1 = map[m]\nr0 = 0\nexit\n",
		     -EINVAL, "KERN_MAP", "Invalid argument");
	refused_load(".section xdp\n.program p\nr1 = map_idx[268435456]\nr0 = 0\nexit\n",
		     -EINVAL, "NO_SUCH_MAP", "268435456");
}

static void links_of_nothing(struct skep_object *obj)
{
	struct skep_prog *prog = skep_object_find_prog(obj, "p");
	struct skep_link *link = NULL;

	CHECK(skep_prog_attach(prog, NULL, &link, &diag) == -ENOENT && !link);
	diag = (struct skep_diag)SKEP_DIAG_INIT;
	CHECK_INT(skep_prog_attach(prog, "xdp", &link, &diag), -EINVAL);
	diag = (struct skep_diag)SKEP_DIAG_INIT;
	CHECK_INT(skep_prog_attach(prog, "xdp:no-such-dev", &link, &diag), -ENODEV);
	diag = (struct skep_diag)SKEP_DIAG_INIT;
	CHECK_INT(skep_link_open("/sys/fs/bpf/no-such-link", &link, &diag), -ENOENT);
	diag = (struct skep_diag)SKEP_DIAG_INIT;
	CHECK_INT(skep_map_attach(skep_object_find_map(obj, "counts"), &link, &diag),
		  -EINVAL);
	CHECK_STR(skep_diag_name(diag.id), "NOT_STRUCT_OPS");
	skep_link_close(NULL);
	diag = (struct skep_diag)SKEP_DIAG_INIT;
	CHECK_INT(skep_prog_set_target(prog, "1", &diag), -EBUSY);
}

/* Which program a freplace program is for is known before it is loaded. */
static void targets(struct skep_object *other)
{
	struct skep_object *obj = make(".section freplace/p\n.program f\nr0 = 0\nexit\n");
	struct skep_prog *f = obj ? skep_object_find_prog(obj, "f") : NULL;
	struct bpf_prog_info info = {0};
	char id[16];

	if (!f)
		return;
	CHECK_INT(skep_prog_set_target(f, "4294967294", &diag), -ENOENT);
	diag = (struct skep_diag)SKEP_DIAG_INIT;
	CHECK_INT(skep_prog_set_target(f, "/no/such/pin", &diag), -ENOENT);
	diag = (struct skep_diag)SKEP_DIAG_INIT;
	CHECK(!sys_info(skep_object_find_prog(other, "p")->fd, &info, sizeof(info)));
	snprintf(id, sizeof(id), "%u", info.id);
	CHECK_INT(skep_prog_set_target(f, id, &diag), 0);
	CHECK_INT(skep_prog_set_target(f, id, &diag), 0);
	/* it is the kernel's to say what may replace what */
	if (skep_object_load(obj, NULL, &diag))
		CHECK(strcmp(skep_diag_name(diag.id), "KERN_NO_PROG_TARGET") != 0);
	diag = (struct skep_diag)SKEP_DIAG_INIT;
	skep_object_close(obj);
}

/* ---- nothing stays ---- */

static u32 open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	u32 n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

/* Programs go a moment after their last descriptor. */
static bool is_gone(enum sys_kind kind, u32 id)
{
	for (int tries = 0; tries < 200; tries++) {
		int fd = sys_open_id(kind, id);

		if (fd == -ENOENT)
			return true;
		if (fd >= 0)
			close(fd);
		usleep(10000);
	}
	return false;
}

static void nothing_stays(void)
{
	u32 before = open_files();
	struct bpf_prog_info prog = {0};
	struct bpf_map_info map = {0};

	for (int i = 0; i < 100; i++) {
		struct skep_object *obj = make_loaded();
		struct skep_prog *p = skep_object_find_prog(obj, "p");

		run_once(p);
		prog = (struct bpf_prog_info){0};
		map = (struct bpf_map_info){0};
		CHECK(!sys_info(p->fd, &prog, sizeof(prog)));
		CHECK(!sys_info(skep_object_find_map(obj, "counts")->fd, &map,
				sizeof(map)));
		skep_object_close(obj);
	}
	CHECK_INT(open_files(), before);
	CHECK(is_gone(SYS_PROG, prog.id));
	CHECK(is_gone(SYS_MAP, map.id));
	CHECK(is_gone(SYS_BTF, prog.btf_id));
}

int main(void)
{
	const char *why = kernel_refuses();
	struct skep_object *obj;

	if (why) {
		printf("skipped: bpf(2): %s\n", why);
		return KERNEL_SKIP;
	}
	obj = make_loaded();
	if (obj) {
		programs_and_variables(obj);
		maps(obj);
		maps_are_shared(obj);
		a_reused_map_stays(obj);
		links_of_nothing(obj);
		targets(obj);
	}
	skep_object_close(obj);
	a_pinned_device_map_is_found_again();
	rings_without_descriptors();
	refusals();
	nothing_stays();
	return check_report();
}
