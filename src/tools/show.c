/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values as a person reads them.  The type says what the bytes are; habit says what some
 * types mean: four bytes are an IPv4 address, six a MAC address, sixteen an IPv6 address,
 * __be16 and its like are numbers in network order.  Never does: change or parse.
 */
#include "tools/show.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"
#include "btf/btf.h"
#include "tools/json.h"

enum { MAX_DEPTH = 16, MAX_HEX = 64 };

static u64 host_number(struct bytes data)
{
	switch (data.len) {
	case 1: return data.data[0];
	case 2: return load_u16(data.data);
	case 4: return load_u32(data.data);
	case 8: return load_u64(data.data);
	default: return 0;
	}
}

static bool is_number(struct bytes data)
{
	return data.len == 1 || data.len == 2 || data.len == 4 || data.len == 8;
}

static void put_hex(struct text *t, struct bytes data)
{
	for (u64 i = 0; i < data.len && i < MAX_HEX; i++)
		text_printf(t, "%02x", data.data[i]);
	if (data.len > MAX_HEX)
		text_printf(t, "... (%llu bytes)", (unsigned long long)data.len);
}

bool show_is_zero(struct bytes data)
{
	for (u64 i = 0; i < data.len; i++) {
		if (data.data[i])
			return false;
	}
	return true;
}

/* ---- addresses ---- */

static void put_ipv4(struct text *t, const u8 *a)
{
	text_printf(t, "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
}

void show_ipv6(struct text *t, const u8 address[16])
{
	char s[INET6_ADDRSTRLEN] = "";

	inet_ntop(AF_INET6, address, s, sizeof(s));
	text_puts(t, s);
}

static void put_mac(struct text *t, const u8 *a)
{
	text_printf(t, "%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3], a[4],
		    a[5]);
}

static void put_octets(struct text *t, struct bytes data)
{
	switch (data.len) {
	case 4: put_ipv4(t, data.data); break;
	case 6: put_mac(t, data.data); break;
	case 16: show_ipv6(t, data.data); break;
	default: put_hex(t, data); break;
	}
}

/* ---- by type ---- */

static void put(struct text *t, const struct typed *v, u32 depth);

static void put_as_c(struct text *t, const struct typed *v)
{
	struct btf_value_style style = {.format = BTF_VALUE_C};

	btf_print_value(t, v->btf, v->id, v->data, &style);
}

static struct typed part_of(const struct typed *v, u32 id, u64 off)
{
	s64 size = btf_size(v->btf, id);
	u64 len = size < 0 ? 0 : (u64)size;

	return (struct typed){v->btf, id, bytes_slice(v->data, off, len)};
}

/* Is one of the names it goes by __be16, __be32 or __be64? */
static bool is_network_order(const struct btf *btf, u32 id)
{
	for (u32 i = 0; i < BTF_MAX_DEPTH; i++) {
		struct btf_type type = btf_type(btf, id);

		if (type.kind != BTF_TYPEDEF && type.kind != BTF_CONST &&
		    type.kind != BTF_VOLATILE && type.kind != BTF_TYPE_TAG)
			return false;
		if (!strncmp(type.name, "__be", 4))
			return true;
		id = type.type;
	}
	return false;
}

static void put_network(struct text *t, struct bytes data)
{
	u64 n = 0;

	if (data.len == 4) {
		put_ipv4(t, data.data);
		return;
	}
	for (u64 i = 0; i < data.len; i++)
		n = n << 8 | data.data[i];
	text_printf(t, "%llu", (unsigned long long)n);
}

static bool has_bit_fields(const struct btf *btf, const struct btf_type *type)
{
	for (u32 i = 0; i < type->vlen; i++) {
		if (btf_member(btf, type, i).bit_size)
			return true;
	}
	return false;
}

static bool is_octet(const struct btf *btf, u32 id)
{
	struct btf_type type = btf_type(btf, btf_resolve(btf, id));

	return type.kind == BTF_INT && type.size == 1 && strcmp(type.name, "char") &&
	       !btf_int(&type).encoding;
}

/* A structure around nothing but an address says no more than the address. */
static bool wraps_address(const struct typed *v, const struct btf_type *type)
{
	struct btf_type inner;

	if (type->vlen != 1 ||
	    (v->data.len != 4 && v->data.len != 6 && v->data.len != 16))
		return false;
	inner = btf_type(v->btf, btf_resolve(v->btf, btf_member(v->btf, type, 0).type));
	return inner.kind == BTF_ARRAY && is_octet(v->btf, btf_array(&inner).type);
}

static void put_struct(struct text *t, const struct typed *v, const struct btf_type *type,
		       u32 depth)
{
	bool first = true;

	if (wraps_address(v, type)) {
		put_octets(t, v->data);
		return;
	}
	text_puts(t, "{");
	for (u32 i = 0; i < type->vlen; i++) {
		struct btf_member m = btf_member(v->btf, type, i);
		struct typed part = part_of(v, m.type, m.bit_offset / 8);

		if (!part.data.data)
			continue;
		if (!first)
			text_puts(t, " ");
		first = false;
		if (*m.name)
			text_printf(t, "%s=", m.name);
		put(t, &part, depth + 1);
	}
	text_puts(t, "}");
}

/* Of a union, the member that has most to say. */
static void put_union(struct text *t, const struct typed *v, const struct btf_type *type,
		      u32 depth)
{
	struct typed best = {0};
	u32 at = 0;

	for (u32 i = 0; i < type->vlen; i++) {
		struct typed part = part_of(v, btf_member(v->btf, type, i).type, 0);

		if (!part.data.data || part.data.len <= best.data.len)
			continue;
		best = part;
		at = i;
	}
	if (!best.data.data)
		return;
	if (*btf_member(v->btf, type, at).name)
		text_printf(t, "%s=", btf_member(v->btf, type, at).name);
	put(t, &best, depth + 1);
}

static bool is_char(const struct btf *btf, u32 id)
{
	struct btf_type type = btf_type(btf, btf_resolve(btf, id));

	return type.kind == BTF_INT && type.size == 1;
}

static void put_array(struct text *t, const struct typed *v, const struct btf_type *type,
		      u32 depth)
{
	struct btf_array array = btf_array(type);
	s64 size = btf_size(v->btf, array.type);
	u64 n = size > 0 ? min_u64(array.nelems, v->data.len / (u64)size) : 0;

	if (is_octet(v->btf, array.type)) {
		put_octets(t, v->data);
		return;
	}
	if (is_char(v->btf, array.type)) {
		put_as_c(t, v);
		return;
	}
	while (n > 1 &&
	       show_is_zero(bytes_slice(v->data, (n - 1) * (u64)size, (u64)size)))
		n--;
	text_puts(t, "[");
	for (u64 i = 0; i < n; i++) {
		struct typed part = part_of(v, array.type, i * (u64)size);

		text_puts(t, i ? " " : "");
		put(t, &part, depth + 1);
	}
	text_puts(t, n < array.nelems ? " ...]" : "]");
}

/* Structures that are nothing but an address. */
static bool put_known(struct text *t, const struct btf_type *type, struct bytes data)
{
	bool v6 = !strcmp(type->name, "in6_addr") && data.len == 16;
	bool v4 = !strcmp(type->name, "in_addr") && data.len == 4;

	if (v6 || v4)
		put_octets(t, data);
	return v6 || v4;
}

static void put(struct text *t, const struct typed *v, u32 depth)
{
	struct btf_type type = btf_type(v->btf, btf_resolve(v->btf, v->id));

	if (depth > MAX_DEPTH)
		text_puts(t, "...");
	else if (is_network_order(v->btf, v->id))
		put_network(t, v->data);
	else if (type.kind == BTF_ARRAY)
		put_array(t, v, &type, depth);
	else if (type.kind == BTF_UNION && !has_bit_fields(v->btf, &type))
		put_union(t, v, &type, depth);
	else if (type.kind != BTF_STRUCT || has_bit_fields(v->btf, &type))
		put_as_c(t, v);
	else if (!put_known(t, &type, v->data))
		put_struct(t, v, &type, depth);
}

static bool is_typed(const struct typed *v)
{
	return v->btf && v->id && btf_size(v->btf, v->id) >= 0;
}

void show_value(struct text *t, const struct typed *v)
{
	if (is_typed(v))
		put(t, v, 0);
	else if (is_number(v->data))
		text_printf(t, "%llu", (unsigned long long)host_number(v->data));
	else
		put_hex(t, v->data);
}

void show_json(struct json *j, const char *key, const struct typed *v)
{
	struct btf_value_style style = {.format = BTF_VALUE_JSON};
	struct text t = TEXT_INIT;

	if (!is_typed(v) && is_number(v->data)) {
		json_u64(j, key, host_number(v->data));
		return;
	}
	if (!is_typed(v)) {
		json_hex(j, key, v->data.data, v->data.len);
		return;
	}
	btf_print_value(&t, v->btf, v->id, v->data, &style);
	json_raw(j, key, t.len ? text_str(&t) : "null");
	text_fini(&t);
}

void show_prefix(struct text *t, const struct typed *key)
{
	struct bytes data = key->data;

	if (data.len != 8 && data.len != 20) {
		show_value(t, key);
		return;
	}
	put_octets(t, bytes_slice(data, 4, data.len - 4));
	text_printf(t, "/%u", load_u32(data.data));
}

/* ---- adding and comparing ---- */

static void add_number(struct bytes part, u8 *sum)
{
	switch (part.len) {
	case 1: *sum = (u8)(*sum + *part.data); break;
	case 2: store_u16(sum, (u16)(load_u16(sum) + load_u16(part.data))); break;
	case 4: store_u32(sum, load_u32(sum) + load_u32(part.data)); break;
	case 8: store_u64(sum, load_u64(sum) + load_u64(part.data)); break;
	default: break;
	}
}

static void keep_first(struct bytes part, u8 *sum)
{
	if (show_is_zero((struct bytes){sum, part.len}))
		memcpy(sum, part.data, part.len);
}

static void add(const struct typed *v, u8 *sum, u32 depth);

static void add_members(const struct typed *v, const struct btf_type *type, u8 *sum,
			u32 depth)
{
	for (u32 i = 0; i < type->vlen; i++) {
		struct btf_member m = btf_member(v->btf, type, i);
		struct typed part = part_of(v, m.type, m.bit_offset / 8);

		if (part.data.data)
			add(&part, sum + m.bit_offset / 8, depth + 1);
	}
}

static void add_elements(const struct typed *v, const struct btf_type *type, u8 *sum,
			 u32 depth)
{
	struct btf_array array = btf_array(type);
	s64 size = btf_size(v->btf, array.type);

	if (size <= 0)
		return;
	for (u64 off = 0; off + (u64)size <= v->data.len; off += (u64)size) {
		struct typed part = part_of(v, array.type, off);

		add(&part, sum + off, depth + 1);
	}
}

static void add(const struct typed *v, u8 *sum, u32 depth)
{
	struct btf_type type = btf_type(v->btf, btf_resolve(v->btf, v->id));

	if (type.kind == BTF_INT && !is_network_order(v->btf, v->id))
		add_number(v->data, sum);
	else if (type.kind == BTF_STRUCT && depth < MAX_DEPTH &&
		 !has_bit_fields(v->btf, &type))
		add_members(v, &type, sum, depth);
	else if (type.kind == BTF_ARRAY && depth < MAX_DEPTH &&
		 !is_char(v->btf, btf_array(&type).type))
		add_elements(v, &type, sum, depth);
	else
		keep_first(v->data, sum);
}

void show_add(const struct typed *part, u8 *sum)
{
	if (is_typed(part))
		add(part, sum, 0);
	else if (is_number(part->data))
		add_number(part->data, sum);
	else
		keep_first(part->data, sum);
}

struct typed percpu_value(const struct percpu *p, u32 cpu)
{
	struct typed value = p->first;

	value.data.data += (u64)cpu * p->stride;
	return value;
}

struct typed percpu_sum(const struct percpu *p, u8 *sum)
{
	struct typed result = p->first;

	memcpy(sum, p->first.data.data, p->first.data.len);
	for (u32 cpu = 1; cpu < p->n; cpu++) {
		struct typed part = percpu_value(p, cpu);

		show_add(&part, sum);
	}
	result.data.data = sum;
	return result;
}

void show_percpu(struct text *t, const struct percpu *p, const struct typed *sum)
{
	const char *sign = " = ";
	u32 n = 0;

	show_value(t, sum);
	for (u32 cpu = 0; cpu < p->n; cpu++)
		n += !show_is_zero(percpu_value(p, cpu).data);
	for (u32 cpu = 0; cpu < p->n && n > 1; cpu++) {
		struct typed part = percpu_value(p, cpu);

		if (show_is_zero(part.data))
			continue;
		text_puts(t, sign);
		show_value(t, &part);
		sign = " + ";
	}
}

u64 show_weight(const struct typed *value)
{
	struct typed v = *value;

	for (u32 depth = 0; depth < MAX_DEPTH && is_typed(&v); depth++) {
		struct btf_type type = btf_type(v.btf, btf_resolve(v.btf, v.id));

		if ((type.kind == BTF_STRUCT || type.kind == BTF_UNION) && type.vlen)
			v = part_of(&v, btf_member(v.btf, &type, 0).type, 0);
		else if (type.kind == BTF_ARRAY && btf_array(&type).nelems)
			v = part_of(&v, btf_array(&type).type, 0);
		else
			break;
	}
	return v.data.data ? host_number(v.data) : 0;
}
