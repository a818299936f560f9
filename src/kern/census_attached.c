/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is attached without a link: each cgroup, interface, socket map and this network
 * namespace is asked with BPF_PROG_QUERY, and with rtnetlink for XDP and the filters of
 * clsact.  Programs that links have put there are answered too; census_add_place() knows
 * them.  Sees only this network namespace.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/abi.h"
#include "kern/census_parts.h"
#include "kern/uapi.h"

enum { FEW = 64 };

/* What a query is about; attach_type is filled in. */
struct target {
	struct census_taking *t;
	u32 target;        /* a descriptor or an ifindex */
	u64 id;            /* as census_place.target */
	const char *where; /* "cgroup:/path"; the word of the attach type follows */
};

static int query(const struct target *q, u32 attach_type)
{
	u32 ids[FEW] = {0};
	struct prog_query_attr attr = {.target = q->target,
				       .attach_type = attach_type,
				       .prog_ids = (u64)(uintptr_t)ids,
				       .n = FEW};
	int err = sys_bpf(BPF_PROG_QUERY, &attr,
			  offsetof(struct prog_query_attr, prog_attach_flags));

	if (err)
		return err == -ENOSPC ? 0 : err;
	for (u32 i = 0; i < attr.n && i < FEW; i++) {
		struct census_place place = {
			.prog = ids[i],
			.target = q->id,
			.attach_type = attach_type,
			.where = arena_printf(&q->t->c->arena, "%s:%s", q->where,
					      census_hook_word(attach_type)),
		};

		if (!place.where || census_add_place(q->t->c, &place))
			return -ENOMEM;
	}
	return 0;
}

/* ---- cgroups ---- */

static bool is_of_cgroups(u32 attach_type)
{
	const struct abi_name *name = abi_attach_type(attach_type);

	return name && !strncmp(name->name, "cgroup_", 7);
}

/* refused: attach types that this kernel does not know. */
static int query_cgroup(struct target *q, u64 *refused)
{
	_Static_assert(ATTACH_TYPES <= 64, "a bit for each");

	for (u32 type = 0; type < ATTACH_TYPES; type++) {
		int err;

		if (!is_of_cgroups(type) || *refused & 1ull << type)
			continue;
		err = query(q, type);
		if (err == -ENOMEM)
			return err;
		if (err == -EINVAL)
			*refused |= 1ull << type;
	}
	return 0;
}

static int query_cgroups(struct census_taking *t)
{
	u64 refused = 0;
	int err = 0;

	for (size_t i = 0; !err && i < t->cgroups.len; i++) {
		const struct census_cgroup *cgroup = vec_at(&t->cgroups, i);
		int fd = open(cgroup->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		struct target q = {t, (u32)fd, cgroup->id, NULL};

		if (fd < 0)
			continue;
		q.where = arena_printf(&t->c->arena, "cgroup:%s", cgroup->path);
		err = q.where ? query_cgroup(&q, &refused) : -ENOMEM;
		close(fd);
		if (t->opts->progress && !(i % 16))
			t->opts->progress(t->opts->arg, i, t->cgroups.len);
	}
	return err;
}

/* ---- maps of sockets, this network namespace ---- */

static int query_socket_maps(struct census_taking *t)
{
	static const u32 types[] = {ATTACH_SK_SKB_STREAM_PARSER,
				    ATTACH_SK_SKB_STREAM_VERDICT, ATTACH_SK_SKB_VERDICT,
				    ATTACH_SK_MSG_VERDICT};
	int err = 0;

	for (size_t i = 0; i < t->c->maps.len && err != -ENOMEM; i++) {
		const struct census_map *map = vec_at(&t->c->maps, i);
		struct target q = {t, 0, map->id, NULL};
		int fd;

		if (map->type != BPF_MAP_TYPE_SOCKMAP &&
		    map->type != BPF_MAP_TYPE_SOCKHASH)
			continue;
		fd = sys_open_id(SYS_MAP, map->id);
		if (fd < 0)
			continue;
		q.target = (u32)fd;
		q.where = arena_printf(&t->c->arena, "sockmap:#%u", map->id);
		for (u32 k = 0; k < ARRAY_SIZE(types) && err != -ENOMEM; k++)
			err = q.where ? query(&q, types[k]) : -ENOMEM;
		close(fd);
	}
	return err == -ENOMEM ? err : 0;
}

static int query_netns(struct census_taking *t)
{
	static const u32 types[] = {ATTACH_FLOW_DISSECTOR, ATTACH_SK_LOOKUP};
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), err = 0;
	struct target q = {t, (u32)fd, 0, "netns:/proc/self/ns/net"};
	struct stat st;

	if (fd < 0)
		return 0;
	if (!fstat(fd, &st))
		q.id = st.st_ino;
	for (u32 i = 0; i < ARRAY_SIZE(types) && err != -ENOMEM; i++)
		err = query(&q, types[i]);
	close(fd);
	return err == -ENOMEM ? err : 0;
}

/* ---- rtnetlink ---- */

/* One dump; `found` gets each message, with its length in nlmsg_len. */
struct dump {
	struct census_taking *t;
	int (*found)(struct dump *d, const struct nlmsghdr *message);
	struct vec *ifindices; /* u32 */
	const char *side;      /* "ingress" */
	u32 attach_type;       /* what tcx calls it */
};

static const void *find_attr(const void *attrs, int len, u16 type)
{
	for (const struct rtattr *a = attrs; RTA_OK(a, len); a = RTA_NEXT(a, len)) {
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return a;
	}
	return NULL;
}

static u32 attr_u32(const struct rtattr *a)
{
	u32 n = 0;

	if (a && RTA_PAYLOAD(a) >= sizeof(n))
		memcpy(&n, RTA_DATA(a), sizeof(n));
	return n;
}

static int read_dump(struct dump *d, int fd)
{
	_Alignas(struct nlmsghdr) char buffer[32768];
	int err = 0;

	for (;;) {
		ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
		const struct nlmsghdr *message = (void *)buffer;

		if (n <= 0)
			return err;
		for (; NLMSG_OK(message, (u32)n); message = NLMSG_NEXT(message, n)) {
			if (message->nlmsg_type == NLMSG_DONE ||
			    message->nlmsg_type == NLMSG_ERROR)
				return err;
			if (!err)
				err = d->found(d, message);
		}
	}
}

static int dump(struct dump *d, u16 type, const void *body, u32 len)
{
	struct {
		struct nlmsghdr h;
		char body[32];
	} request = {.h = {.nlmsg_len = NLMSG_LENGTH(len),
			   .nlmsg_type = type,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), err = 0;

	if (fd < 0)
		return 0;
	memcpy(request.body, body, len);
	if (send(fd, &request, request.h.nlmsg_len, 0) > 0)
		err = read_dump(d, fd);
	close(fd);
	return err;
}

/* ---- interfaces ---- */

static int add_xdp(struct census_taking *t, u32 ifindex, const char *name,
		   const struct rtattr *xdp)
{
	static const struct {
		u16 attr;
		const char *mode;
	} modes[] = {{IFLA_XDP_DRV_PROG_ID, "native"},
		     {IFLA_XDP_SKB_PROG_ID, "generic"},
		     {IFLA_XDP_HW_PROG_ID, "offload"}};

	for (u32 i = 0; xdp && i < ARRAY_SIZE(modes); i++) {
		struct census_place place = {
			.prog = attr_u32(find_attr(RTA_DATA(xdp), (int)RTA_PAYLOAD(xdp),
						   modes[i].attr)),
			.target = ifindex,
			.attach_type = ATTACH_XDP,
		};

		if (!place.prog)
			continue;
		place.where =
			arena_printf(&t->c->arena, "xdp:%s:%s", name, modes[i].mode);
		if (!place.where || census_add_place(t->c, &place))
			return -ENOMEM;
	}
	return 0;
}

static int found_link(struct dump *d, const struct nlmsghdr *message)
{
	const struct ifinfomsg *link = NLMSG_DATA(message);
	int len = (int)message->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*link));
	const struct rtattr *name;
	u32 *ifindex;

	if (message->nlmsg_type != RTM_NEWLINK || len < 0)
		return 0;
	ifindex = vec_push(d->ifindices);
	if (!ifindex)
		return -ENOMEM;
	*ifindex = (u32)link->ifi_index;
	name = find_attr(IFLA_RTA(link), len, IFLA_IFNAME);
	return add_xdp(d->t, *ifindex, name ? RTA_DATA(name) : "?",
		       find_attr(IFLA_RTA(link), len, IFLA_XDP));
}

static int found_filter(struct dump *d, const struct nlmsghdr *message)
{
	const struct tcmsg *tc = NLMSG_DATA(message);
	int len = (int)message->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*tc));
	const struct rtattr *kind, *options;
	char name[IF_NAMESIZE] = "?";
	struct census_place place = {.attach_type = d->attach_type};

	if (message->nlmsg_type != RTM_NEWTFILTER || len < 0)
		return 0;
	kind = find_attr(TCA_RTA(tc), len, TCA_KIND);
	options = find_attr(TCA_RTA(tc), len, TCA_OPTIONS);
	if (!kind || strcmp(RTA_DATA(kind), "bpf") || !options)
		return 0;
	place.prog = attr_u32(
		find_attr(RTA_DATA(options), (int)RTA_PAYLOAD(options), TCA_BPF_ID));
	if (!place.prog)
		return 0;
	/* several filters may have one program */
	place.target = (u64)tc->tcm_info << 32 | (u32)tc->tcm_ifindex;
	if_indextoname((u32)tc->tcm_ifindex, name);
	place.where = arena_printf(&d->t->c->arena, "tc:%s:%s:priority=%u", name, d->side,
				   TC_H_MAJ(tc->tcm_info) >> 16);
	return place.where ? census_add_place(d->t->c, &place) : -ENOMEM;
}

static int query_filters(struct census_taking *t, u32 ifindex)
{
	static const struct {
		u32 minor, attach_type;
		const char *side;
	} sides[] = {
		{TC_H_MIN_INGRESS, ATTACH_TCX_INGRESS, "ingress"},
		{TC_H_MIN_EGRESS, ATTACH_TCX_EGRESS, "egress"},
	};
	int err = 0;

	for (u32 i = 0; !err && i < ARRAY_SIZE(sides); i++) {
		struct tcmsg tc = {
			.tcm_family = AF_UNSPEC,
			.tcm_ifindex = (int)ifindex,
			.tcm_parent = TC_H_MAKE(TC_H_CLSACT, sides[i].minor),
		};
		struct dump d = {t, found_filter, .side = sides[i].side,
				 .attach_type = sides[i].attach_type};

		err = dump(&d, RTM_GETTFILTER, &tc, sizeof(tc));
	}
	return err;
}

static int query_device(struct census_taking *t, u32 ifindex)
{
	static const struct {
		u32 attach_type;
		const char *kind;
	} types[] = {{ATTACH_TCX_INGRESS, "tcx"},
		     {ATTACH_TCX_EGRESS, "tcx"},
		     {ATTACH_NETKIT_PRIMARY, "netkit"},
		     {ATTACH_NETKIT_PEER, "netkit"}};
	struct target q = {t, ifindex, ifindex, NULL};
	char name[IF_NAMESIZE];
	int err = 0;

	if (!if_indextoname(ifindex, name))
		return 0;
	for (u32 i = 0; i < ARRAY_SIZE(types) && err != -ENOMEM; i++) {
		q.where = arena_printf(&t->c->arena, "%s:%s", types[i].kind, name);
		err = q.where ? query(&q, types[i].attach_type) : -ENOMEM;
	}
	return err == -ENOMEM ? err : query_filters(t, ifindex);
}

static int query_devices(struct census_taking *t)
{
	struct vec ifindices = VEC_INIT(u32);
	struct ifinfomsg all = {.ifi_family = AF_UNSPEC};
	struct dump d = {t, found_link, &ifindices};
	int err = dump(&d, RTM_GETLINK, &all, sizeof(all));

	for (size_t i = 0; !err && i < ifindices.len; i++)
		err = query_device(t, *(u32 *)vec_at(&ifindices, i));
	vec_fini(&ifindices);
	return err;
}

int census_add_attached(struct census_taking *t)
{
	int err = query_cgroups(t);

	if (!err)
		err = query_socket_maps(t);
	if (!err)
		err = query_netns(t);
	return err ? err : query_devices(t);
}
