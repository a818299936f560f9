/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What vdso.c reads in place of the kernel's: linked with one hash table or the other.
 */
extern int answer, first(void), second(void);

int answer = 42;

int first(void)
{
	return 1;
}

int second(void)
{
	return 2;
}
