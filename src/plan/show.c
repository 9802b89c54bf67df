/* show.c - a plan as text: what each rank holds, and its steps in plan order. */
/* SPDX-License-Identifier: MIT */
#include "plan/plan.h"

/* "kv in[K V][0..512)", heads only where they are not all. */
static void block(const struct sp_plan *p, struct sp_block b, FILE *out)
{
    const struct sp_buf *buf = &p->buf[b.buf];
    fprintf(out, "%s", buf->name);
    if (b.planes < buf->planes) {
        for (int i = 0; i < b.planes; i++)
            fprintf(out, "%s%s", i ? " " : ".", sp_kind_names[buf->kind[b.plane + i]]);
    }
    if (b.rows < buf->rows)
        fprintf(out, "[%d..%d)", b.row, b.row + b.rows);
    if (b.heads < buf->heads)
        fprintf(out, "{heads %d..%d}", b.head, b.head + b.heads - 1);
}

static void places(const struct sp_plan *p, int list, FILE *out)
{
    struct sp_where w = sp_places_at(&p->places, list);
    for (int i = 0; i < w.nruns && i < 4; i++) {
        const struct sp_run *r = &w.run[i];
        fprintf(out, "%s%ld", i ? "," : "", r->start);
        if (r->count > 1)
            fprintf(out, "..%ld", r->start + r->stride * (r->count - 1));
        if (r->count > 1 && r->stride != 1)
            fprintf(out, "/%ld", r->stride);
    }
    if (w.nruns > 4)
        fprintf(out, ",...");
}

static void step(const struct sp_plan *p, int i, FILE *out)
{
    const struct sp_step *s = &p->step[i];
    const struct sp_opinfo *op = &sp_ops[s->op];
    fprintf(out, "%6d  %4d  %-7s  %-5s  ", i, s->rank, sp_lane_names[s->lane], op->name);
    for (int j = 0; j < op->nblocks; j++) {
        bool reads = op->reads >> j & 1, first_read = j && !(op->writes >> j & 1)
                     && (op->writes >> (j - 1) & 1);
        fprintf(out, "%s", j == 0 ? "" : first_read && reads ? " <- " : ", ");
        block(p, sp_step_blocks(p, i)[j], out);
    }
    if (s->twin >= 0)
        fprintf(out, " %s rank %d, %zu B, group %d", s->op == SP_SEND ? "to" : "from",
                sp_step_peer(p, i), sp_block_bytes(p, sp_step_blocks(p, i)[0]), s->group);
    if (s->qpos >= 0) {
        fprintf(out, "; q ");
        places(p, s->qpos, out);
        fprintf(out, " k ");
        places(p, s->kpos, out);
        fprintf(out, ", %.0f pairs", sp_step_pairs(p, i));
    }
    if (s->needs)
        fprintf(out, "; after");
    for (int j = 0; j < s->needs; j++)
        fprintf(out, " %d", p->need[s->need + j]);
    fprintf(out, "\n");
}

static void home(const struct sp_plan *p, int rank, FILE *out)
{
    fprintf(out, "# rank %d: tokens ", rank);
    if (p->home[rank] >= 0)
        places(p, p->home[rank], out);
    fprintf(out, "; %zu bytes in", sp_rank_bytes(p, rank));
    for (int i = 0; i < p->nbufs; i++)
        if (p->buf[i].rank == rank)
            fprintf(out, " %s", p->buf[i].name);
    fprintf(out, "\n");
}

void sp_show_text(const struct sp_plan *p, int rank, FILE *out)
{
    for (int r = 0; r < p->pb.ranks; r++)
        if (rank < 0 || r == rank)
            home(p, r, out);
    fprintf(out, "#%5s  %4s  %-7s  %-5s  writes <- reads\n", "step", "rank", "lane", "op");
    for (int i = 0; i < p->nsteps; i++) {
        if (i == p->backward_at)
            fprintf(out, "# ---- backward ----\n");
        if (rank < 0 || p->step[i].rank == rank)
            step(p, i, out);
    }
}
