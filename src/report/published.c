/* published.c - a row of a published table, as a point: complete and trusted, or why not. */
/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <string.h>

#include "report/foreign.h"
#include "report/measured.h"
#include "util/memory.h"
#include "util/parse.h"
#include "util/why.h"

enum column {
    SOURCE, HARDWARE, GPUS, PER_NODE, LINK, STRATEGY, SP, ULYSSES, LAYOUT, PASS, BATCH, SEQ,
    HEADS, KV_HEADS, DIM, CAUSAL, DTYPE, METRIC, VALUE, UNIT, NOTES, NCOLUMNS
};

static const struct { const char *name; bool needed; } columns[NCOLUMNS] = {
    [SOURCE] = { "source_id", false },
    [HARDWARE] = { "hardware", true },
    [GPUS] = { "gpus_total", true },
    [PER_NODE] = { "gpus_per_node", false },
    [LINK] = { "intra_link", false },
    [STRATEGY] = { "strategy", true },
    [SP] = { "sp_degree", true },
    [ULYSSES] = { "ulysses_degree", false },
    [LAYOUT] = { "layout", false },
    [PASS] = { "pass", true },
    [BATCH] = { "batch", true },
    [SEQ] = { "seq_global", true },
    [HEADS] = { "heads_q", true },
    [KV_HEADS] = { "heads_kv", true },
    [DIM] = { "head_dim", true },
    [CAUSAL] = { "causal", true },
    [DTYPE] = { "dtype", true },
    [METRIC] = { "metric", false },
    [VALUE] = { "value", true },
    [UNIT] = { "unit", true },
    [NOTES] = { "notes", false },
};

struct reader { const struct sp_table *t; int at[NCOLUMNS]; long row; };

static const char *cell(const struct reader *r, enum column c)
{
    return r->at[c] < 0 ? "" : sp_table_cell(r->t, r->row, r->at[c]);
}

/* What is not stated is 0, where that is allowed. */
static const char *whole(const struct reader *r, enum column c, long high, bool needed,
                         long *value)
{
    const char *text = cell(r, c), *why;
    *value = 0;
    if (!*text)
        return needed ? sp_why("incomplete: %s is not stated", columns[c].name) : NULL;
    why = sp_parse_size(text, 1, high, value);
    return why ? sp_why("%s: %s", columns[c].name, why) : NULL;
}

static const char *read_causal(const struct reader *r, bool *causal)
{
    const char *text = cell(r, CAUSAL);
    *causal = !strcmp(text, "1");
    if (*causal || !strcmp(text, "0"))
        return NULL;
    return *text ? sp_why("causal '%s' is not 0 or 1", text)
                 : "incomplete: causal is not stated";
}

static const char *read_sizes(const struct reader *r, struct sp_measured *m)
{
    const struct { enum column column; long high; bool needed; } wanted[] = {
        { GPUS, INT_MAX, true }, { SP, SP_MAX_RANKS, true }, { PER_NODE, INT_MAX, false },
        { BATCH, INT_MAX, true }, { SEQ, INT_MAX, true }, { HEADS, SHRT_MAX, true },
        { KV_HEADS, SHRT_MAX, true }, { DIM, 1024, true },
    };
    enum { N = sizeof wanted / sizeof *wanted };
    long x[N];
    for (int i = 0; i < N; i++) {
        const char *why = whole(r, wanted[i].column, wanted[i].high, wanted[i].needed, &x[i]);
        if (why)
            return why;
    }
    m->gpus = (int)x[0];
    m->per_node = (int)x[2];
    m->pb.ranks = (int)x[1];
    m->pb.batch = (int)x[3];
    m->pb.seq = x[4];
    m->pb.heads = (int)x[5];
    m->pb.kv_heads = (int)x[6];
    m->pb.dim = (int)x[7];
    if (m->gpus % m->pb.ranks)
        return sp_why("sp_degree %d must divide gpus_total %d", m->pb.ranks, m->gpus);
    return read_causal(r, &m->pb.causal);
}

/* Whoever collected the rows marked those that contradict others, or themselves. */
static const char *read_trust(const struct reader *r)
{
    const char *notes = cell(r, NOTES);
    if (strstr(notes, "EXCLUDE"))
        return "excluded by its notes";
    return strstr(notes, "FLAG") ? "flagged by its notes" : NULL;
}

static const char *read_row(const struct reader *r, struct sp_measured *m)
{
    long ulysses;
    const char *why = read_trust(r);
    m->source = cell(r, SOURCE);
    m->hardware = cell(r, HARDWARE);
    m->link = cell(r, LINK);
    m->launch_bound = strstr(cell(r, NOTES), "launch-bound");
    m->fp16 = strstr(cell(r, DTYPE), "fp16");
    if (why || (why = sp_foreign_pass(cell(r, PASS), m->pass))
        || (why = sp_foreign_dtype(cell(r, DTYPE), &m->pb.dtype))
        || (why = read_sizes(r, m))
        || (why = whole(r, ULYSSES, SP_MAX_RANKS, false, &ulysses))
        || (why = sp_foreign_seconds(cell(r, VALUE), cell(r, UNIT), cell(r, METRIC), &m->pb,
                                     m->pass, &m->seconds))
        || (why = sp_foreign_strategy(cell(r, STRATEGY), cell(r, LAYOUT), ulysses, &m->pb,
                                      &m->strategy)))
        return why;
    m->pb.backward = m->pass[SP_BACKWARD];
    why = sp_strategy_settle(m->strategy, &m->pb);
    return why ? sp_why("refused by %s: %s", m->strategy->name, why) : NULL;
}

static const char *find_columns(struct reader *r)
{
    for (int c = 0; c < NCOLUMNS; c++) {
        r->at[c] = sp_table_column(r->t, columns[c].name);
        if (r->at[c] < 0 && columns[c].needed)
            return sp_why("%s has no column %s; results/published/README.md lists those of a "
                          "table of measurements", r->t->path, columns[c].name);
    }
    return NULL;
}

const char *sp_published_rows(struct sp_measured_file *f)
{
    struct reader r = { .t = f->table };
    const char *why = find_columns(&r);
    if (why)
        return why;
    f->n = f->table->nrows;
    f->row = sp_alloc((size_t)f->n * sizeof *f->row);
    for (r.row = 0; r.row < f->n; r.row++) {
        struct sp_measured *m = &f->row[r.row];
        m->line = f->table->line[r.row];
        sp_measured_leave(m, read_row(&r, m));
    }
    return NULL;
}
