/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dlopen() of libpcap, under the names that distributions give it.
 */
#include "hook/libpcap.h"

#include <dlfcn.h>
#include <string.h>

#include "base/diag.h"

static bool find_all(struct libpcap *lib)
{
	bool all = true;
	void *at;

	/* through memcpy: ISO C has no conversion from void * to a function */
#define X(name)                                                                          \
	at = dlsym(lib->handle, "pcap_" #name);                                          \
	all &= at != NULL;                                                               \
	memcpy(&lib->name, &at, sizeof(at));
	LIBPCAP_FUNCTIONS(X)
#undef X
	return all;
}

int libpcap_open(struct libpcap *lib, struct skep_diag *diag)
{
	static const char *const names[] = {"libpcap.so.0.8", "libpcap.so.1",
					    "libpcap.so"};

	lib->handle = NULL;
	for (u32 i = 0; i < ARRAY_SIZE(names) && !lib->handle; i++)
		lib->handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (lib->handle && find_all(lib))
		return 0;
	libpcap_close(lib);
	return fail(diag, NO_LIBPCAP, NO_PC);
}

void libpcap_close(struct libpcap *lib)
{
	if (lib->handle)
		dlclose(lib->handle);
	lib->handle = NULL;
}
