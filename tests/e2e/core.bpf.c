// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* A program that asks for the types of the kernel. */
struct task_struct {
	int pid;
} __attribute__((preserve_access_index));

__attribute__((section("raw_tp/sys_enter"), used)) int where(void *ctx)
{
	struct task_struct *task = ctx;

	return (int)((char *)&task->pid - (char *)task);
}

char _license[] __attribute__((section("license"), used)) = "GPL";
