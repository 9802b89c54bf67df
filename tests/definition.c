/* definition.c - softmax(q k' / sqrt(dim) + mask) v and its gradients, one query at a time. */
/* SPDX-License-Identifier: MIT */
#include "definition.h"

#include <math.h>
#include <stdlib.h>

#include "kernels/kernels.h"
#include "util/memory.h"

static struct definition *kept;
static int nkept;

static unsigned long mix(unsigned long h, unsigned long x)
{
    h = (h ^ x) * 0x9e3779b97f4a7c15ul;
    return h ^ h >> 31;
}

double definition_input(const struct sp_problem *pb, enum sp_kind kind, int batch, int head,
                        long place, int element)
{
    unsigned long h = mix(mix(mix(mix(mix(17, kind), (unsigned long)batch), (unsigned long)head),
                              (unsigned long)place), (unsigned long)element);
    float x = (float)((double)(h >> 11) / 9007199254740992.0 * 4 - 2);
    return pb->dtype == SP_BF16 ? sp_bf16_widen(sp_bf16_round(x)) : x;
}

static bool of_keys(enum sp_kind k) { return k == SP_K || k == SP_V || k == SP_DK || k == SP_DV; }

static size_t at(const struct sp_problem *pb, enum sp_kind kind, int batch, int head, long place)
{
    int heads = of_keys(kind) ? pb->kv_heads : pb->heads;
    int dim = kind == SP_LSE || kind == SP_DELTAS ? 1 : pb->dim;
    return (((size_t)batch * (size_t)heads + (size_t)head) * (size_t)pb->seq + (size_t)place)
           * (size_t)dim;
}

const double *definition_at(const struct definition *d, enum sp_kind kind, int batch, int head,
                            long place)
{
    return d->of[kind] + at(&d->pb, kind, batch, head, place);
}

static double dot(const double *x, const double *y, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

/* One query: its o and lse, and what it adds to the gradients. */
static void query(struct definition *d, int b, int h, long i, double *prob)
{
    const struct sp_problem *pb = &d->pb;
    int dim = pb->dim, kv = h / (pb->heads / pb->kv_heads);
    long keys = pb->causal ? i + 1 : pb->seq;
    const double *q = d->of[SP_Q] + at(pb, SP_Q, b, h, i), *dout = d->of[SP_DO] + (q - d->of[SP_Q]);
    const double *k = d->of[SP_K] + at(pb, SP_K, b, kv, 0), *v = d->of[SP_V] + (k - d->of[SP_K]);
    double *dk = d->of[SP_DK] + (k - d->of[SP_K]), *dv = d->of[SP_DV] + (k - d->of[SP_K]);
    double *o = d->of[SP_O] + (q - d->of[SP_Q]), *dq = d->of[SP_DQ] + (q - d->of[SP_Q]);
    double top = -INFINITY, sum = 0, scale = 1 / sqrt(dim);
    for (long j = 0; j < keys; j++) {
        prob[j] = scale * dot(q, k + j * dim, dim);
        top = fmax(top, prob[j]);
    }
    for (long j = 0; j < keys; j++)
        sum += prob[j] = exp(prob[j] - top);
    for (long j = 0; j < keys; j++) {
        prob[j] /= sum;
        for (int e = 0; e < dim; e++)
            o[e] += prob[j] * v[j * dim + e];
    }
    d->of[SP_LSE][at(pb, SP_LSE, b, h, i)] = top + log(sum);
    double delta = dot(o, dout, dim);
    for (long j = 0; j < keys; j++) {
        double ds = scale * prob[j] * (dot(dout, v + j * dim, dim) - delta);
        for (int e = 0; e < dim; e++) {
            dv[j * dim + e] += prob[j] * dout[e];
            dk[j * dim + e] += ds * q[e];
            dq[e] += ds * k[j * dim + e];
        }
    }
}

static void fill(struct definition *d, enum sp_kind kind)
{
    const struct sp_problem *pb = &d->pb;
    int heads = of_keys(kind) ? pb->kv_heads : pb->heads;
    for (int b = 0; b < pb->batch; b++)
        for (int h = 0; h < heads; h++)
            for (long i = 0; i < pb->seq; i++)
                for (int e = 0; e < pb->dim; e++)
                    d->of[kind][at(pb, kind, b, h, i) + (size_t)e] =
                        definition_input(pb, kind, b, h, i, e);
}

static void compute(struct definition *d)
{
    const struct sp_problem *pb = &d->pb;
    for (int kind = 0; kind < SP_NKINDS; kind++)
        d->of[kind] = sp_alloc(at(pb, (enum sp_kind)kind, pb->batch, 0, 0) * sizeof(double));
    fill(d, SP_Q);
    fill(d, SP_K);
    fill(d, SP_V);
    fill(d, SP_DO);
    double *prob = sp_alloc((size_t)pb->seq * sizeof *prob);
    for (int b = 0; b < pb->batch; b++)
        for (int h = 0; h < pb->heads; h++)
            for (long i = 0; i < pb->seq; i++)
                query(d, b, h, i, prob);
    free(prob);
    for (int kind = 0; kind < SP_NKINDS; kind++)
        for (size_t i = 0; i < at(pb, (enum sp_kind)kind, pb->batch, 0, 0); i++)
            d->most[kind] = fmax(d->most[kind], fabs(d->of[kind][i]));
}

const struct definition *definition_of(const struct sp_problem *pb)
{
    for (int i = 0; i < nkept; i++) {
        const struct sp_problem *x = &kept[i].pb;
        if (x->seq == pb->seq && x->batch == pb->batch && x->heads == pb->heads
            && x->kv_heads == pb->kv_heads && x->dim == pb->dim && x->dtype == pb->dtype
            && x->causal == pb->causal)
            return &kept[i];
    }
    kept = sp_grow(kept, nkept, sizeof *kept);
    kept[nkept] = (struct definition){ .pb = *pb };
    compute(&kept[nkept]);
    return &kept[nkept++];
}

void definition_forget(void)
{
    for (int i = 0; i < nkept; i++)
        for (int kind = 0; kind < SP_NKINDS; kind++)
            free(kept[i].of[kind]);
    free(kept);
    kept = NULL;
    nkept = 0;
}
