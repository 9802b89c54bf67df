/* memory.c - allocation that stops the program when there is none. */
/* SPDX-License-Identifier: MIT */
#include "util/memory.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "util/stop.h"

enum { HUGE_PAGE = 2 << 20 };

static size_t held, peak;

void *sp_alloc(size_t bytes)
{
    void *data = calloc(1, bytes ? bytes : 1);
    if (!data)
        sp_stop(SP_EXIT_MEMORY, "out of memory: %zu bytes more were needed", bytes);
    return data;
}

void *sp_grow(void *array, long n, size_t element)
{
    if (n & (n - 1))
        return array;
    size_t bytes = (n ? 2 * (size_t)n : 1) * element;
    array = realloc(array, bytes);
    if (!array)
        sp_stop(SP_EXIT_MEMORY, "out of memory: an array of %zu bytes was needed", bytes);
    return array;
}

static size_t pages(size_t bytes)
{
    return (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
}

void *sp_big_new(size_t bytes)
{
    if (!bytes)
        return NULL;
    size_t room = pages(bytes);
    char *at = mmap(NULL, room + HUGE_PAGE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        sp_stop(SP_EXIT_MEMORY, "out of memory: a block of %zu bytes was needed", bytes);
    size_t skip = (HUGE_PAGE - (size_t)at % HUGE_PAGE) % HUGE_PAGE;
    if (skip)
        munmap(at, skip);
    munmap(at + skip + room, HUGE_PAGE - skip);
    madvise(at + skip, room, MADV_HUGEPAGE);
    held += bytes;
    peak = held > peak ? held : peak;
    return at + skip;
}

void sp_big_free(void *data, size_t bytes)
{
    if (!data)
        return;
    munmap(data, pages(bytes));
    held -= bytes;
}

size_t sp_big_bytes(void) { return held; }

size_t sp_big_peak(void) { return peak; }

void sp_big_reset(void) { peak = held; }
