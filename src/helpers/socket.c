/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets and routes, for packets that belong to no socket on a host that has none.
 *
 * A captured packet is what Linux sees just after receipt: nobody owns it.  These are
 * Linux's own answers for that, not inventions.  No socket ever reaches a program.
 */
#include <string.h>
#include <sys/socket.h>

#include "helpers/bodies.h"

enum { NO_SOCKET_UID = 65534, FIB_FLAGS = 0x3f };

HELPER(get_socket_cookie)
{
	return 0;
}

HELPER(get_socket_uid)
{
	return NO_SOCKET_UID;
}

HELPER(get_cgroup_classid)
{
	return 0;
}

HELPER(skb_cgroup_classid)
{
	return 0;
}

HELPER(skb_cgroup_id)
{
	return 0;
}

HELPER(skb_ancestor_cgroup_id)
{
	return 0;
}

HELPER(get_route_realm)
{
	return 0;
}

HELPER(sk_lookup_tcp)
{
	return 0;
}

HELPER(sk_lookup_udp)
{
	return 0;
}

HELPER(skc_lookup_tcp)
{
	return 0;
}

/* Programs call it only with what a look-up found. */
HELPER(sk_release)
{
	return answer(-EINVAL);
}

/* What is made of a socket: of none, none. */

HELPER(sk_fullsock)
{
	return 0;
}

HELPER(tcp_sock)
{
	return 0;
}

HELPER(get_listener_sock)
{
	return 0;
}

HELPER(skc_to_tcp_sock)
{
	return 0;
}

HELPER(skc_to_tcp6_sock)
{
	return 0;
}

HELPER(skc_to_tcp_timewait_sock)
{
	return 0;
}

HELPER(skc_to_tcp_request_sock)
{
	return 0;
}

HELPER(skc_to_udp6_sock)
{
	return 0;
}

/* No packet came through IPsec. */
HELPER(skb_get_xfrm_state)
{
	memset(pointer(r3), 0, (u32)r4);
	return answer(-EINVAL);
}

/* A host that forwards and has no route. */
HELPER(fib_lookup)
{
	struct bpf_fib_lookup params;

	if ((u32)r3 < sizeof(params) || (u32)r4 & ~(u32)FIB_FLAGS)
		return answer(-EINVAL);
	memcpy(&params, pointer(r2), sizeof(params));
	if (params.family != AF_INET && params.family != AF_INET6)
		return answer(-EAFNOSUPPORT);
	if (!params.ifindex)
		return answer(-ENODEV);
	return BPF_FIB_LKUP_RET_NOT_FWDED;
}
