/* pieces.c - what the plan says about its buffers, spelled out row by row. */
/* SPDX-License-Identifier: MIT */
#include "measure/pieces.h"

#include <stdlib.h>

#include "executor/arithmetic.h"
#include "executor/executor.h"
#include "util/memory.h"

struct pieces { struct sp_piece *piece; int n; };

static long *spell(const struct sp_plan *p, struct sp_content is, int rows)
{
    const struct sp_where at = sp_places_at(&p->places, is.list);
    long *place = sp_alloc((size_t)rows * sizeof *place);
    long skip = is.skip;
    int n = 0;
    for (int r = 0; r < at.nruns && n < rows; r++) {
        for (long j = skip; j < at.run[r].count && n < rows; j++)
            place[n++] = at.run[r].start + j * at.run[r].stride;
        skip = skip > at.run[r].count ? skip - at.run[r].count : 0;
    }
    return place;
}

static void add(struct pieces *s, const struct sp_plan *p, struct sp_block b,
                struct sp_content is, void *const *data)
{
    for (int plane = 0; plane < b.planes; plane++) {
        s->piece = sp_grow(s->piece, s->n, sizeof *s->piece);
        s->piece[s->n++] = (struct sp_piece){
            .kind = p->buf[b.buf].kind[b.plane + plane],
            .view = sp_block_view(p, b, plane, data),
            .head = is.head,
            .place = spell(p, is, b.rows),
        };
    }
}

struct sp_piece *sp_pieces_new(const struct sp_plan *p, int rank, enum sp_role role,
                               void *const *data, int *n)
{
    struct pieces s = { NULL, 0 };
    for (int i = 0; i < p->nbufs; i++) {
        const bool mine = rank == SP_ALL_RANKS || p->buf[i].rank == rank;
        for (int j = 0; mine && p->buf[i].role == role && j < p->region[i].nboxes; j++) {
            struct sp_block b = p->region[i].box[j].b;
            b.buf = i;
            add(&s, p, b, p->region[i].box[j].is, data);
        }
    }
    *n = s.n;
    return s.piece;
}

void sp_pieces_free(struct sp_piece *piece, int n)
{
    for (int i = 0; i < n; i++)
        free(piece[i].place);
    free(piece);
}

bool sp_piece_has(const struct sp_piece *x, int head)
{
    return head >= x->head && head < x->head + x->view.heads;
}

long sp_piece_at(const struct sp_piece *x, int i, int b, int head)
{
    const struct sp_view *v = &x->view;
    return i * v->row_stride + b * v->batch_stride + (long)(head - x->head) * v->dim;
}

void sp_piece_row(const struct sp_piece *x, int i, int b, int head, float *row)
{
    const long at = sp_piece_at(x, i, b, head);
    for (int d = 0; d < x->view.dim; d++)
        row[d] = sp_view_get(&x->view, at + d);
}
