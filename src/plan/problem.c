/* problem.c - what is computed, and what can't be. */
/* SPDX-License-Identifier: MIT */
#include "plan/problem.h"

#include <limits.h>
#include <stdio.h>

static const double MAX_ELEMENTS = 281474976710656.;    /* bytes of sums then fit 64 bits */

const char *const sp_dtype_names[] = { "fp32", "bf16", NULL };
const char *const sp_layout_names[] = { "contiguous", "zigzag", "striped", NULL };

size_t sp_dtype_bytes(enum sp_dtype t) { return t == SP_F32 ? 4 : 2; }

const char *sp_problem_refuse(const struct sp_problem *pb)
{
    static char why[160];
    why[0] = 0;
    if (pb->seq < 1 || pb->seq > INT_MAX)
        snprintf(why, sizeof why, "seq %ld must be from 1 to %d", pb->seq, INT_MAX);
    else if (pb->batch < 1)
        snprintf(why, sizeof why, "batch %d must be at least 1", pb->batch);
    else if (pb->ranks < 1)
        snprintf(why, sizeof why, "sp %d must be at least 1", pb->ranks);
    else if (pb->dim < 1 || pb->heads < 1 || pb->kv_heads < 1)
        snprintf(why, sizeof why, "heads %d, kv-heads %d and head-dim %d must be at least 1",
                 pb->heads, pb->kv_heads, pb->dim);
    else if (pb->heads > SHRT_MAX)
        snprintf(why, sizeof why, "heads %d must be at most %d", pb->heads, SHRT_MAX);
    else if (pb->heads % pb->kv_heads)
        snprintf(why, sizeof why, "kv-heads %d must divide heads %d", pb->kv_heads, pb->heads);
    else if ((double)pb->seq * pb->batch * pb->heads * pb->dim > MAX_ELEMENTS)
        snprintf(why, sizeof why, "seq %ld x batch %d x heads %d x head-dim %d must be at most 2^48",
                 pb->seq, pb->batch, pb->heads, pb->dim);
    else if (pb->ranks > pb->seq)
        snprintf(why, sizeof why, "sp %d is more ranks than seq %ld has tokens", pb->ranks, pb->seq);
    return why[0] ? why : NULL;
}
