/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strings at addresses that nobody judged: each byte is read as bpf_probe_read() reads,
 * so that a wrong address is an answer.  As in Linux no string is longer than 64 KiB; to
 * look for one in another still takes long, so each byte that is read counts as a step,
 * and a run that must end reads no more.
 */
#include <string.h>

#include "base/bytes.h"
#include "helpers/bodies.h"
#include "helpers/chars.h"

enum { STRING_MAX = 65536, CHUNK = 64 };

struct string {
	struct run *run;
	u64 addr;
	u64 from; /* of the bytes in hand; addr of a chunk, or 1: none */
	char bytes[CHUNK];
};

static struct string string_at(struct run *run, u64 addr)
{
	return (struct string){.run = run, .addr = addr, .from = 1};
}

/* Neither NULL nor near it; Linux takes no address of user space. */
static bool is_address(u64 addr)
{
	return addr >= 4096;
}

/* Others may have set run->err, too: the watchdog. */
static bool goes_on(struct run *run)
{
	if (run->spend)
		run->spend(run, CHUNK);
	return !__atomic_load_n(&run->err, __ATOMIC_RELAXED);
}

static bool chunk_at(struct string *s, u64 from)
{
	struct world *world = s->run->world;
	bool there = !world->ops->read_memory(world, s->bytes, CHUNK, from);

	s->from = there ? from : 1;
	return there;
}

/* false: there is no such byte, or the run must end.  What memory there is may begin and
 * end within a chunk. */
static bool byte_of(struct string *s, u64 i, char *byte)
{
	u64 at = s->addr + i, from = at - at % CHUNK;
	struct world *world = s->run->world;

	if (s->from != from) {
		if (!goes_on(s->run))
			return false;
		if (!chunk_at(s, from))
			return !world->ops->read_memory(world, byte, 1, at);
	}
	*byte = s->bytes[at - from];
	return true;
}

/* ---- comparing ---- */

static char lower(char c)
{
	/* as Linux, which knows Latin-1 */
	u8 u = (u8)c;
	bool upper = (u >= 'A' && u <= 'Z') || (u >= 0xc0 && u <= 0xde && u != 0xd7);

	return (char)(upper ? u + 32 : u);
}

static s64 compare(struct run *run, u64 a, u64 b, bool ignore_case)
{
	struct string s = string_at(run, a), t = string_at(run, b);

	if (!is_address(a) || !is_address(b))
		return -ERANGE;
	for (u32 i = 0; i < STRING_MAX; i++) {
		char c, d;

		if (!byte_of(&s, i, &c) || !byte_of(&t, i, &d))
			return -EFAULT;
		if (ignore_case) {
			c = lower(c);
			d = lower(d);
		}
		if (c != d)
			return (u8)c < (u8)d ? -1 : 1; /* as Linux has its char */
		if (!c)
			return 0;
	}
	return -E2BIG;
}

KFUNC(bpf_strcmp)
{
	return answer_int(compare(run, r1, r2, false));
}

KFUNC(bpf_strcasecmp)
{
	return answer_int(compare(run, r1, r2, true));
}

/* ---- looking for a character ---- */

enum find_how { FIND_FIRST, FIND_OR_END, FIND_LAST };

static s64 find_char(struct run *run, u64 addr, char c, enum find_how how)
{
	struct string s = string_at(run, addr);
	s64 last = -ENOENT;

	if (!is_address(addr))
		return -ERANGE;
	for (u32 i = 0; i < STRING_MAX; i++) {
		char at;

		if (!byte_of(&s, i, &at))
			return -EFAULT;
		if (at == c)
			last = i;
		if (at == c && how != FIND_LAST)
			return last;
		if (!at)
			return how == FIND_OR_END ? (s64)i : last;
	}
	return -E2BIG;
}

KFUNC(bpf_strchr)
{
	return answer_int(find_char(run, r1, (char)r2, FIND_FIRST));
}

KFUNC(bpf_strchrnul)
{
	return answer_int(find_char(run, r1, (char)r2, FIND_OR_END));
}

KFUNC(bpf_strrchr)
{
	return answer_int(find_char(run, r1, (char)r2, FIND_LAST));
}

KFUNC(bpf_strnchr)
{
	struct string s = string_at(run, r1);
	u32 i;

	if (!is_address(r1))
		return answer_int(-ERANGE);
	for (i = 0; i < r2 && i < STRING_MAX; i++) {
		char at;

		if (!byte_of(&s, i, &at))
			return answer_int(-EFAULT);
		if (at == (char)r3)
			return i;
		if (!at)
			return answer_int(-ENOENT);
	}
	return answer_int(i == STRING_MAX ? -E2BIG : -ENOENT);
}

/* ---- lengths ---- */

static s64 length(struct run *run, u64 addr, u64 size)
{
	struct string s = string_at(run, addr);
	u32 i;

	if (!is_address(addr))
		return -ERANGE;
	for (i = 0; i < size && i < STRING_MAX; i++) {
		char at;

		if (!byte_of(&s, i, &at))
			return -EFAULT;
		if (!at)
			return i;
	}
	return i == STRING_MAX ? -E2BIG : (s64)i;
}

KFUNC(bpf_strlen)
{
	return answer_int(length(run, r1, STRING_MAX));
}

KFUNC(bpf_strnlen)
{
	return answer_int(length(run, r1, r2));
}

/* A string as a set of characters; no more of it is read than somebody asks for. */
struct set {
	struct string string;
	u32 n; /* characters read */
	bool ended;
	bool has[256];
};

static s64 is_among(struct set *set, char c)
{
	while (!set->has[(u8)c] && !set->ended) {
		char at;

		if (set->n == STRING_MAX)
			return -E2BIG;
		if (!byte_of(&set->string, set->n++, &at))
			return -EFAULT;
		set->ended = !at;
		set->has[(u8)at] = at;
	}
	return set->has[(u8)c];
}

/* How many characters from the start are, or are not, in the set. */
static s64 span(struct run *run, u64 addr, u64 set_addr, bool in)
{
	struct set set = {.string = string_at(run, set_addr)};
	struct string s = string_at(run, addr);

	if (!is_address(addr) || !is_address(set_addr))
		return -ERANGE;
	for (u32 i = 0; i < STRING_MAX; i++) {
		char at;
		s64 among;

		if (!byte_of(&s, i, &at))
			return -EFAULT;
		if (!at)
			return i;
		among = is_among(&set, at);
		if (among < 0)
			return among;
		if (among != in)
			return i;
	}
	return -E2BIG;
}

KFUNC(bpf_strspn)
{
	return answer_int(span(run, r1, r2, true));
}

KFUNC(bpf_strcspn)
{
	return answer_int(span(run, r1, r2, false));
}

/* ---- looking for a string ---- */

enum { STARTS_NOT = 1, NO_MORE = 2 };

/* Does it start at i, in the first size characters?  0, one of these, or -errno. */
static s64 starts_at(struct string *s, struct string *part, u64 i, u64 size)
{
	for (u64 k = 0; k < STRING_MAX; k++) {
		char a, b;

		if (i + k > size)
			return NO_MORE;
		if (!byte_of(part, k, &b))
			return -EFAULT;
		if (!b)
			return 0;
		if (i + k == size)
			return NO_MORE;
		if (!byte_of(s, i + k, &a))
			return -EFAULT;
		if (!a)
			return NO_MORE;
		if (a != b)
			return STARTS_NOT;
	}
	return -E2BIG;
}

static s64 find_string(struct run *run, u64 addr, u64 part_addr, u64 size)
{
	struct string s = string_at(run, addr), part = string_at(run, part_addr);

	if (!is_address(addr) || !is_address(part_addr))
		return -ERANGE;
	for (u32 i = 0; i < STRING_MAX; i++) {
		s64 found = starts_at(&s, &part, i, size);

		if (found <= 0)
			return found ? found : i;
		if (found == NO_MORE)
			return -ENOENT;
	}
	return -E2BIG;
}

KFUNC(bpf_strstr)
{
	return answer_int(find_string(run, r1, r2, STRING_MAX));
}

KFUNC(bpf_strnstr)
{
	return answer_int(find_string(run, r1, r2, r3));
}
