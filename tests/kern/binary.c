/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions and USDT probes of a library, against what the dynamic linker says of it; and
 * files that lie.
 */
#define _GNU_SOURCE /* dladdr1(), memfd_create() */
#include "kern/binary.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/file.h"
#include "check.h"
#include "kern/glob.h"
#include "kern/usdt_args.h"
#include "target.h"

/* ---- patterns ---- */

static void test_globs(void)
{
	static const struct {
		const char *pattern, *name;
		bool matches;
	} rows[] = {
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "vfs_read", true},
		{"vfs_*", "vfs_", true},
		{"vfs_*", "vfs", false},
		{"?fs", "vfs", true},
		{"?", "", false},
		{"*read", "vfs_read", true},
		{"*a*b", "aab", true},
		{"*ab", "aabab", true},
		{"a*b*c", "abcbc", true},
		{"a*b*c", "acb", false},
		{"a**", "a", true},
		{"*?", "", false},
		{"[a]", "a", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!CHECK_INT(glob_matches(rows[i].pattern, rows[i].name),
			       rows[i].matches))
			fprintf(stderr, "\t\"%s\" \"%s\"\n", rows[i].pattern,
				rows[i].name);
	CHECK(is_glob("a*") && is_glob("?") && !is_glob("a.b[0]"));
}

/* ---- functions ---- */

/* The offset in the file of an address of this process. */
static u64 offset_of(const void *address)
{
	struct link_map *map;
	Dl_info info;
	const Elf64_Ehdr *eh;
	const Elf64_Phdr *ph;
	u64 at;

	if (!dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP))
		return 0;
	at = (u64)(uintptr_t)address - map->l_addr;
	eh = info.dli_fbase;
	ph = (const void *)((const char *)info.dli_fbase + eh->e_phoff);
	for (u32 i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_LOAD && at - ph[i].p_vaddr < ph[i].p_filesz)
			return at - ph[i].p_vaddr + ph[i].p_offset;
	return 0;
}

static u64 offset_of_named(const char *name)
{
	return offset_of(dlsym(RTLD_DEFAULT, name));
}

static void expect_function(const struct binary *bin, const char *name, u64 want)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	u64 offset = 0;

	if (!CHECK_INT(binary_function(bin, name, &offset, &diag), 0))
		fprintf(stderr, "\t%s: %s\n", name, diag.text);
	CHECK_INT(offset, want);
}

static void expect_no_function(const struct binary *bin, const char *name, int id)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	u64 offset;

	CHECK(binary_function(bin, name, &offset, &diag) < 0);
	CHECK_STR(skep_diag_name(diag.id), skep_diag_name(id));
}

static void test_functions(const struct binary *bin)
{
	void *old = dlvsym(RTLD_DEFAULT, "target_versioned", "TARGET_1");
	void *new = dlvsym(RTLD_DEFAULT, "target_versioned", "TARGET_2");
	struct vec offsets = VEC_INIT(u64);

	expect_function(bin, "target_add", offset_of_named("target_add"));
	expect_function(bin, "target_add@TARGET_1", offset_of_named("target_add"));
	expect_function(bin, "target_versioned", offset_of(new));
	expect_function(bin, "target_versioned@TARGET_1", offset_of(old));
	expect_function(bin, "target_versioned@@TARGET_2", offset_of(new));
	CHECK(old != new);
	expect_no_function(bin, "target_add@TARGET_2", DIAG_NO_BINARY_FUNCTION);
	expect_no_function(bin, "target_ad", DIAG_NO_BINARY_FUNCTION);
	expect_no_function(bin, "target_add_", DIAG_NO_BINARY_FUNCTION);
	expect_no_function(bin, "", DIAG_NO_BINARY_FUNCTION);
	expect_no_function(bin, "dlopen", DIAG_NO_BINARY_FUNCTION);
	expect_no_function(bin, "target_chosen", DIAG_INDIRECT_FUNCTION);
	expect_no_function(bin, "target_changed", DIAG_INDIRECT_FUNCTION);
	expect_function(bin, "target_changed@TARGET_1",
			offset_of(dlvsym(RTLD_DEFAULT, "target_changed", "TARGET_1")));

	CHECK_INT(binary_functions(bin, "target_add*", &offsets, NULL), 0);
	CHECK_INT(offsets.len, 2);
	CHECK(load_u64(vec_at(&offsets, 0)) < load_u64(vec_at(&offsets, 1)));
	vec_clear(&offsets);
	CHECK_INT(binary_functions(bin, "no_*", &offsets, NULL), -ENOENT);
	vec_fini(&offsets);
}

static void test_usdt(const struct binary *bin)
{
	struct vec sites = VEC_INIT(struct usdt_site);
	const struct usdt_site *site;

	CHECK_INT(binary_usdt(bin, "skep", "plain", &sites, NULL), 0);
	if (CHECK_INT(sites.len, 1)) {
		u64 start = offset_of_named("target_probe");

		site = vec_at(&sites, 0);
		CHECK(site->offset >= start && site->offset < start + 64);
		CHECK_INT(site->semaphore, 0);
		CHECK(!strncmp(site->args, "-4@", 3) && strstr(site->args, " 8@"));
	}
	usdt_sites_fini(&sites);
	CHECK_INT(binary_usdt(bin, "skep", "counted", &sites, NULL), 0);
	if (CHECK_INT(sites.len, 2)) {
		site = vec_at(&sites, 0);
		CHECK(site[0].semaphore && site[0].semaphore == site[1].semaphore);
		CHECK(site[0].offset < site[1].offset);
		CHECK(strstr(site[1].args, "7 8@"));
	}
	usdt_sites_fini(&sites);
	CHECK_INT(binary_usdt(bin, "skep", "other", &sites, NULL), -ENOENT);
	CHECK_INT(binary_usdt(bin, "pecs", "plain", &sites, NULL), -ENOENT);
	usdt_sites_fini(&sites);
}

/* ---- arguments of probes ---- */

static void test_arguments(void)
{
	struct usdt_spec s;

	CHECK_INT(usdt_parse_args("", EM_X86_64, &s, NULL), 0);
	CHECK_INT(s.n_args, 0);
	CHECK_INT(usdt_parse_args("-4@%edi 8@-16(%rbp) -2@$-9 1@%r15b  8@(%rsp) "
				  "4@8(%rax,%rbx,4) 8@(%rdi,%r9)",
				  EM_X86_64, &s, NULL),
		  0);
	CHECK_INT(s.n_args, 7);
	CHECK(s.args[0].type == USDT_REG && s.args[0].reg == 14 * 8);
	CHECK(s.args[0].is_signed && s.args[0].shift == 32);
	CHECK(s.args[1].type == USDT_REG_DEREF && s.args[1].reg == 4 * 8);
	CHECK_INT((s64)s.args[1].value, -16);
	CHECK(!s.args[1].is_signed && s.args[1].shift == 0);
	CHECK(s.args[2].type == USDT_CONST && s.args[2].shift == 48);
	CHECK_INT((s64)s.args[2].value, -9);
	CHECK(s.args[3].type == USDT_REG && s.args[3].reg == 0 && s.args[3].shift == 56);
	CHECK(s.args[4].type == USDT_REG_DEREF && s.args[4].reg == 19 * 8);
	CHECK_INT(s.args[4].value, 0);
	CHECK_INT(s.args[5].type, USDT_SIB | (5 * 8) << 8 | 2 << 20);
	CHECK(s.args[5].reg == 10 * 8 && s.args[5].value == 8);
	CHECK_INT(s.args[6].type, USDT_SIB | (8 * 8) << 8);

	CHECK_INT(usdt_parse_args("-4@w3 8@x30 8@[x0] -8@[sp, 16] 4@[x29,-8] 4@-7",
				  EM_AARCH64, &s, NULL),
		  0);
	CHECK_INT(s.n_args, 6);
	CHECK(s.args[0].type == USDT_REG && s.args[0].reg == 24);
	CHECK_INT(s.args[1].reg, 240);
	CHECK(s.args[2].type == USDT_REG_DEREF && !s.args[2].value);
	CHECK(s.args[3].reg == 248 && s.args[3].value == 16);
	CHECK_INT((s64)s.args[4].value, -8);
	CHECK(s.args[5].type == USDT_CONST && (s64)s.args[5].value == -7);
}

static void test_bad_arguments(void)
{
	static const char *const x86[] = {
		"4",
		"4@",
		"3@%eax",
		"@%eax",
		"4@%eaxx",
		"4@%",
		"4@eax",
		"4@$",
		"4@$x",
		"4@8(%rax",
		"4@8(rax)",
		"4@(%rax,%rbx,3)",
		"4@(%rax,)",
		"4@%eax,%ebx",
		"8f@%xmm0",
		"4@target(%rip)",
		"4@%ah",
		"16@%rax",
		"-@%eax",
		"4@-(%rax)",
		"99999999999999999999@%eax",
		"4@$99999999999999999999",
		"4@",
		"4@%eax8@%rax",
		"4@(,%rbx,4)",
	};
	static const char *const arm[] = {
		"4@x31",      "4@[x0", "4@[x0, ]", "4@y0", "4@x0]",
		"4@[sp, x1]", "4@xx",  "4@%rax",   "4@d0",
	};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct usdt_spec s;

	for (size_t i = 0; i < ARRAY_SIZE(x86); i++)
		if (!CHECK_INT(usdt_parse_args(x86[i], EM_X86_64, &s, NULL), -ENOTSUP))
			fprintf(stderr, "\t%s\n", x86[i]);
	for (size_t i = 0; i < ARRAY_SIZE(arm); i++)
		if (!CHECK_INT(usdt_parse_args(arm[i], EM_AARCH64, &s, NULL), -ENOTSUP))
			fprintf(stderr, "\t%s\n", arm[i]);
	CHECK_INT(usdt_parse_args("4@1 4@1 4@1 4@1 4@1 4@1 4@1 4@1 4@1 4@1 4@1 4@1 4@1",
				  EM_AARCH64, &s, NULL),
		  -E2BIG);
	CHECK_INT(usdt_parse_args("4@r3", EM_PPC64, &s, NULL), -ENOTSUP);
	CHECK_INT(usdt_parse_args("8@%rax 4@%what", EM_X86_64, &s, &diag), -ENOTSUP);
	CHECK_STR(
		diag.text,
		"argument 2 of the USDT probe is where BPF does not reach: \"4@%what\"");
}

/* ---- finding files ---- */

static void test_paths(void)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	char *path;

	CHECK_INT(binary_path("./x", &path, NULL), 0);
	CHECK_STR(path, "./x");
	free(path);
	/* an emulator has another machine's libraries elsewhere */
	if (!check_is_emulated()) {
		if (CHECK_INT(binary_path("libc.so.6", &path, NULL), 0))
			CHECK(path[0] == '/' && !access(path, R_OK));
		free(path);
	}
	if (CHECK_INT(binary_path("sh", &path, NULL), 0))
		CHECK(path[0] == '/' && !access(path, X_OK));
	free(path);
	CHECK_INT(binary_path("libnone.so", &path, &diag), -ENOENT);
	CHECK_STR(diag.text, "there is no library \"libnone.so\" in the usual folders");
	setenv("PATH", ":/nowhere::", 1);
	CHECK_INT(binary_path("no-such-program", &path, NULL), -ENOENT);
	if (CHECK_INT(binary_path("env", &path, NULL), 0))
		CHECK_STR(path, "/usr/bin/env");
	free(path);
}

static void expect_unopened(const char *path, int err)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct binary bin;

	CHECK_INT(binary_open(path, &bin, &diag), err);
	CHECK(diag.text[0] && !strcmp(diag.where, path));
	CHECK_INT(diag.err, err);
}

static void test_not_binaries(void)
{
	expect_unopened("/no/such/file", -ENOENT);
	expect_unopened("/usr", -ENOEXEC);
	expect_unopened("/dev/zero", -ENOEXEC);
	expect_unopened("/proc/self/maps", -ENOEXEC);
	expect_unopened("/etc/passwd", -ENOEXEC);
}

/* ---- files that lie ---- */

struct scratch {
	int fd;
	char path[64];
};

static void ask_everything(const char *path)
{
	struct vec sites = VEC_INIT(struct usdt_site), offsets = VEC_INIT(u64);
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct binary bin;
	u64 offset;
	int err = binary_open(path, &bin, &diag);

	CHECK(!err == !diag.id);
	if (err)
		return;
	binary_function(&bin, "target_add", &offset, NULL);
	binary_function(&bin, "target_versioned@TARGET_1", &offset, NULL);
	err = binary_functions(&bin, "*a*", &offsets, &diag);
	CHECK(!err == !diag.id);
	diag_clear(&diag);
	err = binary_usdt(&bin, "skep", "counted", &sites, &diag);
	CHECK(!err == !diag.id);
	usdt_sites_fini(&sites);
	vec_fini(&offsets);
	binary_close(&bin);
}

static void put(const struct scratch *s, u64 at, const void *data, size_t len)
{
	CHECK_INT(pwrite(s->fd, data, len, (off_t)at), len);
}

/* The section of that type, as it stands in the file. */
static u64 section_at(const struct file *file, u32 type)
{
	const Elf64_Ehdr *eh = (const void *)file->data;

	for (u32 i = 1; i < eh->e_shnum; i++) {
		u64 at = eh->e_shoff + i * sizeof(Elf64_Shdr);

		if (((const Elf64_Shdr *)(file->data + at))->sh_type == type)
			return at;
	}
	return 0;
}

/* Each size of the file, from the end. */
static void test_truncated(const struct scratch *s, const struct file *file)
{
	for (u64 len = file->len; len--;) {
		CHECK_INT(ftruncate(s->fd, (off_t)len), 0);
		ask_everything(s->path);
	}
	put(s, 0, file->data, file->len);
}

/* Headers and tables with all bits set, byte by byte and word by word. */
static void test_spoiled(const struct scratch *s, const struct file *file)
{
	static const u32 types[] = {SHT_DYNSYM, SHT_SYMTAB, SHT_GNU_versym,
				    SHT_GNU_verdef, SHT_NOTE};
	const Elf64_Ehdr *eh = (const void *)file->data;
	u64 ends[] = {sizeof(*eh) + eh->e_phnum * sizeof(Elf64_Phdr), file->len};
	u64 starts[] = {0, eh->e_shoff};

	for (size_t part = 0; part < 2; part++) {
		for (u64 at = starts[part]; at < ends[part]; at++) {
			u8 flipped = (u8)~file->data[at];

			put(s, at, &flipped, 1);
			ask_everything(s->path);
			put(s, at, file->data + at, 1);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		u64 at = section_at(file, types[i]);
		Elf64_Shdr sh;

		memcpy(&sh, file->data + at, sizeof(sh));
		for (u64 o = sh.sh_offset;
		     o < sh.sh_offset + sh.sh_size && o < file->len - 4; o += 4) {
			put(s, o, "\xff\xff\xff\xff", 4);
			ask_everything(s->path);
			put(s, o, file->data + o, 4);
		}
	}
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Sections as large as they can be said to be, in a file that is mostly a hole. */
static void test_enormous(const struct scratch *s, const struct file *file)
{
	static const u64 sizes[] = {1ull << 30, 1ull << 40, 1ull << 62, ~0ull,
				    ~0ull - 23};
	u64 symbols = section_at(file, SHT_DYNSYM);
	double start = seconds();

	CHECK_INT(ftruncate(s->fd, 1ll << 26), 0);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		put(s, symbols + offsetof(Elf64_Shdr, sh_size), &sizes[i], 8);
		ask_everything(s->path);
	}
	CHECK(CHECK_IS_SANITIZED || check_is_emulated() || seconds() - start < 10);
}

static void test_hostile(const char *path)
{
	struct scratch s = {.fd = memfd_create("hostile", MFD_CLOEXEC)};
	struct file file;

	if (!CHECK_INT(file_read(path, &file, NULL), 0) || !CHECK(s.fd >= 0))
		return;
	snprintf(s.path, sizeof(s.path), "/proc/self/fd/%d", s.fd);
	put(&s, 0, file.data, file.len);
	test_truncated(&s, &file);
	test_spoiled(&s, &file);
	test_enormous(&s, &file);
	close(s.fd);
	file_fini(&file);
}

int main(void)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct binary bin;
	Dl_info info;

	test_globs();
	test_arguments();
	test_bad_arguments();
	test_paths();
	test_not_binaries();
	CHECK_INT(target_add(1, 2), 3);
	if (!CHECK(dladdr(dlsym(RTLD_DEFAULT, "target_add"), &info)))
		return check_report();
	if (CHECK_INT(binary_open(info.dli_fname, &bin, &diag), 0)) {
		test_functions(&bin);
		test_usdt(&bin);
		binary_close(&bin);
	}
	test_hostile(info.dli_fname);
	return check_report();
}
