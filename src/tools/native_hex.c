/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Native instructions where no disassembler is at hand: their bytes, 4 at a time, which
 * is an instruction on aarch64.
 */
#include "tools/dis.h"

u32 native_insn_text(const struct native_piece *piece, struct text *text)
{
	u32 left = piece->end - piece->off;

	(void)text;
	return left < 4 ? left : 4;
}
