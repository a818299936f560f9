/* SPDX-License-Identifier: BSD-2-Clause */
/* A small stack machine: one switch an instruction, hard to predict. */
#include "bench.h"

enum {
	ADD,
	SUB,
	XOR,
	SHIFT,
	SWAP,
	MULTIPLY,
	PUSH,
	NEGATE,
	ROTATE,
	AND,
	OR,
	INCREMENT,
	OPCODES
};

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *code = mem;
	u64 n = input_size(len), a = 1, b = 2, other;

	for (u64 pc = 0; pc < n; pc++) {
		switch (code[pc] % OPCODES) {
		case ADD: a += b; break;
		case SUB: a -= b; break;
		case XOR: a ^= b; break;
		case SHIFT: a = a << 3 | b >> 7; break;
		case SWAP:
			other = a;
			a = b;
			b = other;
			break;
		case MULTIPLY: a *= b | 1; break;
		case PUSH: b = a + pc; break;
		case NEGATE: a = ~a; break;
		case ROTATE: b = rotate64(b, 13); break;
		case AND: b = (a & b) + 1; break;
		case OR: b |= a >> 1; break;
		case INCREMENT: a++; break;
		}
	}
	return a ^ b;
}
