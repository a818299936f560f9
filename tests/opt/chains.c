/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checksums made bit by bit, in all ways that we know to write them and with all sorts of
 * things in between: what the passes make of them must be what they are.
 *
 * A program is up to twelve steps on one number: a shift, and a constant if a bit is set,
 * by a jump or by a mask.  In some a step is another one than the others, looks at
 * another bit or does something that is not linear, or a number on the way is needed at
 * the end.  In some the number comes from a block that stands behind.
 */
#include "check.h"
#include "opt/written.h"
#include "world/random.h"

enum form {
	BY_JUMP,
	BY_SIGN,
	BY_EITHER,
	BY_MASK,
	BY_SHIFTED_MASK,
	BY_PRODUCT,
	BY_DIFFERENCE,
	BY_ANY, /* this bit or another one */
	FORMS,
	/* these are not linear: by two bits, a sign and more, a shift of one side,
	 * products of two bits, of the number with itself ... */
	NO_SINGLE_BIT = FORMS,
	NO_SINGLE_MASK,
	NO_SIGN,
	NO_SIGN_EITHER,
	NO_BOUND,
	NO_COMMON_SHIFT,
	NO_PRODUCT,
	NO_DIFFERENCE,
	NO_CONSTANT,
	ALL_FORMS
};

struct step {
	char width; /* of registers: 'r', 'w' */
	u8 form;
	u8 bit;
	bool left;
	s32 change;
};

/* Instructions with %w for the width, %s for the shift, %b for the bit, %u for how far it
 * is from the highest one, %h for the number of that, %c for the change, %l and %m for
 * labels. */
static void write_form(struct generator *g, const char *form, const struct step *s)
{
	u32 highest = s->width == 'r' ? 63 : 31;

	for (; *form; form++) {
		if (*form != '%') {
			text_write(&g->text, form, 1);
			continue;
		}
		switch (*++form) {
		case 'w': text_write(&g->text, &s->width, 1); break;
		case 's': text_puts(&g->text, s->left ? "<<= 1" : ">>= 1"); break;
		case 'b': text_printf(&g->text, "%u", s->bit); break;
		case 'u': text_printf(&g->text, "%u", highest - s->bit); break;
		case 'h': text_printf(&g->text, "%u", highest); break;
		case 'c': text_printf(&g->text, "%d", s->change); break;
		default: text_printf(&g->text, "%c%u", *form, g->labels); break;
		}
	}
	g->labels++;
}

/* R2 is the number. */
static void write_step(struct generator *g, const struct step *s)
{
	static const char *const forms[ALL_FORMS] = {
		[BY_JUMP] =
			"%w3 = %w2\n%w3 >>= %b\n%w3 &= 1\n%w2 %s\nif %w3 == 0 goto %l\n"
			"%w2 ^= %c\n%l:\n",
		[BY_SIGN] = "%w3 = %w2\n%w3 <<= %u\n%w2 %s\nif %w3 s>= 0 goto %l\n"
			    "%w2 ^= %c\n%l:\n",
		[BY_EITHER] = "%w3 = %w2\n%w3 >>= %b\n%w3 &= 1\nif %w3 != 0 goto %l\n"
			      "%w2 %s\ngoto %m\n%l:\n%w2 %s\n%w2 ^= %c\n%m:\n",
		[BY_MASK] = "%w3 = %w2\n%w3 >>= %b\n%w3 &= 1\n%w3 = -%w3\n%w3 &= %c\n"
			    "%w2 %s\n%w2 ^= %w3\n",
		[BY_SHIFTED_MASK] = "%w3 = %w2\n%w3 <<= %u\n%w3 s>>= %h\n%w3 &= %c\n"
				    "%w2 %s\n%w2 ^= %w3\n",
		[BY_PRODUCT] = "%w3 = %w2\n%w3 >>= %b\n%w3 &= 1\n%w3 *= %c\n%w2 %s\n"
			       "%w2 ^= %w3\n",
		[BY_DIFFERENCE] = "%w3 = %w2\n%w3 >>= %b\n%w3 &= 1\n%w5 = 5\n%w5 -= %w3\n"
				  "%w2 %s\n%w2 ^= %w5\n",
		[BY_ANY] = "%w3 = %w2\n%w2 %s\nif %w3 & 16 goto %l\n%w2 ^= %c\n%l:\n",
		[NO_SINGLE_BIT] = "%w3 = %w2\n%w3 &= 3\n%w2 %s\nif %w3 == 0 goto %l\n"
				  "%w2 ^= %c\n%l:\n",
		[NO_SINGLE_MASK] =
			"%w3 = %w2\n%w2 %s\nif %w3 & 5 goto %l\n%w2 ^= %c\n%l:\n",
		[NO_SIGN] = "%w3 = %w2\n%w2 %s\nif %w3 s> 5 goto %l\n%w2 ^= %c\n%l:\n",
		[NO_SIGN_EITHER] =
			"%w3 = %w2\n%w2 %s\nif %w3 s< 77 goto %l\n%w2 ^= %c\n%l:\n",
		[NO_BOUND] = "%w3 = %w2\n%w3 &= 7\n%w2 %s\nif %w3 < 3 goto %l\n%w2 ^= "
			     "%c\n%l:\n",
		[NO_COMMON_SHIFT] =
			"%w3 = %w2\n%w3 >>= %b\n%w3 &= 1\nif %w3 == 0 goto %l\n"
			"%w2 %s\n%w2 ^= %c\n%l:\n",
		[NO_PRODUCT] = "%w3 = %w2\n%w3 >>= %b\n%w3 &= 3\n%w3 *= %c\n%w2 %s\n"
			       "%w2 ^= %w3\n",
		[NO_DIFFERENCE] = "%w3 = %w2\n%w3 &= 6\n%w5 = 5\n%w5 -= %w3\n%w2 %s\n"
				  "%w2 ^= %w5\n",
		[NO_CONSTANT] = "%w3 = %w2\n%w3 >>= 1\n%w3 &= %w2\n%w2 %s\n%w2 ^= %w3\n",
	};

	write_form(g, forms[s->form], s);
}

static u8 any_bit(struct generator *g, const struct step *s)
{
	static const u8 tops[] = {31, 7, 15, 63};

	if (one_in(g, 12))
		return (u8)below(g, s->width == 'r' ? 64 : 32);
	return s->left ? tops[below(g, s->width == 'r' ? 4 : 3)] : 0;
}

static struct step any_step(struct generator *g)
{
	struct step s = {.width = one_in(g, 2) ? 'r' : 'w',
			 .form = (u8)below(g, FORMS),
			 .left = one_in(g, 2),
			 .change = (s32)random_next(&g->state)};

	s.bit = any_bit(g, &s);
	return s;
}

static void write_program(struct generator *g)
{
	static const char *const loads[] = {"u64", "u32", "u16", "u8"};
	static const char *const others[] = {
		"r2 ^= 0x1234567\n", "r2 &= 0xffff\n",
		"w2 = w2\n",         "r4 += r2\n",
		"r2 += 3\n",         "r2 = (s16)r2\n",
		"r2 *= 2\n",         "r2 = bswap64 r2\n",
		"w2 = -w2\n",        "r2 |= 0x100\n",
		"r2 = r4\n",         "r4 ^= r2\n",
		"w2 s>>= 3\n",       "*(u64 *)(r1 + 0) = r2\n"};
	const char *load = loads[below(g, ARRAY_SIZE(loads))];
	struct step step = any_step(g);
	bool behind = one_in(g, 8);

	text_puts(&g->text, "r4 = 0\n");
	if (behind)
		text_puts(&g->text, "if r1 != 0 goto load\nr0 = 0\nexit\nchain:\n");
	else
		text_printf(&g->text, "r2 = *(%s *)(r1 + 0)\n", load);
	for (u32 n = 4 + below(g, 9); n--;) {
		struct step other = any_step(g), same = step;

		if (one_in(g, 4))
			same.form = other.form;
		else if (one_in(g, 20))
			same.form = (u8)(FORMS + below(g, ALL_FORMS - FORMS));
		write_step(g, one_in(g, 40) ? &other : &same);
		if (one_in(g, 40))
			text_puts(&g->text, others[below(g, ARRAY_SIZE(others))]);
	}
	text_puts(&g->text, "r0 = r2\nr0 ^= r4\nexit\n");
	if (behind)
		text_printf(&g->text,
			    "load:\nr2 = *(%s *)(r1 + 0)\nif r2 == 0 goto chain\n"
			    "r4 = *(u8 *)(r1 + 1)\ngoto chain\n",
			    load);
}

/* Only what chains become asks for single bits so. */
static u32 find_chain(const struct compiled *c)
{
	u32 n = 0;

	for (u32 i = 0; i < c->irs[0].n_insns; i++)
		n += c->irs[0].insns[i].op == IR_CMP &&
		     c->irs[0].insns[i].row == JMP_JSET;
	return n > 2;
}

int main(int argc, char **argv)
{
	const struct written test = {.write = write_program,
				     .find = find_chain,
				     .programs = CHECK_IS_SANITIZED ? 1000 : 6000,
				     .inputs = 16,
				     .one_in = {4}};

	return written_main(&test, argc, argv);
}
