/* tolerance.c - a tolerance is what the roundings on the way add up to, times a margin.
 *
 * u is half a unit of the last place, as part of the number: 2^-9 for bf16. Rounding is off by
 * u at most.
 *
 * bf16, in units of u. An output is rounded at the end (1). A kernel may have rounded p, as a
 * weight of v or do, and a row that hangs on one key is off by all of that (1). Together 2 for
 * o and dv; twice that is allowed, 4. For dq and dk there is ds in place of p (1), and delta,
 * which comes from an o that was rounded itself (2): 4; 6 are allowed, 1.2e-2. A row against
 * its own size gets more, 6 and 10, since its elements, its t and its delta may exceed
 * theirs; but only 0.3 of that as far as it is made of many terms, which average.
 *
 * dK and dV that are summed in bf16, as on a ring, are rounded again at each of n additions, by
 * up to 1 each, with random signs: sqrt(n), twice that is allowed; joined with the above as
 * squares. That makes 1.6e-2, 3.3e-2 and 8.9e-2 at 8, 64 and 512 ranks; n is counted in the
 * plan. Parts that are rounded once each and summed in fp32 are off by no more than one is.
 *
 * fp32: scores are off by some 1e-6, and so is what is summed over many keys. An element must
 * be as good as everybody demands, 1e-5 of the largest. Row by row, where there is no larger
 * row to hide behind, 5e-5: still a 50th of what a lost tile takes from a row at 1M tokens.
 *
 * A tile that is lost, in the way of definition.h, counts as 1, or as half when its keys are of
 * two of ours; roundings make 0.02 of one at most, whatever the length.
 *
 * lse is fp32 always; ln 1M is 14, of which half a last place is 5e-7. A lost tile of 64 keys
 * takes 6e-5 from it at 1M. */
/* SPDX-License-Identifier: MIT */
#include "measure/tolerance.h"

#include <math.h>

static const double U = 1.0 / 512;
static const double MANY = 0.3;         /* of what a row of one term may be off */

/* How often an element of dK was added to in bf16, on average. */
static double narrow_adds(const struct sp_plan *p)
{
    double area = 0;
    for (int i = 0; i < p->nsteps; i++) {
        const struct sp_block *b = sp_step_blocks(p, i);
        const struct sp_buf *buf = &p->buf[b[0].buf];
        if (p->step[i].op != SP_ADD || buf->dtype != SP_BF16)
            continue;
        for (int plane = 0; plane < b[0].planes; plane++)
            if (buf->kind[b[0].plane + plane] == SP_DK)
                area += (double)b[0].rows * b[0].heads;
    }
    return area / ((double)p->pb.seq * p->pb.kv_heads);
}

/* Roundings `once`, then n more. */
static double several(double once, double n) { return U * sqrt(once * once + 4 * n); }

static void bf16(struct sp_tolerance *t, enum sp_kind kind, double adds)
{
    const bool grad = kind == SP_DQ || kind == SP_DK;
    t->element[kind] = several(grad ? 6 : 4, adds);
    t->row[kind] = several(grad ? 10 : 6, adds);
    t->many[kind] = several(MANY * (grad ? 10 : 6), adds) / t->row[kind];
    t->unit[kind] = U * sqrt(1 + adds);
}

static void fp32(struct sp_tolerance *t, enum sp_kind kind)
{
    t->element[kind] = 1e-5;
    t->row[kind] = 5e-5;
    t->many[kind] = MANY;
    t->unit[kind] = 2e-6;
}

double sp_row_scale(const struct sp_tolerance *t, enum sp_kind kind, double size, double peak)
{
    return t->many[kind] * size + (1 - t->many[kind]) * peak;
}

struct sp_tolerance sp_tolerance_of(const struct sp_plan *p)
{
    static const enum sp_kind kinds[] = { SP_O, SP_DQ, SP_DK, SP_DV };
    const double adds = p->pb.dtype == SP_BF16 ? narrow_adds(p) : 0;
    struct sp_tolerance t = { .element = { [SP_LSE] = 2e-5 }, .tile = 0.1 };
    for (int i = 0; i < (p->pb.backward ? 4 : 1); i++) {
        const bool keys = kinds[i] == SP_DK || kinds[i] == SP_DV;
        if (p->pb.dtype == SP_BF16)
            bf16(&t, kinds[i], keys ? adds : 0);
        else
            fp32(&t, kinds[i]);
    }
    return t;
}
