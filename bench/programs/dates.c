/* SPDX-License-Identifier: BSD-2-Clause */
/* Days since 1970 as year, month and day: divisions by constants. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *in = mem;
	u64 sum = 0;

	(void)len;
	for (u32 i = 0; i < 200; i++) {
		u32 z = in[i] % 100000 + 719468, era = z / 146097, day = z % 146097;
		u32 year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
		u32 doy = day - (365 * year + year / 4 - year / 100);
		u32 mp = (5 * doy + 2) / 153, d = doy - (153 * mp + 2) / 5 + 1;
		u32 month = mp < 10 ? mp + 3 : mp - 9;

		sum = mix(sum, (year + era * 400 + (month <= 2)) * 512 + month * 32 + d);
	}
	return sum;
}
