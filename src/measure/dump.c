/* dump.c - rank 0 makes the files in full size, then every rank writes its rows into them. */
/* SPDX-License-Identifier: MIT */
#include "measure/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "executor/executor.h"
#include "measure/pieces.h"
#include "util/memory.h"
#include "util/why.h"

enum { HEADER = 128 };                  /* of a file: magic, version, length, text */

static bool dumped(const struct sp_plan *p, enum sp_kind k)
{
    const bool forward = k == SP_Q || k == SP_K || k == SP_V || k == SP_O;
    const bool backward = k == SP_DO || k == SP_DQ || k == SP_DK || k == SP_DV;
    return forward || (backward && p->pb.backward);
}

static int heads_of(const struct sp_plan *p, enum sp_kind k)
{
    const bool keys = k == SP_K || k == SP_V || k == SP_DK || k == SP_DV;
    return keys ? p->pb.kv_heads : p->pb.heads;
}

/* Where a row starts in its file. */
static off_t offset(const struct sp_plan *p, enum sp_kind k, int b, long pos, int head)
{
    const long row = ((long)b * p->pb.seq + pos) * heads_of(p, k) + head;
    return HEADER + (off_t)row * p->pb.dim * (off_t)sizeof(float);
}

static const char *failed(const char *what, const char *path)
{
    return sp_why("cannot %s %s: %s", what, path, strerror(errno));
}

/* All n bytes, wherever the system stops in between. */
static bool write_at(int file, const void *data, size_t n, off_t at)
{
    for (const char *from = data; n;) {
        const ssize_t done = pwrite(file, from, n, at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        from += done;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

/* ---- rank 0 ---------------------------------------------------------------------------- */

/* NumPy's format 1.0: the text ends at a multiple of 64 bytes. */
static void header(const struct sp_plan *p, enum sp_kind k, char text[HEADER])
{
    const int one = 1;
    const char order = *(const char *)&one ? '<' : '>';
    memset(text, ' ', HEADER);
    memcpy(text, "\x93NUMPY\x01\x00", 8);
    text[8] = (char)(HEADER - 10);
    text[9] = 0;
    const int n = snprintf(text + 10, HEADER - 10, "{'descr': '%cf4', 'fortran_order': False, "
                           "'shape': (%d, %ld, %d, %d), }", order, p->pb.batch, p->pb.seq,
                           heads_of(p, k), p->pb.dim);
    text[10 + n] = ' ';
    text[HEADER - 1] = '\n';
}

static const char *make_file(const struct sp_plan *p, enum sp_kind k, const char *path)
{
    char text[HEADER];
    header(p, k, text);
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (file < 0)
        return failed("create", path);
    const bool good = write_at(file, text, HEADER, 0)
                      && ftruncate(file, offset(p, k, p->pb.batch, 0, 0)) == 0;
    const char *why = good ? NULL : failed("write", path);
    if (close(file) != 0 && !why)
        why = failed("write", path);
    return why;
}

static const char *make_problem(const struct sp_plan *p, const char *strategy, const char *path)
{
    const struct sp_problem *pb = &p->pb;
    json_t *o = json_pack("{s:I s:i s:i s:i s:i s:b s:f s:s s:s s:i}",
        "seq", (json_int_t)pb->seq, "heads", pb->heads, "kv_heads", pb->kv_heads,
        "dim", pb->dim, "batch", pb->batch, "causal", pb->causal, "scale", 1 / sqrt(pb->dim),
        "dtype", sp_dtype_names[pb->dtype], "strategy", strategy, "ranks", pb->ranks);
    const int bad = json_dump_file(o, path, JSON_INDENT(2));
    json_decref(o);
    return bad ? failed("write", path) : NULL;
}

const char *sp_dump_refuse(const char *dir)
{
    if (mkdir(dir, 0777) != 0 && errno != EEXIST)
        return failed("make directory", dir);
    return access(dir, W_OK | X_OK) != 0 ? failed("write in", dir) : NULL;
}

static const char *make_all(const struct sp_plan *p, const char *strategy, const char *dir)
{
    char path[PATH_MAX];
    const char *why = NULL;
    if ((why = sp_dump_refuse(dir)))
        return why;
    for (int k = 0; k < SP_NKINDS && !why; k++) {
        snprintf(path, sizeof path, "%s/%s.npy", dir, sp_kind_names[k]);
        if (dumped(p, k))
            why = make_file(p, k, path);
    }
    snprintf(path, sizeof path, "%s/problem.json", dir);
    return why ? why : make_problem(p, strategy, path);
}

/* ---- every rank -------------------------------------------------------------------------- */

/* The heads of a piece that belong to one row and sequence are next to each other in both. */
static bool write_rows(const struct sp_plan *p, const struct sp_piece *x, int file)
{
    const size_t n = (size_t)x->view.heads * (size_t)x->view.dim;
    float *row = sp_alloc(n * sizeof *row);
    bool good = true;
    for (int b = 0; b < x->view.batch; b++)
        for (int i = 0; i < x->view.rows && good; i++) {
            for (int h = 0; h < x->view.heads; h++)
                sp_piece_row(x, i, b, x->head + h, row + (long)h * x->view.dim);
            good = write_at(file, row, n * sizeof *row,
                            offset(p, x->kind, b, x->place[i], x->head));
        }
    free(row);
    return good;
}

static const char *write_piece(const struct sp_plan *p, const struct sp_piece *x, const char *dir)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s.npy", dir, sp_kind_names[x->kind]);
    const int file = open(path, O_WRONLY);
    if (file < 0)
        return failed("open", path);
    const char *why = write_rows(p, x, file) ? NULL : failed("write", path);
    if (close(file) != 0 && !why)
        why = failed("write", path);
    return why;
}

static const char *write_role(const struct sp_plan *p, int rank, enum sp_role role,
                              void *const *data, const char *dir)
{
    int n;
    const char *why = NULL;
    struct sp_piece *piece = sp_pieces_new(p, rank, role, data, &n);
    for (int i = 0; i < n && !why; i++)
        if (dumped(p, piece[i].kind))
            why = write_piece(p, &piece[i], dir);
    sp_pieces_free(piece, n);
    return why;
}

/* All ranks get to know whether one has failed; also a barrier. */
static const char *together(struct sp_comm *c, const char *why, const char *dir)
{
    double bad = why ? 1 : 0;
    if (c)
        c->transport->reduce(c, &bad, 1, SP_MAX);
    if (bad > 0 && !why)
        why = sp_why("another rank cannot write to %s", dir);
    return why;
}

const char *sp_dump(struct sp_comm *c, const struct sp_plan *p, const char *strategy,
                    void *const *data, const char *dir)
{
    const int rank = c ? c->rank : SP_ALL_RANKS;
    const char *why = rank <= 0 ? make_all(p, strategy, dir) : NULL;
    why = together(c, why, dir);
    if (why)
        return why;
    why = write_role(p, rank, SP_INPUT, data, dir);
    if (!why)
        why = write_role(p, rank, SP_OUTPUT, data, dir);
    return together(c, why, dir);
}
