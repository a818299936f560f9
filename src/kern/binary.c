/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Executables and libraries: finding the file, its headers and its parts.
 *
 * Read with pread(2), never mapped: a file that somebody cuts off meanwhile is an error
 * then, and no SIGBUS.  What is allocated is at most what the file has, and PART_MAX.
 * Symbols and notes are in symbols.c and usdt_notes.c.
 */
#define _GNU_SOURCE /* strchrnul() */
#include "kern/binary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"

enum {
	PART_MAX =
		1 << 29, /* bytes of one section: the strings of the largest programs */
	SECTIONS_MAX = 1 << 16,
	SEGMENTS_MAX = 65536 / sizeof(Elf64_Phdr), /* what execve(2) takes */
};

/* ---- finding the file ---- */

static const char library_folders[] = "/usr/lib64:/usr/lib:/lib64:/lib"
#if defined(__x86_64__)
				      ":/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu";
#elif defined(__aarch64__)
				      ":/lib/aarch64-linux-gnu:/usr/lib/"
				      "aarch64-linux-gnu";
#else
	;
#endif
static const char program_folders[] = "/usr/bin:/usr/sbin";

static bool is_library(const char *name)
{
	size_t len = strlen(name);

	return strstr(name, ".so.") || (len > 3 && !strcmp(name + len - 3, ".so"));
}

/* The first folder of a list with such a file in it; NULL: none, or no memory. */
static char *find_in(const char *folders, const char *name, int mode)
{
	size_t max = strlen(folders) + strlen(name) + 2;
	char *path = malloc(max);

	for (const char *end; path && *folders; folders = end + (*end == ':')) {
		end = strchrnul(folders, ':');
		if (end == folders)
			continue;
		snprintf(path, max, "%.*s/%s", (int)(end - folders), folders, name);
		if (!faccessat(AT_FDCWD, path, mode, AT_EACCESS))
			return path;
	}
	free(path);
	return NULL;
}

int binary_path(const char *name, char **path, struct skep_diag *diag)
{
	bool library = is_library(name);
	const char *first = getenv(library ? "LD_LIBRARY_PATH" : "PATH");
	int mode = library ? R_OK : R_OK | X_OK;

	if (strchr(name, '/')) {
		*path = strdup(name);
		return *path ? 0 : fail(diag, NO_MEMORY, NO_PC);
	}
	*path = first ? find_in(first, name, mode) : NULL;
	if (!*path)
		*path = find_in(library ? library_folders : program_folders, name, mode);
	return *path ? 0
		     : fail(diag, NO_BINARY, NO_PC, library ? "library" : "program",
			    name);
}

/* ---- its parts ---- */

int binary_read_at(const struct binary *bin, u64 offset, void *data, size_t len)
{
	u8 *to = data;

	if (offset > bin->size || len > bin->size - offset)
		return -ENODATA;
	while (len) {
		ssize_t n = pread(bin->fd, to, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENODATA;
		to += n;
		offset += (u64)n;
		len -= (size_t)n;
	}
	return 0;
}

const Elf64_Shdr *binary_section(const struct binary *bin, u32 type, const char *name)
{
	for (u32 i = 1; i < bin->n_sections; i++) {
		const Elf64_Shdr *s = &bin->sections[i];

		if (type && s->sh_type != type)
			continue;
		if (!name || (s->sh_name < bin->names_len &&
			      !strcmp(bin->names + s->sh_name, name)))
			return s;
	}
	return NULL;
}

int binary_read(const struct binary *bin, const Elf64_Shdr *section, u8 **data,
		struct skep_diag *diag)
{
	u64 len = section->sh_size;

	*data = NULL;
	if (section->sh_type == SHT_NOBITS || section->sh_offset > bin->size ||
	    len > bin->size - section->sh_offset)
		return fail(diag, BAD_BINARY, NO_PC, "a section ends beyond the file");
	if (len > PART_MAX)
		return fail(diag, BAD_BINARY, NO_PC, "a section is too large");
	*data = malloc(len + 1);
	if (!*data)
		return fail(diag, NO_MEMORY, NO_PC);
	(*data)[len] = 0;
	if (!binary_read_at(bin, section->sh_offset, *data, len))
		return 0;
	free(*data);
	*data = NULL;
	return fail(diag, BAD_BINARY, NO_PC, "a section cannot be read");
}

bool binary_offset(const struct binary *bin, u64 address, u32 flags, u64 *offset)
{
	for (u32 i = 0; i < bin->n_segments; i++) {
		const Elf64_Phdr *p = &bin->segments[i];

		if (p->p_type != PT_LOAD || (p->p_flags & flags) != flags)
			continue;
		if (address < p->p_vaddr || address - p->p_vaddr >= p->p_filesz)
			continue;
		*offset = address - p->p_vaddr + p->p_offset;
		return *offset < bin->size;
	}
	return false;
}

/* ---- opening ---- */

static int read_segments(struct binary *bin, const Elf64_Ehdr *eh, struct skep_diag *diag)
{
	size_t size = (size_t)eh->e_phnum * sizeof(Elf64_Phdr);

	if (eh->e_phentsize != sizeof(Elf64_Phdr) || !eh->e_phnum)
		return fail(diag, BAD_BINARY, NO_PC, "it has no segments");
	if (eh->e_phnum > SEGMENTS_MAX)
		return fail(diag, BAD_BINARY, NO_PC, "it has too many segments");
	bin->segments = malloc(size);
	if (!bin->segments)
		return fail(diag, NO_MEMORY, NO_PC);
	if (binary_read_at(bin, eh->e_phoff, bin->segments, size))
		return fail(diag, BAD_BINARY, NO_PC, "the segments end beyond the file");
	bin->n_segments = eh->e_phnum;
	return 0;
}

/* With more sections than the header can count, the first section has the numbers. */
static int count_sections(struct binary *bin, const Elf64_Ehdr *eh, u64 *n, u32 *names)
{
	Elf64_Shdr first;

	*n = eh->e_shnum;
	*names = eh->e_shstrndx;
	if (*n && *names != SHN_XINDEX)
		return 0;
	if (binary_read_at(bin, eh->e_shoff, &first, sizeof(first)))
		return -ENODATA;
	if (!*n)
		*n = first.sh_size;
	if (*names == SHN_XINDEX)
		*names = first.sh_link;
	return *n > SECTIONS_MAX ? -E2BIG : 0;
}

static int read_sections(struct binary *bin, const Elf64_Ehdr *eh, struct skep_diag *diag)
{
	u32 names;
	u64 n;

	if (!eh->e_shoff)
		return 0;
	if (eh->e_shentsize != sizeof(Elf64_Shdr) || count_sections(bin, eh, &n, &names))
		return fail(diag, BAD_BINARY, NO_PC, "the table of sections is wrong");
	bin->sections = calloc(n + 1, sizeof(Elf64_Shdr));
	if (!bin->sections)
		return fail(diag, NO_MEMORY, NO_PC);
	if (binary_read_at(bin, eh->e_shoff, bin->sections, n * sizeof(Elf64_Shdr)))
		return fail(diag, BAD_BINARY, NO_PC, "the sections end beyond the file");
	bin->n_sections = (u32)n;
	if (!names)
		return 0;
	if (names >= n)
		return fail(diag, BAD_BINARY, NO_PC, "no section has the names");
	bin->names_len = bin->sections[names].sh_size;
	return binary_read(bin, &bin->sections[names], (u8 **)&bin->names, diag);
}

static int check_header(struct binary *bin, const Elf64_Ehdr *eh, struct skep_diag *diag)
{
	u8 endian = host_is_big_endian() ? ELFDATA2MSB : ELFDATA2LSB;

	if (memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0)
		return fail(diag, BAD_BINARY, NO_PC, "it is no ELF file");
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_ident[EI_DATA] != endian)
		return fail(diag, BAD_BINARY, NO_PC,
			    "it is for machines of another word size or byte order");
	if (eh->e_type != ET_EXEC && eh->e_type != ET_DYN)
		return fail(diag, BAD_BINARY, NO_PC,
			    "it is neither linked nor a library");
	bin->type = eh->e_type;
	bin->machine = eh->e_machine;
	return 0;
}

static int read_headers(struct binary *bin, struct skep_diag *diag)
{
	Elf64_Ehdr eh;
	int err;

	if (binary_read_at(bin, 0, &eh, sizeof(eh)))
		return fail(diag, BAD_BINARY, NO_PC, "it is too short for an ELF file");
	err = check_header(bin, &eh, diag);
	if (!err)
		err = read_segments(bin, &eh, diag);
	return err ? err : read_sections(bin, &eh, diag);
}

static int open_file(const char *path, struct binary *bin, struct skep_diag *diag)
{
	struct stat st;

	/* a fifo must not block; a device must not be opened at all, but whoever names
	 * one gets what it does */
	bin->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (bin->fd < 0 || fstat(bin->fd, &st)) {
		bool first = diag && !diag->id;
		int err = -errno;

		fail(diag, FILE_UNREADABLE, NO_PC, strerror(-err));
		if (first)
			diag->err = err;
		return err;
	}
	if (!S_ISREG(st.st_mode))
		return fail(diag, BAD_BINARY, NO_PC, "it is no regular file");
	bin->size = (u64)st.st_size;
	return 0;
}

int binary_open(const char *path, struct binary *bin, struct skep_diag *diag)
{
	int err;

	*bin = (struct binary){.fd = -1};
	err = open_file(path, bin, diag);
	if (!err)
		err = read_headers(bin, diag);
	if (!err)
		return 0;
	binary_close(bin);
	return diag_in(diag, err, "%s", path);
}

void binary_close(struct binary *bin)
{
	if (bin->fd >= 0)
		close(bin->fd);
	free(bin->segments);
	free(bin->sections);
	free(bin->names);
	*bin = (struct binary){.fd = -1};
}
