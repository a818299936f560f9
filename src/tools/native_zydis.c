/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Native instructions of x86-64 as text, by Zydis.  Addresses are offsets into the code.
 */
#include <Zydis/Zydis.h>

#include "base/text.h"
#include "tools/dis.h"

u32 native_insn_text(const struct native_piece *piece, struct text *text)
{
	ZydisDisassembledInstruction insn;

	if (!ZYAN_SUCCESS(ZydisDisassembleIntel(ZYDIS_MACHINE_MODE_LONG_64, piece->off,
						piece->code + piece->off,
						piece->end - piece->off, &insn)))
		return 1;
	text_puts(text, insn.text);
	return insn.info.length;
}
