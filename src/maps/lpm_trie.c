/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LPM_TRIE: longest prefix match.  A binary trie with skipped levels: a node has the bits
 * that all below it share; inner nodes without a value stand only where two ways part.
 *
 * Writers hold the trie's lock and publish by single stores, so a walk sees a trie that
 * is whole, as long as no node it met is used anew.  Nodes that were taken out wait in
 * limbo; when nodes run out, the era number grows by one and limbo becomes free.  A walk
 * that began in another era than it ends in starts again.  So look-ups take no lock, and
 * write nothing; a process that dies in here leaves at worst nodes that nobody uses again
 * and a wrong count, which whoever inherits the lock makes right.
 *
 * Order of keys as in Linux: the more specific before the less specific.  Never
 * allocates after init.  See Documentation/bpf/map_lpm_trie.rst of Linux.
 */
#include "maps/family.h"

enum {
	PREFIXLEN = 4, /* bytes of a key before its data */
	DATA_MAX = 256,
	WORDS = DATA_MAX / 8,
	BITS_MAX = DATA_MAX * 8,
	SPARE_NODES = 64, /* that many removals an era at least */
};

/* Links are the number of a node plus one, 0: none. */
struct node {
	_Atomic u32 child[2];
	_Atomic u32 prefixlen;
	_Atomic u32 inner;  /* has no value */
	u32 next;           /* in limbo or free; guarded by lock */
	_Atomic u64 data[]; /* big-endian words; the value follows */
};

struct trie_state {
	_Atomic u32 lock;
	_Atomic u32 root;
	_Atomic u32 era;
	/* Guarded by lock. */
	u32 n_entries;
	u32 fresh; /* nodes from here on were never used */
	u32 free;  /* list */
	u32 limbo; /* list: taken out in this era */
};

struct trie {
	struct map map;
	u32 max_prefixlen, n_words;
	u32 n_nodes, node_size;
	u64 nodes_off;
	struct trie_state *state; /* in the region */
};

/* A key as the trie compares it. */
struct prefix {
	u32 len;
	u64 data[WORDS];
};

static struct trie *trie_of(const struct map *map)
{
	return container_of(map, struct trie, map);
}

static inline struct node *node_at(const struct trie *t, u32 link)
{
	return (struct node *)(t->map.region + t->nodes_off +
			       (u64)(link - 1) * t->node_size);
}

static inline u32 get(const _Atomic u32 *p)
{
	return atomic_load_explicit(p, memory_order_acquire);
}

static inline void set(_Atomic u32 *p, u32 v)
{
	atomic_store_explicit(p, v, memory_order_release);
}

static inline u64 get_word(const struct node *n, u32 i)
{
	return atomic_load_explicit(&n->data[i], memory_order_acquire);
}

static inline u64 big_endian(u64 word)
{
	return host_is_big_endian() ? word : __builtin_bswap64(word);
}

/* false: longer than any key of this map.  size is that of a key's data: a constant where
 * a look-up is made for one size. */
static ALWAYS_INLINE bool load_sized(const struct trie *t, const u8 *key, u32 size,
				     struct prefix *p)
{
	u32 i;

	p->len = load_u32(key);
	if (p->len > t->max_prefixlen)
		return false;
	key += PREFIXLEN;
	for (i = 0; size >= 8; i++, key += 8, size -= 8)
		p->data[i] = big_endian(load_u64(key));
	if (size)
		p->data[i] = big_endian(load_short(key, size));
	return true;
}

static bool load_prefix(const struct trie *t, const u8 *key, struct prefix *p)
{
	return load_sized(t, key, t->map.key_size - PREFIXLEN, p);
}

/* How many bits both have in common, at most limit. */
static inline u32 match(const struct node *n, const struct prefix *p, u32 limit)
{
	for (u32 i = 0; i * 64 < limit; i++) {
		u64 differ = p->data[i] ^ get_word(n, i);

		if (differ)
			return (u32)min_u64(i * 64 + (u32)__builtin_clzll(differ), limit);
	}
	return limit;
}

static inline u32 match_node(const struct node *n, const struct prefix *p)
{
	return match(n, p, (u32)min_u64(get(&n->prefixlen), p->len));
}

static inline u32 bit(const u64 *data, u32 index)
{
	return (u32)(data[index / 64] >> (63 - index % 64)) & 1;
}

static inline u32 node_bit(const struct node *n, u32 index)
{
	return (u32)(get_word(n, index / 64) >> (63 - index % 64)) & 1;
}

static u8 *node_value(const struct trie *t, u32 link)
{
	return map_value(&t->map, link - 1, 0);
}

/* ---- creation ---- */

enum { LPM_FLAGS = MAP_ACCESS | MAP_NO_PREALLOC | MAP_NUMA_NODE };

static int check(const struct map_attr *attr, struct skep_diag *diag)
{
	enum { LINUX_NODE = 24, VALUE_MAX = LINUX_KMALLOC_MAX - DATA_MAX - LINUX_NODE };

	if (map_check_access(attr, diag))
		return -EINVAL;
	if (!attr->max_entries)
		return map_refuse(attr, diag, "max_entries", 0);
	if (!(attr->flags & MAP_NO_PREALLOC))
		return fail(diag, MAP_FLAGS, NO_PC, map_type_name(attr->type),
			    attr->flags, "BPF_F_NO_PREALLOC is missing");
	if (attr->key_size <= PREFIXLEN || attr->key_size > PREFIXLEN + DATA_MAX)
		return map_refuse(attr, diag, "key_size", attr->key_size);
	if (!attr->value_size || attr->value_size > VALUE_MAX)
		return map_refuse(attr, diag, "value_size", attr->value_size);
	return 0;
}

static int layout(struct map *map, const struct map_attr *attr)
{
	struct trie *t = trie_of(map);
	u32 data = map->key_size - PREFIXLEN;

	(void)attr;
	map->n_cpus = 1;
	t->max_prefixlen = data * 8;
	t->n_words = (data + 7) / 8;
	t->node_size = (u32)(sizeof(struct node) + t->n_words * 8 +
			     round_up(map->value_size, 8));
	/* As many inner nodes as ways can part, and the one of an update. */
	t->n_nodes =
		(u32)min_u64(2ull * map->max_entries + 2 + SPARE_NODES, UINT32_MAX - 1);
	t->nodes_off = round_up(REGION_HEADER + sizeof(struct trie_state), REGION_ALIGN);
	map->value_stride = t->node_size;
	map->region_size = t->nodes_off + (u64)t->n_nodes * t->node_size;
	map->values_off = t->nodes_off + sizeof(struct node) + t->n_words * 8;
	map->values_size = map->region_size - map->values_off;
	return 0;
}

static int init(struct map *map, const struct map_attr *attr)
{
	(void)attr;
	trie_of(map)->state = (struct trie_state *)(map->region + REGION_HEADER);
	return 0;
}

/* ---- look-up ---- */

/* Are the node's first len bits those of the key?  words: as many as a key has at most.
 */
static ALWAYS_INLINE bool leads(const struct node *n, u32 len, const struct prefix *p,
				u32 words)
{
	for (u32 i = 0; i < words && i * 64 < len; i++) {
		u64 differ = p->data[i] ^ get_word(n, i);

		if (differ)
			return i * 64 + (u32)__builtin_clzll(differ) >= len;
	}
	return true;
}

/* Of what fits into two words nothing is looked up in memory. */
static ALWAYS_INLINE u32 side_of(const struct prefix *p, u32 index, u32 words)
{
	u64 word = words > 2                   ? p->data[index / 64]
		   : words == 2 && index >= 64 ? p->data[1]
					       : p->data[0];

	return (u32)(word >> (63 - index % 64)) & 1;
}

/* One walk, which may be led astray when the era changes.  size as in load_sized(). */
static ALWAYS_INLINE const struct node *walk(const struct trie *t, const struct prefix *p,
					     u32 size)
{
	const u8 *const nodes = t->map.region + t->nodes_off;
	const u32 node_size = t->node_size, words = (size + 7) / 8;
	u32 link = get(&t->state->root), depth = 0;
	const struct node *found = NULL;

	while (link) {
		const struct node *n =
			(const struct node *)(nodes + (u64)(link - 1) * node_size);
		u32 len = get(&n->prefixlen);

		/* Deeper nodes are longer, except where the way has changed. */
		if (len < depth || len > p->len || !leads(n, len, p, words))
			break;
		if (!get(&n->inner))
			found = n;
		if (len == size * 8)
			break;
		depth = len + 1;
		link = get(&n->child[side_of(p, len, words)]);
	}
	return found;
}

static ALWAYS_INLINE void *find(const struct map *map, const void *key, u32 size)
{
	const struct trie *t = trie_of(map);
	const _Atomic u32 *const now = &t->state->era;
	const struct node *found;
	struct prefix p;
	u32 era;

	if (!load_sized(t, key, size, &p))
		return NULL;
	do {
		era = get(now);
		found = walk(t, &p, size);
	} while (get(now) != era);
	return found ? (void *)(found->data + (size + 7) / 8) : NULL;
}

static void *lookup(struct map *map, const void *key, u32 cpu)
{
	(void)cpu;
	return find(map, key, map->key_size - PREFIXLEN);
}

/* For compiled code: addresses of IPv4, of IPv6, and others. */
#define DIRECT(name, size)                                                               \
	static u64 name(struct run *run, u64 map, u64 key, u64 cpu, u64 r4, u64 r5)      \
	{                                                                                \
		const struct map *m = (const struct map *)(uintptr_t)map;                \
                                                                                         \
		(void)run, (void)cpu, (void)r4, (void)r5;                                \
		return (uintptr_t)find(m, (const void *)(uintptr_t)key, size);           \
	}
DIRECT(direct_4, 4)
DIRECT(direct_16, 16)
DIRECT(direct_any, m->key_size - PREFIXLEN)
#undef DIRECT

static map_direct_fn direct(const struct map *map)
{
	u32 size = map->key_size - PREFIXLEN;

	return size == 4 ? direct_4 : size == 16 ? direct_16 : direct_any;
}

/* A copy is of the node that was found only while no era has ended. */
static int copy(struct map *map, const void *key, void *value, u64 flags)
{
	const struct trie *t = trie_of(map);
	const u8 *at;
	u32 era;

	do {
		era = get(&t->state->era);
		at = lookup(map, key, 0);
		if (!at)
			return -ENOENT;
		map_copy_out(map, at, value, flags);
		atomic_thread_fence(memory_order_acquire);
	} while (get(&t->state->era) != era);
	return 0;
}

/* ---- nodes: under the lock ---- */

static u32 take_node(struct trie *t)
{
	struct trie_state *s = t->state;
	u32 link;

	if (!s->free && s->fresh == t->n_nodes) {
		/* Before anything of limbo is written again. */
		set(&s->era, s->era + 1);
		atomic_thread_fence(memory_order_release);
		s->free = s->limbo;
		s->limbo = 0;
	}
	link = s->free;
	if (link)
		s->free = node_at(t, link)->next;
	else if (s->fresh < t->n_nodes)
		link = ++s->fresh;
	return link;
}

static void retire_node(struct trie *t, u32 link)
{
	node_at(t, link)->next = t->state->limbo;
	t->state->limbo = link;
}

/* An unlinked node's bits; children are none. */
static struct node *init_node(struct trie *t, u32 link, u32 prefixlen, bool inner)
{
	struct node *n = node_at(t, link);

	set(&n->child[0], 0);
	set(&n->child[1], 0);
	set(&n->prefixlen, prefixlen);
	set(&n->inner, inner);
	return n;
}

static u32 count_entries(const struct trie *t, u32 link)
{
	const struct node *n;

	/* As deep as a key has bits at most. */
	if (!link)
		return 0;
	n = node_at(t, link);
	return !get(&n->inner) + count_entries(t, get(&n->child[0])) +
	       count_entries(t, get(&n->child[1]));
}

static int lock(struct trie *t)
{
	int err = region_lock(&t->map, &t->state->lock);

	if (err != LOCK_INHERITED)
		return err;
	t->state->n_entries = count_entries(t, get(&t->state->root));
	return 0;
}

/* ---- update ---- */

/* Where a key belongs: the slot that points, or will point, to its node. */
struct place {
	_Atomic u32 *slot;
	u32 link;    /* what is in the slot */
	u32 matched; /* bits of it that the key shares */
};

static struct place find_place(struct trie *t, const struct prefix *p)
{
	struct place at = {.slot = &t->state->root};

	while ((at.link = get(at.slot))) {
		struct node *n = node_at(t, at.link);
		u32 len = get(&n->prefixlen);

		at.matched = match_node(n, p);
		if (at.matched != len || len == p->len)
			break;
		at.slot = &n->child[bit(p->data, len)];
	}
	return at;
}

static bool is_exact(const struct trie *t, const struct place *at, const struct prefix *p)
{
	const struct node *n;

	if (!at->link)
		return false;
	n = node_at(t, at->link);
	return get(&n->prefixlen) == p->len && at->matched == p->len && !get(&n->inner);
}

static int check_update(const struct trie *t, bool exists, u64 flags)
{
	if (exists)
		return flags == MAP_NOEXIST ? -EEXIST : 0;
	if (flags == MAP_EXIST)
		return -ENOENT;
	return t->state->n_entries == t->map.max_entries ? -ENOSPC : 0;
}

/* A node where the way to the new one parts from the one to the old.  0: no node left. */
static u32 join(struct trie *t, const struct place *at, u32 link)
{
	u32 inner = take_node(t), side;
	struct node *n, *old = node_at(t, at->link);

	if (!inner)
		return 0;
	n = init_node(t, inner, at->matched, true);
	for (u32 i = 0; i < t->n_words; i++)
		atomic_store_explicit(&n->data[i], get_word(old, i),
				      memory_order_release);
	side = node_bit(old, at->matched);
	set(&n->child[side], at->link);
	set(&n->child[!side], link);
	return inner;
}

/* What goes into the slot instead of what is there; 0: no node left. */
static u32 graft(struct trie *t, const struct place *at, u32 link, const struct prefix *p)
{
	struct node *n = node_at(t, link), *old;

	if (!at->link)
		return link;
	old = node_at(t, at->link);
	if (at->matched == get(&old->prefixlen)) { /* and so is p->len: take its place */
		set(&n->child[0], get(&old->child[0]));
		set(&n->child[1], get(&old->child[1]));
		return link;
	}
	if (at->matched < p->len)
		return join(t, at, link);
	set(&n->child[node_bit(old, at->matched)], at->link);
	return link;
}

static int insert(struct trie *t, const struct prefix *p, const void *value, u64 flags)
{
	struct place at = find_place(t, p);
	bool exists = is_exact(t, &at, p), replaces;
	int err = check_update(t, exists, flags);
	u32 link, top;
	struct node *n;

	if (err)
		return err;
	link = take_node(t);
	if (!link)
		return -ENOMEM;
	n = init_node(t, link, p->len, false);
	for (u32 i = 0; i < t->n_words; i++)
		atomic_store_explicit(&n->data[i], p->data[i], memory_order_release);
	value_write(&t->map, node_value(t, link), value, t->map.value_size);
	top = graft(t, &at, link, p);
	if (!top) {
		retire_node(t, link);
		return -ENOMEM;
	}
	replaces = at.link && at.matched == get(&node_at(t, at.link)->prefixlen);
	set(at.slot, top);
	t->state->n_entries += !exists;
	if (replaces)
		retire_node(t, at.link);
	return 0;
}

static int update(struct map *map, const void *key, const void *value, u64 flags, u32 cpu)
{
	struct trie *t = trie_of(map);
	struct prefix p;
	int err;

	(void)cpu;
	if (flags > MAP_EXIST || !load_prefix(t, key, &p))
		return -EINVAL;
	err = lock(t);
	if (err)
		return err;
	err = insert(t, &p, value, flags);
	region_unlock(&t->state->lock);
	return err;
}

/* ---- deletion ---- */

static void cut(struct trie *t, const struct place *at, const struct place *parent)
{
	struct node *n = node_at(t, at->link), *up;
	u32 left = get(&n->child[0]), right = get(&n->child[1]);

	if (left && right) { /* here ways part: keep the node, not the value */
		set(&n->inner, 1);
		return;
	}
	up = parent->link ? node_at(t, parent->link) : NULL;
	if (up && get(&up->inner) && !left && !right) {
		/* An inner node with one way left has no reason. */
		set(parent->slot, get(&up->child[at->slot == &up->child[0]]));
		retire_node(t, parent->link);
	} else {
		set(at->slot, left ? left : right);
	}
	retire_node(t, at->link);
}

static int remove_key(struct trie *t, const struct prefix *p)
{
	struct place at = {.slot = &t->state->root}, parent = {0};

	while ((at.link = get(at.slot))) {
		struct node *n = node_at(t, at.link);
		u32 len = get(&n->prefixlen);

		at.matched = match_node(n, p);
		if (at.matched != len || len == p->len)
			break;
		parent = at;
		at.slot = &n->child[bit(p->data, len)];
	}
	if (!is_exact(t, &at, p))
		return -ENOENT;
	t->state->n_entries--;
	cut(t, &at, &parent);
	return 0;
}

static int erase(struct map *map, const void *key, u32 cpu)
{
	struct trie *t = trie_of(map);
	struct prefix p;
	int err;

	(void)cpu;
	if (!load_prefix(t, key, &p))
		return -EINVAL;
	err = lock(t);
	if (err)
		return err;
	err = remove_key(t, &p);
	region_unlock(&t->state->lock);
	return err;
}

/* ---- iteration ---- */

/* First of a subtree in postorder: down to where there is nothing below. */
static u32 leftmost(const struct trie *t, u32 link)
{
	u32 left, depth;

	for (depth = 0; depth <= BITS_MAX; depth++) {
		const struct node *n = node_at(t, link);

		left = get(&n->child[0]);
		if (!left)
			left = get(&n->child[1]);
		if (!left)
			return link;
		link = left;
	}
	return link;
}

/* The way down to the node with exactly this key; 0: there is none. */
static u32 find_path(const struct trie *t, const struct prefix *p, u32 path[])
{
	u32 link = get(&t->state->root), n = 0;

	while (link && n <= t->max_prefixlen) {
		const struct node *node = node_at(t, link);
		u32 len = get(&node->prefixlen);

		path[n++] = link;
		if (match_node(node, p) != len)
			return 0;
		if (len == p->len)
			return get(&node->inner) ? 0 : n;
		link = get(&node->child[bit(p->data, len)]);
	}
	return 0;
}

/* Postorder: what comes after the node at the end of the path; 0: nothing. */
static u32 successor(const struct trie *t, const u32 path[], u32 n)
{
	for (; n > 1; n--) {
		const struct node *up = node_at(t, path[n - 2]);
		u32 right = get(&up->child[1]);

		if (get(&up->child[0]) == path[n - 1] && right)
			return leftmost(t, right);
		if (!get(&up->inner))
			return path[n - 2];
	}
	return 0;
}

static void write_out(const struct trie *t, u32 link, u8 *key)
{
	const struct node *n = node_at(t, link);
	u32 size = t->map.key_size - PREFIXLEN;

	store_u32(key, get(&n->prefixlen));
	key += PREFIXLEN;
	for (u32 i = 0; i < t->n_words; i++) {
		u64 word = big_endian(get_word(n, i));

		memcpy(key + 8 * i, &word, min_u64(size - 8 * i, 8));
	}
}

/* Without a key, or with one that is not there, the first. */
static int next_key(struct map *map, const void *key, void *next)
{
	const struct trie *t = trie_of(map);
	u32 path[BITS_MAX + 1], n, era, link;
	struct prefix p;
	bool has_key = key && load_prefix(t, key, &p);

	do {
		era = get(&t->state->era);
		n = has_key ? find_path(t, &p, path) : 0;
		link = get(&t->state->root);
		if (n)
			link = successor(t, path, n);
		else if (link)
			link = leftmost(t, link);
		if (link)
			write_out(t, link, next);
	} while (get(&t->state->era) != era);
	return link ? 0 : -ENOENT;
}

const struct map_ops map_ops_lpm_trie = {
	.traits = TRAIT_USER_READ | TRAIT_INNER,
	.create_flags = LPM_FLAGS,
	.size = sizeof(struct trie),
	.check = check,
	.layout = layout,
	.init = init,
	.lookup = lookup,
	.direct = direct,
	.copy = copy,
	.update = update,
	.delete = erase,
	.next_key = next_key,
};
