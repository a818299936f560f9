/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The current task, and memory at addresses that nobody has checked: questions that the
 * world answers.
 */
#include <string.h>

#include "helpers/bodies.h"
#include "helpers/chars.h"

static struct world_task current(struct run *run)
{
	struct world_task task;

	run->world->ops->task(run->world, &task);
	return task;
}

HELPER(get_current_pid_tgid)
{
	struct world_task task = current(run);

	return (u64)task.tgid << 32 | task.pid;
}

HELPER(get_current_uid_gid)
{
	struct world_task task = current(run);

	return (u64)task.gid << 32 | task.uid;
}

HELPER(get_current_cgroup_id)
{
	return current(run).cgroup_id;
}

HELPER(get_current_comm)
{
	struct world_task task = current(run);
	u32 size = (u32)r2, len = (u32)strnlen(task.comm, sizeof(task.comm) - 1);

	if (!size)
		return answer(-EINVAL);
	memset(pointer(r1), 0, size);
	memcpy(pointer(r1), task.comm, min_u64(len, size - 1));
	return 0;
}

/* ---- memory ---- */

static u64 probe_read(struct run *run, void *dst, u32 size, u64 addr)
{
	return answer(run->world->ops->read_memory(run->world, dst, size, addr));
}

HELPER(probe_read)
{
	return probe_read(run, pointer(r1), (u32)r2, r3);
}

HELPER(probe_read_kernel)
{
	return probe_read(run, pointer(r1), (u32)r2, r3);
}

HELPER(probe_read_user)
{
	return probe_read(run, pointer(r1), (u32)r2, r3);
}

/* Reads until the string ends, never beyond its last page. */
s64 read_string(struct world *world, char *dst, u32 size, u64 addr)
{
	enum { CHUNK = 64 }; /* divides every page */
	u32 done = 0;

	while (done < size) {
		u64 at = addr + done;
		u32 n = (u32)min_u64(CHUNK - at % CHUNK, size - done);
		const char *nul;

		if (world->ops->read_memory(world, dst + done, n, at)) {
			memset(dst, 0, size);
			return -EFAULT;
		}
		nul = memchr(dst + done, 0, n);
		if (nul)
			return nul - dst + 1;
		done += n;
	}
	if (size)
		dst[size - 1] = 0;
	return size;
}

HELPER(probe_read_str)
{
	return answer(read_string(run->world, pointer(r1), (u32)r2, r3));
}

HELPER(probe_read_kernel_str)
{
	return answer(read_string(run->world, pointer(r1), (u32)r2, r3));
}

HELPER(probe_read_user_str)
{
	return answer(read_string(run->world, pointer(r1), (u32)r2, r3));
}
