/* memory.h - memory that is there, or the program stops (exit 7). */
/* SPDX-License-Identifier: MIT */
#ifndef SP_MEMORY_H
#define SP_MEMORY_H

#include <stddef.h>

void *sp_alloc(size_t bytes);                   /* zeroed; free() it */

/* Room for element n of an array that held n: doubles at powers of two. */
void *sp_grow(void *array, long n, size_t element);

/* Large memory: whole pages, huge ones where the system gives them (they are worth 2-3x to
 * Open MPI's single-copy transfers). Zeroed. Counted by the byte asked for. */
void  *sp_big_new(size_t bytes);
void   sp_big_free(void *data, size_t bytes);
size_t sp_big_bytes(void);                      /* held now */
size_t sp_big_peak(void);                       /* most held since the last reset */
void   sp_big_reset(void);

#endif
