/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects as compilers make them, at hooks that need more than a program: arguments of
 * USDT probes through libbpf's map, a congestion control by struct_ops.
 */
#include <errno.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <skep/skep.h>

#include "check.h"
#include "kern/attach.h"
#include "kern/refused.h"
#include "target.h"

enum { SKIPPED = 77 };

/* As in usdt.bpf.c. */
struct seen {
	long count, first, second, arguments, cookie;
};

static struct skep_object *load(const char *path)
{
	const struct skep_object_opts opts = {.engine = "kernel"};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct skep_object *obj = NULL;
	int err = skep_object_open(path, &opts, &obj, &diag);

	if (!err)
		err = skep_object_load(obj, NULL, &diag);
	if (CHECK_INT(err, 0))
		return obj;
	fprintf(stderr, "\t%s: %s\n", diag.where, diag.text);
	skep_object_close(obj);
	return NULL;
}

/* ---- USDT ---- */

static struct skep_link *attach(struct skep_object *obj, const char *name,
				const char *library, const char *rest)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct skep_prog *prog = skep_object_find_prog(obj, name);
	struct skep_link *link = NULL;
	char hook[4096];

	snprintf(hook, sizeof(hook), "usdt:%s:skep:%s:pid=%d", library, rest, getpid());
	if (!CHECK(prog) || !CHECK_INT(skep_prog_attach(prog, hook, &link, &diag), 0))
		fprintf(stderr, "\t%s: %s: %s\n", hook, diag.where, diag.text);
	return link;
}

static struct seen seen_by(struct skep_object *obj, const char *name)
{
	struct seen seen = {0};

	CHECK_INT(skep_object_get_var(obj, name, &seen, sizeof(seen), NULL), 0);
	return seen;
}

static void test_usdt(const char *path, const char *library)
{
	struct skep_object *obj = load(path);
	struct skep_link *plain, *counted;
	struct seen seen;

	if (!obj)
		return;
	plain = attach(obj, "on_plain", library, "plain:cookie=21");
	counted = attach(obj, "on_counted", library, "counted:cookie=22");
	target_probe(-5, 0x1122334455667788);
	seen = seen_by(obj, "plain");
	CHECK_INT(seen.count, 1);
	CHECK_INT(seen.first, -5);
	CHECK_INT(seen.second, 0x1122334455667788);
	CHECK_INT(seen.arguments, 2);
	CHECK_INT(seen.cookie, 21);

	CHECK_INT(target_counted(4, 9), 1);
	seen = seen_by(obj, "counted");
	CHECK_INT(seen.count, 2);
	CHECK_INT(seen.first, 7); /* a constant, at the second place */
	CHECK_INT(seen.second, 9);
	CHECK_INT(seen.cookie, 22);

	skep_link_close(plain);
	skep_link_close(counted);
	target_probe(1, 2);
	CHECK_INT(target_counted(4, 9), 0);
	CHECK_INT(seen_by(obj, "plain").count, 1);
	CHECK_INT(seen_by(obj, "counted").count, 2);
	skep_object_close(obj);
}

/* ---- struct_ops ---- */

/* Whether sockets can choose a congestion control of that name. */
static bool is_offered(const char *name)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool offered = !setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name,
				   (socklen_t)strlen(name));

	close(fd);
	return offered;
}

/* times: how often it can be registered; by its value only once. */
static void test_struct_ops(const char *path, const char *name, int times)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct skep_object *obj = load(path);
	struct skep_map *map = obj ? skep_object_find_map(obj, "still") : NULL;

	CHECK(map && !is_offered(name));
	for (int i = 0; map && i < times; i++) {
		struct skep_link *link = NULL;

		if (!CHECK_INT(skep_map_attach(map, &link, &diag), 0)) {
			fprintf(stderr, "\t%s: %s: %s\n", name, diag.where, diag.text);
			break;
		}
		CHECK(is_offered(name));
		/* once by asking, once by letting go */
		if (i % 2)
			CHECK_INT(skep_link_detach(link, &diag), 0);
		skep_link_close(link);
		CHECK(!is_offered(name));
	}
	skep_object_close(obj);
}

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: objects USDT BY_LINK BY_VALUE LIBRARY\n");
		return 2;
	}
	if (!kern_has_cap(CAP_BPF) || !kern_has_cap(CAP_PERFMON) ||
	    !kern_has_cap(CAP_NET_ADMIN)) {
		printf("skipped: CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN are needed\n");
		return SKIPPED;
	}
	test_usdt(argv[1], argv[4]);
	if (kernel_before(6, 4))
		printf("skipped: struct_ops by link: Linux 6.4 was the first with "
		       "them\n");
	else
		test_struct_ops(argv[2], "skep_test_link", 3);
	test_struct_ops(argv[3], "skep_test_value", 1);
	return check_report();
}
