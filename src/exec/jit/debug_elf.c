/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ELF file of native code where it runs, as gdb reads it from memory: the code itself
 * is not in it (.text has a place and no bytes).
 */
#include <elf.h>
#include <string.h>

#include "exec/jit/debug.h"

enum section {
	NONE,
	TEXT,
	FRAME,
	SYMTAB,
	STRTAB,
	ABBREV,
	INFO,
	LINE,
	SHSTRTAB,
	SECTIONS
};

static const struct {
	const char *name;
	u32 type;
	u64 flags;
} sections[SECTIONS] = {
	[NONE] = {"", SHT_NULL, 0},
	[TEXT] = {".text", SHT_NOBITS, SHF_ALLOC | SHF_EXECINSTR},
	[FRAME] = {".eh_frame", SHT_PROGBITS, SHF_ALLOC},
	[SYMTAB] = {".symtab", SHT_SYMTAB, 0},
	[STRTAB] = {".strtab", SHT_STRTAB, 0},
	[ABBREV] = {".debug_abbrev", SHT_PROGBITS, 0},
	[INFO] = {".debug_info", SHT_PROGBITS, 0},
	[LINE] = {".debug_line", SHT_PROGBITS, 0},
	[SHSTRTAB] = {".shstrtab", SHT_STRTAB, 0},
};

static void put_symbols(const struct debug_code *code, struct text *out)
{
	Elf64_Sym symbol = {0};
	u32 name = 1;

	text_write(out, &symbol, sizeof(symbol));
	for (u32 i = 0; i <= code->native->n_functions; i++) {
		u32 function = i ? i - 1 : DEBUG_STUB;
		struct native_function f = debug_function(code, function);

		symbol = (Elf64_Sym){.st_name = name,
				     .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
				     .st_shndx = TEXT,
				     .st_value = debug_address(code, f.start),
				     .st_size = f.size};
		name += (u32)strlen(debug_name(code, function)) + 1;
		text_write(out, &symbol, sizeof(symbol));
	}
}

static void put_names(const struct debug_code *code, struct text *out)
{
	debug_put(out, 0, 1);
	for (u32 i = 0; i <= code->native->n_functions; i++)
		debug_put_string(out, debug_name(code, i ? i - 1 : DEBUG_STUB));
}

static void put_section(const struct debug_code *code, enum section section,
			struct text *out)
{
	switch (section) {
	case FRAME: debug_frame(code, out); return;
	case SYMTAB: put_symbols(code, out); return;
	case STRTAB: put_names(code, out); return;
	case ABBREV: debug_abbrev(out); return;
	case INFO: debug_info(code, out); return;
	case LINE: debug_line(code, out); return;
	case SHSTRTAB:
		for (u32 i = 0; i < SECTIONS; i++)
			debug_put_string(out, sections[i].name);
		return;
	case NONE:
	case TEXT:
	case SECTIONS: return;
	}
}

static u16 elf_machine(const struct native *native)
{
	return strcmp(native->machine->name, "aarch64") ? EM_X86_64 : EM_AARCH64;
}

void debug_elf(const struct debug_code *code, struct text *out)
{
	Elf64_Ehdr file = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
				       ELFDATA2LSB, EV_CURRENT},
			   .e_type = ET_EXEC,
			   .e_machine = elf_machine(code->native),
			   .e_version = EV_CURRENT,
			   .e_ehsize = sizeof(Elf64_Ehdr),
			   .e_shentsize = sizeof(Elf64_Shdr),
			   .e_shnum = SECTIONS,
			   .e_shstrndx = SHSTRTAB};
	Elf64_Shdr rows[SECTIONS] = {0};
	u32 name = 0;

	text_write(out, &file, sizeof(file));
	for (u32 i = 0; i < SECTIONS; i++) {
		while (out->len % 8 && !text_failed(out))
			debug_put(out, 0, 1);
		rows[i] = (Elf64_Shdr){.sh_name = name,
				       .sh_type = sections[i].type,
				       .sh_flags = sections[i].flags,
				       .sh_offset = out->len,
				       .sh_addralign = i ? 8 : 0};
		name += (u32)strlen(sections[i].name) + 1;
		put_section(code, (enum section)i, out);
		rows[i].sh_size = out->len - rows[i].sh_offset;
	}
	rows[TEXT].sh_addr = debug_address(code, 0);
	rows[TEXT].sh_size = code->native->len;
	rows[SYMTAB].sh_entsize = sizeof(Elf64_Sym);
	rows[SYMTAB].sh_link = STRTAB;
	rows[SYMTAB].sh_info = 1;
	while (out->len % 8 && !text_failed(out))
		debug_put(out, 0, 1);
	file.e_shoff = out->len;
	text_write(out, rows, sizeof(rows));
	if (!text_failed(out))
		memcpy(out->s, &file, sizeof(file));
}
