/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engines as the benchmark sees them: an object opened once, run many times on raw
 * memory.
 */
#ifndef SKEP_BENCH_ENGINES_H
#define SKEP_BENCH_ENGINES_H

#include "exec/exec.h"

enum { BENCH_ENGINES = 8 };

struct bench_image;

/* FOLDER/NAME.bpf.o, ready to run; NULL when it cannot be, and standard error says why.
 */
struct bench_image *bench_open(const char *folder, const char *name);
/* Of a program that lives as long as the image. */
struct bench_image *bench_of(const struct prog *prog, const struct jit_opts *jit);
void bench_close(struct bench_image *image);
const struct prog *bench_prog(const struct bench_image *image);

/* The name of an engine, NULL behind the last. */
const char *bench_engine(u32 engine);

/* R0 of one run with r1 = mem and r2 = len.  A run that fails ends the process. */
u64 bench_run(struct bench_image *image, u32 engine, void *mem, u64 len);

#endif
