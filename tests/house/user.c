/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The least program that uses the library: it sees only what is installed.
 */
#include <skep/diag.h>
#include <string.h>

int main(void)
{
	return strcmp(skep_diag_name(0), "NONE") != 0;
}
