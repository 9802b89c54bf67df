/* rowset.c - making the rows that the definition works on. */
/* SPDX-License-Identifier: MIT */
#include "measure/rowset.h"

#include <stdlib.h>

#include "measure/inputs.h"
#include "util/memory.h"

struct sp_rowset sp_rowset_load(const struct sp_problem *pb, unsigned long seed,
                                enum sp_kind kind, int b, int head, const long *pos, int n)
{
    const size_t cells = (size_t)n * (size_t)pb->dim;
    const enum sp_kind other = kind == SP_Q ? SP_DO : SP_V;
    struct sp_rowset r = { .n = n, .dim = pb->dim };
    r.pos = sp_alloc((size_t)n * sizeof *r.pos);
    r.x = sp_alloc(cells * sizeof *r.x);
    r.y = sp_alloc(cells * sizeof *r.y);
#pragma omp parallel for schedule(static)
    for (int i = 0; i < n; i++) {
        float *x = r.x + (long)i * pb->dim, *y = r.y + (long)i * pb->dim;
        r.pos[i] = pos[i];
        sp_input_row(pb, seed, kind, b, head, pos[i], x);
        sp_input_round(pb->dtype, x, pb->dim);
        sp_input_row(pb, seed, other, b, head, pos[i], y);
        sp_input_round(pb->dtype, y, pb->dim);
    }
    return r;
}

void sp_rowset_free(struct sp_rowset *r)
{
    free(r->pos);
    free(r->x);
    free(r->y);
    *r = (struct sp_rowset){ 0 };
}
