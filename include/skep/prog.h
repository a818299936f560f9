/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running the programs of a loaded object.
 */
#ifndef SKEP_PROG_H
#define SKEP_PROG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <skep/diag.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A program.  Belongs to its object; when that is loaded, any number of threads may run
 * it at once. */
struct skep_prog;

/** The name of the function that is its entry.  As all texts here: lives as long as the
 * object. */
const char *skep_prog_name(const struct skep_prog *prog);

/** The section it was declared in: "xdp", "tc", "kprobe/do_unlinkat". */
const char *skep_prog_section(const struct skep_prog *prog);

/** BPF_PROG_TYPE_*, as in <linux/bpf.h>. */
uint32_t skep_prog_type(const struct skep_prog *prog);

/** "xdp", "sched_cls", ...; "unknown" for numbers nobody knows.  Static. */
const char *skep_prog_type_name(const struct skep_prog *prog);

/** How many instruction slots it has, subprograms included. */
uint32_t skep_prog_n_insns(const struct skep_prog *prog);

/**
 * Chooses whether skep_object_load() makes this program ready; at first all are chosen.
 * Maps that only programs refer to which were not chosen are not created, and slots of
 * PROG_ARRAYs with such programs stay empty.
 * @return 0, or -EBUSY when the object is loaded.
 */
int skep_prog_select(struct skep_prog *prog, bool selected);

/**
 * Makes one program of several: when progs[0] is loaded, it runs them one after another
 * on the same packet, until one of them returns something else than XDP_PASS (XDP) or
 * TC_ACT_UNSPEC (SCHED_CLS, SCHED_ACT). So more than one XDP program can be attached to
 * an interface, by one link, in user space and in the kernel.
 * @param progs of the same object, which is not loaded yet, and of the same type; one may
 *        stand there more than once; the others need not be selected
 * @param n how many, up to 64
 * @param diag may be NULL
 * @return 0; -EINVAL for programs that do not go together, -EBUSY when the object is
 *         loaded, -ENOMEM. skep_object_load() refuses chains that are too long (-E2BIG).
 */
int skep_prog_chain(struct skep_prog *const *progs, size_t n, struct skep_diag *diag);

/**
 * Says which program of the kernel this one attaches to: whose function a
 * SEC("freplace/function") replaces, or a SEC("fentry/function") and its relatives look
 * at. Without it fentry programs attach to functions of the kernel.
 * @param prog of an object with the engine "kernel" that is not loaded yet
 * @param target a loaded program: its id, the path where it is pinned, or its name, when
 *        only one has that
 * @return 0; -EBUSY when the object is loaded; -ENOENT; -EPERM, as finding programs by id
 *         or name needs CAP_SYS_ADMIN; the errno of the kernel
 */
int skep_prog_set_target(struct skep_prog *prog, const char *target,
			 struct skep_diag *diag);

/** Can it run: was it loaded? */
bool skep_prog_is_loaded(const struct skep_prog *prog);

/** Does it work on packets: is it run by skep_prog_run_packet()?  True for XDP,
 * SCHED_CLS, SCHED_ACT and SOCKET_FILTER programs. */
bool skep_prog_takes_packets(const struct skep_prog *prog);

/**
 * Runs a program on a context in memory: for types whose context is plain bytes
 * (tracepoints, perf events, struct pt_regs, ...).
 *
 * The run holds one of the world's virtual CPUs; when all are held by other threads, it
 * waits for one.
 *
 * @param prog of a loaded object
 * @param ctx what R1 points to; the program may write what its type may write
 * @param ctx_size its size in bytes; reads past it are violations under "checked", other
 *        engines ask before the run for as much as the verifier saw the program look at
 *        (and, where it makes tail calls, the others of its object and type)
 * @param ret out: R0
 * @param diag of a violation: what, the instruction, its source line; may be NULL
 * @return 0; -EINVAL when the program is not loaded or takes packets, or looks at more
 *         than there is; -ENOTSUP under "jit" and "interp" when it reads something from
 *         the context that is more than a number, as only the kernel has it (under
 *         "checked" what it does with it is looked at); -ENOMEM; under
 *         "checked" also -EACCES, -EFAULT, -EINVAL for what the program did wrong and
 *         -ETIMEDOUT when it took too many steps. Thread-safe.
 */
int skep_prog_run(struct skep_prog *prog, void *ctx, size_t ctx_size, uint64_t *ret,
		  struct skep_diag *diag);

/** What the first bytes of a packet are. */
enum skep_linktype {
	SKEP_LINK_ETHERNET, /**< an Ethernet header, maybe with VLAN tags */
	SKEP_LINK_RAW_IP,   /**< an IPv4 or IPv6 header */
};

/** A packet, and what the hook would know about it; zeroes are the defaults.  The kernel
 * names what the fields mean in struct xdp_md and struct __sk_buff. */
struct skep_packet {
	const void *data; /**< the bytes; borrowed for the call, not changed */
	uint32_t len;     /**< how many; up to 256 KiB */

	uint32_t wire_len; /**< length on the wire (__sk_buff.wire_len); 0: len */
	uint32_t meta_len; /**< XDP: so many bytes of data, at most 252 (a multiple
			      of 4), are metadata before the packet */
	/** so many bytes are in one piece, the others in fragments; 0: XDP: as Linux does
	 * (only programs that declare support for fragments get any), others: all */
	uint32_t linear_len;
	enum skep_linktype link; /**< of XDP programs not looked at: they see the bytes */
	bool egress;      /**< SCHED_CLS, SCHED_ACT: the packet leaves the machine */
	bool at_network;  /**< SOCKET_FILTER: data starts at the network header, as for
			     BPF_PROG_TEST_RUN; else at the link header */
	uint32_t ifindex; /**< the interface: ingress_ifindex of XDP, ifindex of others */
	uint32_t rx_queue;
	uint32_t hash;
	uint32_t mark, priority, queue_mapping; /**< set by the call, too: as the program
						   left them (not XDP) */
	uint32_t gso_size, gso_segs;
	uint64_t tstamp;   /**< ns; set by the call, too (not XDP) */
	uint64_t hwtstamp; /**< ns */
	int32_t cpu;       /**< 1 + the virtual CPU to prefer; 0: any */
	/** the program runs so often, each time on what the run before left, as in
	 * BPF_PROG_TEST_RUN: for measuring; 0: once */
	uint32_t repeat;

	/** Where the packet goes as the program left it (its VLAN tag put back among the
	 * bytes); NULL: nowhere. */
	void *out;
	uint32_t out_size; /**< room there; at most so many bytes are written */
	uint32_t out_len; /**< set by the call: length of the packet, which may be more */
	/** set by the call: what the program asked for with bpf_redirect() and relatives;
	 * counts when the verdict is a redirect */
	uint32_t redirect_ifindex;
	bool redirected;       /**< set by the call: one of them was called */
	uint32_t redirect_key; /**< set by the call: bpf_redirect_map()'s key */
	bool redirect_to_map;  /**< set by the call: redirect_key counts, not the ifindex
				*/
	uint32_t clones; /**< set by the call: packets sent by bpf_clone_redirect() */
	uint32_t run_ns; /**< set by the call: ns that the kernel says the program took;
			    0: another engine */
	uint64_t ret;    /**< set by the call: the verdict, R0 */
	bool ran;        /**< set by the call: no error ended the run */
};

/**
 * Runs a program on one packet, with the context that its type has on Linux: struct
 * xdp_md or struct __sk_buff. Waits for a CPU like skep_prog_run().
 * @param prog XDP, SCHED_CLS, SCHED_ACT or SOCKET_FILTER
 * @param packet in and out
 * @param ret out: the verdict, R0
 * @param diag as for skep_prog_run(); may be NULL
 * @return as skep_prog_run(); also -EINVAL when the bytes are too few for their link
 *         header or fields contradict each other, -EMSGSIZE when they are too many.
 *         Thread-safe.
 */
int skep_prog_run_packet(struct skep_prog *prog, struct skep_packet *packet,
			 uint64_t *ret, struct skep_diag *diag);

/**
 * Runs a program on many packets, one after another, as skep_prog_run_packet() runs it on
 * each; but what a run needs is made ready once for all of them, and all are run on one
 * virtual CPU.  Others wait for that CPU until all are done, so some dozen at a time are
 * a good number.
 * @param packets in and out; the cpu of the first counts
 * @param n how many; may be 0
 * @param diag as for skep_prog_run(); may be NULL
 * @return as skep_prog_run_packet(), of the first packet that failed: those before it
 *         have ran set, it and those behind it do not. Thread-safe.
 */
int skep_prog_run_packets(struct skep_prog *prog, struct skep_packet *packets, size_t n,
			  struct skep_diag *diag);

/**
 * The name of a verdict: "XDP_DROP", "TC_ACT_OK".
 * @return static string; NULL for results without a name, and for types whose results
 *         have none (a socket filter returns how many bytes to keep). Thread-safe.
 */
const char *skep_prog_verdict_name(const struct skep_prog *prog, uint64_t ret);

#ifdef __cplusplus
}
#endif
#endif
