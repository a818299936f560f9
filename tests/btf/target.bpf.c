/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The types of another kernel, as core.c in this folder sees them: beside each, what
 * changed since local.bpf.c.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

struct inner {
	int x;
	char more[12];
	int y;
};
typedef struct inner inner_t;

struct plain {
	u32 first;
	u64 new_one;
	u32 moved;
	struct inner in;
	struct inner many[4];
	u64 grown;
	u16 shrunk;
	int signed_grown;
	void *pointer;
	u32 now_array[2];
	int bits : 7;
	u32 more_bits : 10;
	u32 now_bits : 3;
	union {
		struct {
			u16 padding;
			u32 in_anonymous;
		};
		u64 word;
	};
	u32 was_anonymous;
	char text[16];
	u32 tail[];
};

struct twice {
	u32 same;
	u32 other;
};
struct twice___second {
	u32 same;
	u32 between, only_in_second;
	u32 other;
};

struct either {
	int a;
};
typedef int (*callback_t)(struct inner *, int);
enum color { RED = 1, GREEN = 2, YELLOW = 3, BLUE = 4 };
enum wide { WIDE = 0x1122334455667789 };
struct nowhere_else;
struct matching {
	enum color color;
	struct nowhere *unknown_behind_pointer;
	int numbers[3];
	callback_t callback;
	int more;
};
struct not_matching {
	unsigned int a;
};

struct plain plain;
struct twice twice;
struct twice___second second;
struct either either;
inner_t inner;
callback_t callback;
enum color color;
enum wide wide;
struct matching matching;
struct not_matching not_matching;
