/* scratch.h - one block of memory, dealt out in aligned pieces. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_SCRATCH_H
#define SP_SCRATCH_H

#include <stddef.h>

struct sp_scratch { void *base; size_t used; };

/* The next piece. Where base is NULL nothing is dealt out, only `used` is added up. */
void *sp_scratch_take(struct sp_scratch *s, long count, size_t element);

#endif
