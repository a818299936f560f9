/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Executables and shared libraries as probes see them: where in the file a function or a
 * USDT probe is.
 *
 * A reader of ELF of its own, beside src/obj's: other files, other questions.  Reads the
 * parts that it needs and nothing twice; files are hostile.  For src/kern; elf(5),
 * https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation.
 */
#ifndef SKEP_KERN_BINARY_H
#define SKEP_KERN_BINARY_H

#include <elf.h>

#include "base/bytes.h"
#include "base/vec.h"

struct skep_diag;

struct binary {
	int fd; /* owned */
	u64 size;
	u16 type, machine;    /* ET_EXEC or ET_DYN; EM_* */
	Elf64_Phdr *segments; /* owned */
	u32 n_segments;
	Elf64_Shdr *sections; /* owned; NULL: there are none */
	u32 n_sections;
	char *names; /* owned; of the sections, ends with NUL; "" when there are none */
	u64 names_len;
};

/* The file that a name means, as libbpf finds it: what has a slash is a path, "libc.so.6"
 * is looked for in LD_LIBRARY_PATH and the system's folders of libraries, "bash" in PATH.
 * *path: the caller frees it. */
int binary_path(const char *name, char **path, struct skep_diag *diag);

int binary_open(const char *path, struct binary *bin, struct skep_diag *diag);
void binary_close(struct binary *bin);

/* Offset in the file of what is mapped at an address, in a segment that has these flags
 * (PF_*).  False: nowhere. */
bool binary_offset(const struct binary *bin, u64 address, u32 flags, u64 *offset);

/* A function by name: "main", "memcpy@GLIBC_2.2.5".  Errors: ENOENT; EINVAL where the
 * name means several. */
int binary_function(const struct binary *bin, const char *name, u64 *offset,
		    struct skep_diag *diag);

/* The offsets (u64, sorted, each once) of all functions whose names match a pattern. */
int binary_functions(const struct binary *bin, const char *pattern, struct vec *offsets,
		     struct skep_diag *diag);

/* One place of a USDT probe. */
struct usdt_site {
	u64 address;   /* as the file says it */
	u64 offset;    /* in the file */
	u64 semaphore; /* its offset in the file; 0: it has none */
	char *args;    /* owned: "-4@%edi 8@-16(%rbp)" */
};

/* All places (struct usdt_site) of provider:name; ENOENT where there is none. */
int binary_usdt(const struct binary *bin, const char *provider, const char *name,
		struct vec *sites, struct skep_diag *diag);
void usdt_sites_fini(struct vec *sites);

/* For the readers of parts: a section of this type and name (either may be 0 or NULL); a
 * copy of its bytes with a NUL behind, which the caller frees. */
const Elf64_Shdr *binary_section(const struct binary *bin, u32 type, const char *name);
int binary_read(const struct binary *bin, const Elf64_Shdr *section, u8 **data,
		struct skep_diag *diag);
int binary_read_at(const struct binary *bin, u64 offset, void *data, size_t len);

#endif
