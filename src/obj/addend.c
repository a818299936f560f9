/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a relocation points to: its symbol and an addend.  RELA has that in the file;
 * else BPF keeps it in the instruction, and two assemblers disagree on what to put there:
 * LLVM the addend alone, GNU as 2.40 (the one of gcc-bpf 12) the addend plus the value of
 * the symbol, unless that stands for a section.
 *
 * The file does not say who made it: calls of named functions give it away, and where
 * there are none, loads of addresses that would be negative and what gcc leaves in
 * .comment.
 */
#include "obj/reader.h"

/* Which assembler it must have been. */
enum evidence { NEITHER, LLVM_STYLE, GNU_STYLE };

static enum evidence look_at(const struct reader *r, const struct code *code,
			     const struct elf_reloc *rel)
{
	const struct elf_symbol *sym = &r->elf.symbols[rel->symbol];
	u64 slot = rel->offset / INSN_SIZE;

	if (sym->type == ELF_SECTION || !sym->value || sym->section == ELF_UNDEF ||
	    rel->has_addend || slot >= code->n_insns)
		return NEITHER;
	struct insn insn = insn_read(code->slots + slot * INSN_SIZE, r->elf.big_endian);

	if (insn.code != (CLASS_JMP | 0x80))
		return insn.imm >= 0 && (u64)insn.imm < sym->value ? LLVM_STYLE : NEITHER;
	if (insn.imm == -1)
		return LLVM_STYLE;
	return (s64)insn.imm + 1 == (s64)sym->value ? GNU_STYLE : NEITHER;
}

static bool made_by_gcc(const struct reader *r)
{
	const struct elf_section *comment = elf_find_section(&r->elf, ".comment");
	struct bytes text = comment ? comment->data : (struct bytes){0};

	if (text.len && !text.data[0])
		text = bytes_slice(text, 1, text.len - 1);
	return text.len >= 5 && !memcmp(text.data, "GCC: ", 5);
}

bool has_gnu_addends(const struct reader *r)
{
	for (u32 i = 1; i < r->elf.n_sections; i++) {
		const struct code *code = &r->codes[i];

		for (u32 k = 0; k < code->n_relocs; k++) {
			enum evidence evidence = look_at(r, code, &code->relocs[k]);

			if (evidence != NEITHER)
				return evidence == GNU_STYLE;
		}
	}
	return made_by_gcc(r);
}

u64 reloc_target(const struct reader *r, const struct elf_reloc *rel,
		 const struct insn *insn)
{
	const struct elf_symbol *sym = &r->elf.symbols[rel->symbol];
	bool is_call = insn->code == (CLASS_JMP | 0x80);
	u64 imm = (u64)(s64)insn->imm;

	if (rel->has_addend)
		return sym->value + (u64)rel->addend;
	if (r->gnu_addends && sym->type != ELF_SECTION && sym->section != ELF_UNDEF)
		imm -= sym->value;
	return sym->value + (is_call ? (imm + 1) * INSN_SIZE : imm);
}
