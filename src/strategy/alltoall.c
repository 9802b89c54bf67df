/* alltoall.c - trade tokens for heads among n ranks, and back (DeepSpeed-Ulysses, Jacobs et
 * al., 2023). Slices of heads are packed with copies, so that what is sent is contiguous. Each
 * member begins with itself and goes round, so that all do alike. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "strategy/parts.h"
#include "util/memory.h"

struct sp_block sp_all_tokens(struct sp_plan *p, int rank, struct sp_block like, int n, int heads)
{
    const struct sp_buf *b = &p->buf[like.buf];
    return sp_new(p, rank, (struct sp_buf){ .name = b->name, .kind = { b->kind[0] },
        .dtype = b->dtype, .rows = like.rows * n, .heads = heads });
}

int sp_head_share(int heads, int n) { return heads > n ? heads / n : 1; }

void sp_head_shares(int heads, int n, int *first)
{
    for (int j = 0; j < n; j++)
        first[j] = (int)((long)j * heads / n);
}

static bool heads_fit(const struct sp_problem *pb, int n)
{
    return n > 0 && pb->heads % n == 0 && (pb->kv_heads % n == 0 || n % pb->kv_heads == 0);
}

const char *sp_heads_refuse(const struct sp_problem *pb, const char *what, int n)
{
    static char why[200];
    if (heads_fit(pb, n))
        return NULL;
    int below = n - 1, above = n + 1;
    while (below > 0 && !heads_fit(pb, below))
        below--;
    while (above <= pb->heads && !heads_fit(pb, above))
        above++;
    if (pb->heads % n)
        snprintf(why, sizeof why, "%s %d must divide heads %d; nearest: %d", what, n, pb->heads,
                 below);
    else
        snprintf(why, sizeof why, "%s %d must divide kv-heads %d or be a multiple of it; "
                 "nearest: %d", what, n, pb->kv_heads, below);
    size_t at = strlen(why);
    if (above <= pb->heads)
        snprintf(why + at, sizeof why - at, ", %d", above);
    return why;
}

void sp_to_heads(struct sp_plan *p, int n, const struct sp_block *x, const struct sp_block *y,
                 const int *first)
{
    int rows = x[0].rows, heads = y[0].heads;
    struct sp_block *packed = sp_alloc((size_t)n * sizeof *packed);
    for (int i = 0; i < n; i++) {
        const struct sp_buf *b = &p->buf[x[i].buf];
        if (n > 1)
            packed[i] = sp_new(p, b->rank, (struct sp_buf){
                .name = "packed", .kind = { b->kind[x[i].plane] }, .dtype = b->dtype,
                .rows = n * rows, .heads = heads });
        for (int d = 0; d < n; d++) {
            int j = (i + d) % n;
            sp_copy(p, SP_COMPUTE, i == j ? sp_rows(y[j], i * rows, rows)
                                          : sp_rows(packed[i], j * rows, rows),
                    sp_heads(x[i], first[j], heads));
        }
    }
    sp_group(p);
    for (int i = 0; i < n; i++)
        for (int d = 1; d < n; d++) {
            int j = (i + d) % n;
            sp_move(p, SP_COMM, sp_rows(y[j], i * rows, rows), sp_rows(packed[i], j * rows, rows));
        }
    free(packed);
}

struct sp_return sp_to_rows(struct sp_plan *p, int n, const struct sp_block *x,
                            const struct sp_block *y, const int *first)
{
    int rows = x[0].rows;
    struct sp_block *got = sp_alloc((size_t)n * sizeof *got);
    for (int i = 0; i < n && n > 1; i++) {
        const struct sp_buf *b = &p->buf[y[i].buf];
        got[i] = sp_new(p, b->rank, (struct sp_buf){
            .name = "returned", .kind = { b->kind[y[i].plane] }, .dtype = b->dtype,
            .rows = n * rows, .heads = y[i].heads });
    }
    sp_group(p);
    for (int j = 0; j < n; j++)
        for (int d = 1; d < n; d++) {
            int i = (j + d) % n;
            sp_move(p, SP_COMM, sp_rows(got[i], j * rows, rows), sp_rows(y[j], i * rows, rows));
        }
    return (struct sp_return){ n, x, y, first, got };
}

/* What member j sent to member i. */
static struct sp_block returned(const struct sp_return *r, int i, int j)
{
    int rows = r->x[0].rows;
    return i == j ? sp_rows(r->y[i], i * rows, rows) : sp_rows(r->got[i], j * rows, rows);
}

/* The first member that has the heads of member j, and how many there are. */
static int sharers(const struct sp_return *r, int j, int *many)
{
    int k = j;
    while (k < r->n && r->first[k] == r->first[j])
        k++;
    while (j > 0 && r->first[j - 1] == r->first[j])
        j--;
    *many = k - j;
    return j;
}

void sp_to_rows_end(struct sp_plan *p, struct sp_return *r)
{
    for (int i = 0; i < r->n; i++)
        for (int left = r->n, many, last = i; left; left -= many) {
            int j = sharers(r, last, &many);
            struct sp_block to = sp_heads(r->x[i], r->first[j], r->y[j].heads);
            last = (j + r->n - 1) % r->n;
            if (many == 1) {
                sp_copy(p, SP_COMPUTE, to, returned(r, i, j));
                continue;
            }
            struct sp_block sum = sp_wide(p, to, "replicas' sum");
            sp_copy(p, SP_COMPUTE, sum, returned(r, i, j));
            for (int k = j + 1; k < j + many; k++)
                sp_add(p, sum, returned(r, i, k));
            sp_narrow(p, to, sum);
        }
    free(r->got);
    r->got = NULL;
}
