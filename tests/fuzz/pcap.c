/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a capture: packets come out until its end or an error, each wholly in
 * memory that may be read.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "hook/capture.h"

enum { MAX_PACKETS = 10000 };

static u64 read_all(struct capture *capture)
{
	struct captured packet;
	u64 sum = 0;

	for (u32 n = 0; n < MAX_PACKETS && capture_next(capture, &packet, NULL) == 1;
	     n++) {
		EXPECT(packet.wire_len >= packet.len);
		for (u32 i = 0; i < packet.len; i++)
			sum += packet.data[i];
	}
	return sum + capture_skipped(capture);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	int fd = memfd_create("capture", 0);
	struct capture *capture;
	char path[32];

	if (fd < 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, data, size) == (ssize_t)size && !lseek(fd, 0, SEEK_SET) &&
	    !capture_open(path, &capture, NULL)) {
		read_all(capture);
		capture_close(capture);
	}
	close(fd);
	return 0;
}
