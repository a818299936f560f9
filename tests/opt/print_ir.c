/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists the intermediate form of cases' programs, and says what is wrong with it.
 *
 *	print_ir [-p] [-k] [-q] FILE.case...
 *
 * -p: after the passes; -k: nothing inlined; -q: only what is wrong.  Exit status 0 when
 * all are well formed.
 */
#include <skep/diag.h>
#include <string.h>

#include "base/text.h"
#include "case.h"
#include "check.h"
#include "maps/map.h"
#include "opt/compiled.h"
#include "opt/listing.h"

int main(int argc, char **argv)
{
	struct compile_how how = {0};
	bool quiet = false;

	for (int i = 1; i < argc; i++) {
		struct text told = TEXT_INIT;

		if (!strcmp(argv[i], "-p")) {
			how.passes = true;
		} else if (!strcmp(argv[i], "-k")) {
			how.keep_calls = true;
		} else if (!strcmp(argv[i], "-q")) {
			quiet = true;
		} else {
			if (!CHECK(listing_of_file(argv[i], &how, &told)))
				fprintf(stderr, "%s: %s\n", argv[i], text_str(&told));
			else if (!quiet)
				printf("%s", text_str(&told));
		}
		text_fini(&told);
	}
	return check_report();
}
