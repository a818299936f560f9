/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A world with what its virtual CPUs need to run packets.  Whoever runs a program holds a
 * CPU of its world, and with it that CPU's packet and its values in per-CPU maps, so that
 * objects which share a world and maps cannot meet on a CPU.  For src/load.
 */
#ifndef SKEP_LOAD_WORLD_H
#define SKEP_LOAD_WORLD_H

#include <skep/world.h>

#include "world/cpu.h"
#include "world/packet.h"
#include "world/world.h"

struct cpu_slot {
	struct packet packet; /* used by whoever holds the CPU */
	bool has_packet;
};

struct skep_world {
	bool scripted;
	union {
		struct world_real real;
		struct world_script script;
	};
	struct cpu_set cpus;
	struct cpu_slot *slots; /* owned; one a CPU */
};

static inline struct world *world_of(struct skep_world *w)
{
	return w->scripted ? &w->script.world : &w->real.world;
}

/* Waits until a CPU is free and takes it; wish: 1 + the one to prefer, 0: any. */
u32 world_hold_cpu(struct skep_world *w, u32 wish);
void world_release_cpu(struct skep_world *w, u32 cpu);

/* The packet of a CPU that is held; made when it is first wanted. */
int world_packet(struct skep_world *w, u32 cpu, struct packet **packet,
		 struct skep_diag *diag);

#endif
