/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capture files by way of libpcap, which reads a stdio stream; the stream decompresses
 * with zlib, which passes on what is not compressed.  Never does: trust the lengths of
 * the file beyond what libpcap has checked.
 * See pcap-savefile(5) and draft-ietf-opsawg-pcapng.
 */
#define _GNU_SOURCE /* fopencookie */
#include "hook/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <net/ethernet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/bytes.h"
#include "base/diag.h"
#include "hook/libpcap.h"

enum { SLL_PROTOCOL = 14, SLL_LEN = 16, SLL2_LEN = 20, SNAPLEN = 262144 };

struct capture {
	struct libpcap lib;
	gzFile gz;        /* owned by the stream that pcap owns */
	pcap_t *pcap;     /* owned */
	const char *name; /* borrowed; for messages */
	u64 size;         /* of the file, compressed; 0: not known */
	u64 number, skipped;
	int datalink;
};

/* One row for each link type: how long its header is, and where its protocol stands. */
static const struct link_row {
	int datalink;
	enum capture_link link;
	u8 header, protocol; /* bytes to leave out; protocol: only if header */
} links[] = {
	{DLT_EN10MB, CAPTURE_ETHERNET, 0, 0},
	{DLT_RAW, CAPTURE_RAW_IP, 0, 0},
	{DLT_IPV4, CAPTURE_RAW_IP, 0, 0},
	{DLT_IPV6, CAPTURE_RAW_IP, 0, 0},
	{DLT_LINUX_SLL, CAPTURE_RAW_IP, SLL_LEN, SLL_PROTOCOL},
	{DLT_LINUX_SLL2, CAPTURE_RAW_IP, SLL2_LEN, 0},
};

static const struct link_row *link_row(int datalink)
{
	for (u32 i = 0; i < ARRAY_SIZE(links); i++) {
		if (links[i].datalink == datalink)
			return &links[i];
	}
	return NULL;
}

/* ---- the stream ---- */

static ssize_t stream_read(void *cookie, char *buf, size_t size)
{
	return gzread(cookie, buf, size > SNAPLEN ? SNAPLEN : (unsigned)size);
}

static int stream_close(void *cookie)
{
	return gzclose_r(cookie) == Z_OK ? 0 : -1;
}

static int refuse_open(struct skep_diag *diag, const char *name, int err)
{
	bool first = diag && !diag->id;

	fail(diag, FILE_UNREADABLE, NO_PC, strerror(err));
	if (first)
		diag->err = -err;
	return diag_in(diag, -err, "%s", name);
}

static int open_stream(struct capture *c, int fd, FILE **stream)
{
	static const cookie_io_functions_t functions = {.read = stream_read,
							.close = stream_close};
	struct stat st;

	if (fstat(fd, &st))
		return errno;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	c->size = S_ISREG(st.st_mode) ? (u64)st.st_size : 0;
	c->gz = gzdopen(fd, "r");
	if (!c->gz)
		return ENOMEM;
	gzbuffer(c->gz, 65536);
	*stream = fopencookie(c->gz, "r", functions);
	if (*stream)
		return 0;
	gzclose_r(c->gz);
	return ENOMEM;
}

/* ---- reading ---- */

static int check_link(struct capture *c, struct skep_diag *diag)
{
	const char *name;

	c->datalink = c->lib.datalink(c->pcap);
	if (link_row(c->datalink))
		return 0;
	name = c->lib.datalink_val_to_name(c->datalink);
	if (name)
		return fail(diag, CAPTURE_LINK, NO_PC, name);
	return fail(diag, CAPTURE_LINK, NO_PC, "without a name");
}

/* pcap takes the stream, also when it refuses it: closing is ours then. */
static int open_pcap(struct capture *c, FILE *stream, struct skep_diag *diag)
{
	char err[PCAP_ERRBUF_SIZE] = "";

	if (libpcap_open(&c->lib, diag)) {
		fclose(stream);
		return -EOPNOTSUPP;
	}
	c->pcap = c->lib.fopen_offline_with_tstamp_precision(
		stream, PCAP_TSTAMP_PRECISION_NANO, err);
	if (c->pcap)
		return check_link(c, diag);
	fclose(stream);
	return fail(diag, NO_CAPTURE, NO_PC, err);
}

int capture_open(const char *path, struct capture **capture, struct skep_diag *diag)
{
	bool standard_input = !strcmp(path, "-");
	const char *name = standard_input ? "standard input" : path;
	int fd = standard_input ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	struct capture *c;
	FILE *stream = NULL;
	int err;

	if (fd < 0)
		return refuse_open(diag, name, errno);
	c = calloc(1, sizeof(*c));
	err = c ? open_stream(c, fd, &stream) : ENOMEM;
	if (err) {
		if (!c || !c->gz)
			close(fd);
		free(c);
		return refuse_open(diag, name, err);
	}
	c->name = name;
	err = open_pcap(c, stream, diag);
	if (err) {
		capture_close(c);
		return diag_in(diag, err, "%s", name);
	}
	*capture = c;
	return 0;
}

void capture_close(struct capture *c)
{
	if (!c)
		return;
	if (c->pcap)
		c->lib.close(c->pcap);
	libpcap_close(&c->lib);
	free(c);
}

/* The protocol of a cooked packet; 0 where its header is cut off. */
static u16 cooked_protocol(const struct link_row *row, const struct captured *packet)
{
	return packet->len < row->header ? 0 : load_be16(packet->data + row->protocol);
}

/* Takes the cooked header off; false: not IP, or cut off. */
static bool uncook(const struct link_row *row, struct captured *packet)
{
	u16 protocol;

	if (!row->header)
		return true;
	protocol = cooked_protocol(row, packet);
	if (protocol != ETHERTYPE_IP && protocol != ETHERTYPE_IPV6)
		return false;
	packet->data += row->header;
	packet->len -= row->header;
	packet->wire_len -= row->header;
	return true;
}

static void fill(const struct capture *c, struct captured *packet,
		 const struct pcap_pkthdr *header)
{
	*packet = (struct captured){
		.len = header->caplen,
		.wire_len = header->len > header->caplen ? header->len : header->caplen,
		/* PCAP_TSTAMP_PRECISION_NANO: tv_usec counts nanoseconds */
		.time = (u64)header->ts.tv_sec * 1000000000 + (u64)header->ts.tv_usec,
		.number = c->number,
	};
}

/* What zlib found wrong, or NULL: a compressed file may break off between packets. */
static const char *broken_stream(const struct capture *c)
{
	int err = Z_OK;
	const char *text = gzerror(c->gz, &err);

	return err == Z_OK || err == Z_STREAM_END ? NULL : text;
}

int capture_next(struct capture *c, struct captured *packet, struct skep_diag *diag)
{
	const struct link_row *row = link_row(c->datalink);
	struct pcap_pkthdr *header;
	const u8 *data;
	int got;

	while ((got = c->lib.next_ex(c->pcap, &header, &data)) == 1) {
		c->number++;
		fill(c, packet, header);
		packet->data = data;
		if (uncook(row, packet))
			return 1;
		c->skipped++;
	}
	if (got == PCAP_ERROR_BREAK && !broken_stream(c))
		return 0;
	if (got == PCAP_ERROR_BREAK)
		fail(diag, CAPTURE_BROKEN, NO_PC, broken_stream(c));
	else
		fail(diag, CAPTURE_BROKEN, NO_PC, c->lib.geterr(c->pcap));
	return diag_in(diag, -EINVAL, "%s: packet %llu", c->name,
		       (unsigned long long)c->number + 1);
}

enum capture_link capture_link(const struct capture *c)
{
	return link_row(c->datalink)->link;
}

u64 capture_skipped(const struct capture *c)
{
	return c->skipped;
}

int capture_progress(const struct capture *c)
{
	z_off_t at = gzoffset(c->gz);

	return c->size && at >= 0 ? (int)((u64)at * 100 / c->size) : -1;
}

/* ---- writing ---- */

struct capture_writer {
	struct libpcap lib;
	pcap_t *pcap;       /* owned */
	pcap_dumper_t *out; /* owned */
	const char *name;   /* borrowed; for messages */
};

static int open_dump(struct capture_writer *w, const char *path, enum capture_link link,
		     struct skep_diag *diag)
{
	int err = libpcap_open(&w->lib, diag);

	if (err)
		return err;
	w->pcap = w->lib.open_dead_with_tstamp_precision(
		link == CAPTURE_ETHERNET ? DLT_EN10MB : DLT_RAW, SNAPLEN,
		PCAP_TSTAMP_PRECISION_NANO);
	if (!w->pcap)
		return fail(diag, NO_MEMORY, NO_PC);
	w->out = w->lib.dump_open(w->pcap, path);
	if (w->out)
		return 0;
	err = fail(diag, CAPTURE_NOT_WRITTEN, NO_PC, strerror(errno));
	return diag_in(diag, err, "%s", w->name);
}

static void free_writer(struct capture_writer *w)
{
	if (w->out)
		w->lib.dump_close(w->out);
	if (w->pcap)
		w->lib.close(w->pcap);
	libpcap_close(&w->lib);
	free(w);
}

int capture_create(const char *path, enum capture_link link,
		   struct capture_writer **writer, struct skep_diag *diag)
{
	struct capture_writer *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return fail(diag, NO_MEMORY, NO_PC);
	w->name = strcmp(path, "-") ? path : "standard output";
	err = open_dump(w, path, link, diag);
	if (err)
		free_writer(w);
	else
		*writer = w;
	return err;
}

void capture_write(struct capture_writer *w, const struct captured *packet)
{
	struct pcap_pkthdr header = {
		.ts = {.tv_sec = (time_t)(packet->time / 1000000000),
		       .tv_usec = (suseconds_t)(packet->time % 1000000000)},
		.caplen = packet->len,
		.len = packet->wire_len,
	};

	w->lib.dump((u8 *)w->out, &header, packet->data);
}

int capture_finish(struct capture_writer *w, struct skep_diag *diag)
{
	bool failed = w->lib.dump_flush(w->out) || ferror(w->lib.dump_file(w->out));
	int err = 0;

	if (failed) {
		fail(diag, CAPTURE_NOT_WRITTEN, NO_PC, strerror(errno));
		err = diag_in(diag, -EIO, "%s", w->name);
	}
	free_writer(w);
	return err;
}
