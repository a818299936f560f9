/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Types that are hard to write as C: print.c in this folder prints what clang made of
 * them, and clang reads it again.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

struct packed {
	u8 a;
	u64 b;
	u16 c;
} __attribute__((packed));
struct overaligned {
	int a;
} __attribute__((aligned(64)));
struct holes {
	u8 a;
	u64 b __attribute__((aligned(32)));
	u8 c;
	struct overaligned d;
	u8 e;
} __attribute__((aligned(128)));
struct large_hole {
	u8 a;
	u8 b __attribute__((aligned(1024)));
};
struct bits {
	u32 a : 3;
	u32 : 7;
	u32 b : 5;
	u64 c : 40;
	u8 : 0;
	int d : 2;
	u16 e : 9;
	u8 f;
	enum { YES, NO } g : 1;
};
struct packed_bits {
	u32 a : 7;
	u32 b : 30;
	u8 c;
	u64 d : 33;
} __attribute__((packed));
struct only_padding {
	u64 : 64;
	u64 : 64;
};
union packed_union {
	u8 a;
	u32 b;
} __attribute__((packed));
struct misplaced {
	u8 a;
	struct packed b;
	union packed_union c;
	struct only_padding d;
};
struct anonymous {
	union {
		struct {
			int a, b;
		};
		struct {
			u8 bytes[8];
		} named;
		u64 word;
	};
	struct {
		int x;
	} points[2][3];
};
enum small { SMALL = 1 } __attribute__((packed));
enum negative { NEGATIVE = -1, POSITIVE = 1 };
enum unsigned_large { LARGE = 0xffffffff };
enum huge { HUGE = 0x8000000000000000ull, TINY = 1 };
enum huge_negative { LEAST = -0x7fffffffffffffffll };
struct enums {
	enum small small;
	u8 next;
	enum negative negative;
	enum unsigned_large large;
	enum huge huge;
	enum huge_negative huge_negative;
};
struct loop_b;
struct only_declared;
struct loop_a {
	struct loop_b *b;
	struct loop_a *self;
};
struct loop_b {
	struct loop_a a;
	struct loop_b **more;
};
typedef int (*compare_t)(const void *, const void *);
typedef compare_t (*chooser_t)(struct loop_a *, ...);
struct pointers {
	const char *const *volatile name;
	int (*array)[4];
	int *(*functions[3])(void (*)(int), struct only_declared *);
	chooser_t choose;
	const compare_t compare;
	const int numbers[2][3];
	int *const fixed[2];
	void (*none)(void);
	u8 (*(*deep)(void))[2];
};
struct flexible {
	u32 n;
	struct pointers items[];
};

struct packed packed;
struct holes holes;
struct large_hole large_hole;
struct bits bits;
struct packed_bits packed_bits;
struct misplaced misplaced;
struct anonymous anonymous;
struct enums enums;
struct loop_b loop;
struct pointers pointers;
struct flexible flexible;
