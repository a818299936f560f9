/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An object: an ELF file with programs, maps and types, as clang -target bpf makes it.
 *
 * Its life: open (read and linked, nothing exists yet), set variables and choose
 * programs, load (fitted to a target, maps created, programs made ready), run, close.
 */
#ifndef SKEP_OBJECT_H
#define SKEP_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <skep/diag.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An object.  One thread at a time may open, set, load and close it; once it is loaded,
 * any number of threads may run its programs and use its maps. */
struct skep_object;

struct skep_map;
struct skep_prog;
struct skep_target;
struct skep_world;

/** Who can be told about native code.  gdb shows functions and source lines of programs,
 * and what called them, without any setup; it costs a few microseconds and kilobytes for
 * each program. "perf report" reads /tmp/perf-PID.map by itself; jit-PID.dump, in the
 * working directory, is for "perf record -k mono" and "perf inject --jit". */
enum {
	SKEP_TELL_GDB = 1,
	SKEP_TELL_PERF_MAP = 2,
	SKEP_TELL_PERF_DUMP = 4,
};

/** How to open an object; zeroes are the defaults. */
struct skep_object_opts {
	const char *name; /**< for messages; NULL: the path, or "object" for memory */
	/** "jit" (programs are verified when they are loaded, as Linux does it, compiled
	 * to native code, and run without checks), "interp" (the same, interpreted),
	 * "checked" (nothing is verified but programs with an arena; every access is
	 * checked while the program runs)
	 * or "kernel" (Linux verifies, compiles and runs it; maps are the kernel's).
	 * NULL: "jit" on x86-64 and aarch64, elsewhere "interp" */
	const char *engine;
	/** "CONFIG_X=y" lines, as in /boot/config-*, for externs of .kconfig; only read
	 * while the object is opened; NULL: only weak ones and LINUX_* have values */
	const char *kconfig;
	/** borrowed, must outlive the object; NULL: the machine, with a CPU for each one
	 * that is online */
	struct skep_world *world;
	/** instructions that one run may take under "checked"; a byte that kfuncs for
	 * strings read is one, too; 0: 100,000,000 */
	uint64_t max_steps;
	/** nanoseconds that one run may take under "checked" and "jit"; 0: no limit.
	 * "jit" needs a thread to watch the time, which the object starts when it is
	 * loaded and ends when it is closed; a child that fork() makes has none */
	uint64_t max_ns;
	/** "jit": constants of programs do not stand in the code as they are, and it is
	 * only entered at marked places, so that somebody who can have code compiled
	 * cannot choose its bytes */
	bool harden;
	/** programs are judged as Linux judges those of loaders without CAP_BPF, and
	 * harden is on; not for "kernel", where the rights of the process count */
	bool unprivileged;
	/** "jit": who is told where the code of programs lies, what it is called and
	 * which source lines it comes from: SKEP_TELL_*; 0: nobody */
	unsigned int tell;
	/** "checked" only: programs are verified when they are loaded, and before each
	 * instruction the engine asserts that every register holds what the verifier
	 * claimed; for finding mistakes of skep itself */
	bool check_claims;
};

/**
 * Opens an object file.
 * @param path the file; "-" is standard input
 * @param opts NULL: all defaults; copied
 * @param obj out; closed by skep_object_close()
 * @param diag why it failed, with the place in the file; may be NULL
 * @return 0; the errno of reading the file; -EINVAL and others for a file that is not
 *         what it claims to be; -ENOMEM. Objects are read as libbpf reads them (section
 *         names, map definitions, relocations). Thread-safe.
 */
int skep_object_open(const char *path, const struct skep_object_opts *opts,
		     struct skep_object **obj, struct skep_diag *diag);

/**
 * Opens an object in memory; otherwise as skep_object_open().
 * @param data the bytes of the ELF file; copied, not needed after the call
 * @param size how many
 */
int skep_object_open_memory(const void *data, size_t size,
			    const struct skep_object_opts *opts, struct skep_object **obj,
			    struct skep_diag *diag);

/** Frees the object, its programs and its maps.  No program may be running.  NULL is
 * fine. */
void skep_object_close(struct skep_object *obj);

/** The name that messages use; lives as long as the object. */
const char *skep_object_name(const struct skep_object *obj);

/**
 * Sets a global variable.
 * @param name as in the source: of .rodata, .data, .bss (or their named relatives) or
 *         .kconfig
 * @param value `size` bytes in the host's byte order; copied
 * @param size exactly the size of the variable
 * @param diag may be NULL
 * @return 0; -ENOENT when there is no such variable, -EINVAL when the size differs,
 *         -EPERM for constants (.rodata, .kconfig) of a loaded object. After loading,
 *         the bytes are written while programs may run.
 */
int skep_object_set_var(struct skep_object *obj, const char *name, const void *value,
			size_t size, struct skep_diag *diag);

/**
 * Reads a global variable: before loading its initial value, afterwards what programs
 * see. Parameters and result as for skep_object_set_var(), with value as the destination.
 */
int skep_object_get_var(const struct skep_object *obj, const char *name, void *value,
			size_t size, struct skep_diag *diag);

/**
 * Loads: resolves what needs the target, creates the maps with their initial contents,
 * freezes constants, makes the chosen programs ready to run.
 * @param target borrowed, must outlive the object; NULL: "linux" with the types of the
 *         running kernel
 * @param diag why it failed, with the program or map; may be NULL
 * @return 0; -EBUSY when it is loaded already; -EINVAL for a program that is not well
 *         formed; what Linux returns (-EACCES, -EINVAL, -E2BIG, -EPERM, ...) for a
 *         program that its verifier rejects, with the reason in diag; -ENOTSUP for what skep does not offer yet (the text names the map
 *         type, helper or kfunc); the errno of creating the map; -ENOMEM. After an error
 *         the object is as before the call: deselect the program (skep_prog_select())
 *         and try again.
 */
int skep_object_load(struct skep_object *obj, const struct skep_target *target,
		     struct skep_diag *diag);

/** The program with that name, or NULL.  Lives as long as the object.  Thread-safe. */
struct skep_prog *skep_object_find_prog(struct skep_object *obj, const char *name);

/** The program after prev in the order of the file; prev NULL: the first; NULL after the
 * last. */
struct skep_prog *skep_object_next_prog(struct skep_object *obj,
					const struct skep_prog *prev);

/** The map with that name, or NULL.  Lives as long as the object.  Thread-safe. */
struct skep_map *skep_object_find_map(struct skep_object *obj, const char *name);

/** The map after prev in the order of the file; prev NULL: the first; NULL after the
 * last.
 */
struct skep_map *skep_object_next_map(struct skep_object *obj,
				      const struct skep_map *prev);

#ifdef __cplusplus
}
#endif
#endif
