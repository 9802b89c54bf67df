/* measured.c - files of measurements of either kind, and the points of our own. */
/* SPDX-License-Identifier: MIT */
#include "report/measured.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/foreign.h"
#include "util/memory.h"
#include "util/parse.h"
#include "util/why.h"

void sp_measured_leave(struct sp_measured *m, const char *why)
{
    if (why && !m->why)
        m->why = strdup(why);
}

const char *sp_measured_pass(const struct sp_measured *m)
{
    static const char *const names[2][2] = { { "", "bwd" }, { "fwd", "fwd+bwd" } };
    return names[m->pass[SP_FORWARD]][m->pass[SP_BACKWARD]];
}

/* ---- results of seqpar run ---- */

/* "buffers=2 chunks=1" */
static const char *set_knobs(const struct sp_strategy *s, struct sp_problem *pb,
                             const char *knobs)
{
    char *text = strdup(knobs), *rest = text;
    const char *why = NULL;
    for (char *word; !why && (word = strsep(&rest, " "));) {
        char *value = strchr(word, '=');
        if (!*word)
            continue;
        if (value)
            *value++ = 0;
        why = value ? sp_strategy_set(s, pb, word, value)
                    : sp_why("knob '%s' has no value", word);
    }
    free(text);
    return why;
}

static const char *read_sizes(const struct sp_row *row, struct sp_problem *pb)
{
    const struct { const char *name; long value, high; } wanted[] = {
        { "sp", row->sp, SP_MAX_RANKS }, { "seq", row->seq, INT_MAX },
        { "batch", row->batch, INT_MAX }, { "heads", row->heads, SHRT_MAX },
        { "kv_heads", row->kv_heads, SHRT_MAX }, { "head_dim", row->head_dim, 1024 },
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (wanted[i].value < 1 || wanted[i].value > wanted[i].high)
            return sp_why("%s %ld must be from 1 to %ld", wanted[i].name, wanted[i].value,
                          wanted[i].high);
    pb->ranks = (int)row->sp;
    pb->seq = row->seq;
    pb->batch = (int)row->batch;
    pb->heads = (int)row->heads;
    pb->kv_heads = (int)row->kv_heads;
    pb->dim = (int)row->head_dim;
    return NULL;
}

static const char *read_words(const struct sp_row *row, struct sp_measured *m)
{
    static const char *const masks[] = { "full", "causal", NULL };
    int dtype, mask, layout;
    const char *why = sp_foreign_pass(row->pass ? row->pass : "", m->pass);
    if (why || (why = sp_parse_name(row->dtype ? row->dtype : "", sp_dtype_names, &dtype))
        || (why = sp_parse_name(row->mask ? row->mask : "", masks, &mask))
        || (why = sp_parse_name(row->layout ? row->layout : "", sp_layout_names, &layout)))
        return why;
    m->strategy = sp_strategy_find(row->strategy ? row->strategy : "");
    if (!m->strategy)
        return sp_why("strategy '%s' is none of seqpar's", row->strategy ? row->strategy : "");
    sp_strategy_reset(m->strategy, &m->pb);
    m->pb.dtype = (enum sp_dtype)dtype;
    m->pb.causal = mask;
    m->pb.layout = (enum sp_layout)layout;
    return set_knobs(m->strategy, &m->pb, row->knobs ? row->knobs : "");
}

static const char *read_point(const struct sp_row *row, struct sp_measured *m)
{
    const char *why = NULL;
    if (row->source && strcmp(row->source, "measured"))
        return sp_why("%s, not measured", row->source);
    if (row->status != SP_POINT_OK)
        return sp_why("its status is %s", sp_status_names[row->status]);
    if (!row->mode || strcmp(row->mode, "overlapped"))
        return "not overlapped: a plan taken apart";
    if (!(row->time >= 1e-9 && row->time <= 1e9))
        return "incomplete: no time";
    if ((why = read_sizes(row, &m->pb)) || (why = read_words(row, m)))
        return why;
    m->seconds = row->time;
    m->gpus = m->pb.ranks;
    m->pb.backward = m->pass[SP_BACKWARD];
    why = sp_strategy_settle(m->strategy, &m->pb);
    return why ? sp_why("refused by %s: %s", m->strategy->name, why) : NULL;
}

static void read_points(struct sp_measured_file *f)
{
    f->n = f->results.n;
    f->row = sp_alloc((size_t)f->n * sizeof *f->row);
    for (long i = 0; i < f->n; i++) {
        f->row[i] = (struct sp_measured){
            .line = i + 1, .source = "seqpar run", .hardware = "", .link = "" };
        sp_measured_leave(&f->row[i], read_point(&f->results.row[i], &f->row[i]));
    }
}

/* ---- files ---- */

/* JSON lines begin with a brace; EOF: an empty file. */
static const char *first_byte(const char *path, int *byte)
{
    FILE *file = fopen(path, "r");
    *byte = file ? getc(file) : EOF;
    const char *why = !file || ferror(file) ? sp_why("cannot read %s: %s", path, strerror(errno))
                                            : NULL;
    if (file)
        fclose(file);
    return why;
}

const char *sp_measured_read(struct sp_measured_file *f, const char *path)
{
    int byte;
    *f = (struct sp_measured_file){ .path = strdup(path) };
    const char *why = first_byte(path, &byte);
    if (why)
        return why;
    if (byte == '{') {
        why = sp_results_read(&f->results, path);
        if (!why)
            read_points(f);
        return why;
    }
    f->table = sp_table_load(path, &why);
    return f->table ? sp_published_rows(f) : why;
}

void sp_measured_free(struct sp_measured_file *f)
{
    for (long i = 0; i < f->n; i++)
        free(f->row[i].why);
    free(f->row);
    free(f->path);
    sp_table_free(f->table);
    if (f->results.text)
        sp_results_free(&f->results);
}
