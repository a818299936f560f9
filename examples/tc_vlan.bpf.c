// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A VLAN in two programs: attached to an interface, everything that leaves it carries a
 * tag and everything that enters loses it.
 *
 * Attach push at egress and pop at ingress.  What enters with another tag, or with none,
 * is not for this VLAN and is dropped.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define VLAN_ID_MASK 0xfff

const volatile __u16 vlan_id = 7;

SEC("tc")
int push(struct __sk_buff *skb)
{
	if (bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), vlan_id))
		return TC_ACT_SHOT;
	return TC_ACT_OK;
}

SEC("tc")
int pop(struct __sk_buff *skb)
{
	if (!skb->vlan_present || (skb->vlan_tci & VLAN_ID_MASK) != vlan_id)
		return TC_ACT_SHOT;
	if (bpf_skb_vlan_pop(skb))
		return TC_ACT_SHOT;
	return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
