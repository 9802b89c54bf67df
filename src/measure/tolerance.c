/* tolerance.c - a tolerance is what the roundings on the way add up to, times a margin.
 *
 * u is half a unit of the last place: 2^-9 for bf16. A number rounded once is off by at most
 * u of itself, and by 0.43 u of itself in root mean square.
 *
 * An output in bf16 has been rounded at the end (u), and a kernel may have rounded what it
 * summed: p or ds, and o within delta. Those errors have random signs and join as squares:
 * an element is off by about 0.43 u sqrt(3) = 0.74 u of its size, the largest by about u.
 * So elements get 3 u, 5.9e-3.
 *
 * dK and dV that are summed in bf16, as on a ring, are rounded at each of n additions, when
 * they have grown to i/n of their square: sqrt(n/2) 0.43 u in all. The largest of many
 * elements is off by some 3.6 times as much, relative to the largest: 1.1 u sqrt(n + 1),
 * which is 6e-3, 1.8e-2 and 4.7e-2 at 8, 64 and 512 ranks. n is counted in the plan.
 *
 * fp32: the sums of a tile are added one after another, scores are off by some 1e-6. The
 * element bound is what everybody demands, 1e-5. Row by row, where there is no larger row to
 * hide behind, 2e-4: still a 20th of what a lost tile takes from a row at 1M tokens.
 *
 * lse is fp32 always; ln 1M is 14, of which half a last place is 5e-7. A tile of 64 keys is
 * 6e-5 of 1M. */
/* SPDX-License-Identifier: MIT */
#include "measure/tolerance.h"

#include <math.h>

static const double U = 1.0 / 512;

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

static void bf16(struct sp_tolerance *t, enum sp_kind kind, double adds)
{
    t->element[kind] = fmax(3 * U, 1.1 * U * sqrt(adds + 1));
    t->row[kind] = U * sqrt(4 + adds);
    t->unit[kind] = U * sqrt(1 + adds / 2);
}

static void fp32(struct sp_tolerance *t, enum sp_kind kind)
{
    t->element[kind] = 1e-5;
    t->row[kind] = 2e-4;
    t->unit[kind] = 2e-6;
}

struct sp_tolerance sp_tolerance_of(const struct sp_plan *p)
{
    static const enum sp_kind kinds[] = { SP_O, SP_DQ, SP_DK, SP_DV };
    const double adds = p->pb.dtype == SP_BF16 ? narrow_adds(p) : 0;
    struct sp_tolerance t = { .element = { [SP_LSE] = 2e-5 } };
    for (int i = 0; i < (p->pb.backward ? 4 : 1); i++) {
        const bool keys = kinds[i] == SP_DK || kinds[i] == SP_DV;
        if (p->pb.dtype == SP_BF16)
            bf16(&t, kinds[i], keys ? adds : 0);
        else
            fp32(&t, kinds[i]);
    }
    return t;
}
