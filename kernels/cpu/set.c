/* set.c - the kernel set of one instruction set. */
/* SPDX-License-Identifier: MIT */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/tile.h"

static size_t scratch(const struct sp_tensors *t)
{
    const size_t forward = sp_forward_scratch(t), backward = sp_backward_scratch(t);
    return forward > backward ? forward : backward;
}

static double limit(enum sp_dtype dtype, long steps)
{
    return sp_tile_limit(dtype == SP_BF16, steps);
}

#define TEXT(isa) SP_QUOTE(isa)

const struct sp_kernels SP_NAME(kernels) = {
    .name = TEXT(SP_ISA),
    .help = "flash attention in blocks that fit the caches, in threads",
    .strip = ROWS,
    .panel = TILE,
    .scratch = scratch,
    .attn = sp_forward,
    .grad = sp_backward,
    .delta = sp_delta,
    .merge = sp_merge,
    .add = sp_add,
    .copy = sp_copy,
    .limit = limit,
};
