/* context.h - all it takes to repeat a launch, as a JSON object. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_CONTEXT_H
#define SP_CONTEXT_H

#include <jansson.h>

/* argv as given, ranks launched, threads of each, FLOP/s of a thread by dtype (NULL: nothing is
 * run). json_decref() it. */
json_t *sp_context(int argc, char **argv, int ranks, int threads, const double *peak);

#endif
