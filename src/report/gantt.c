/* gantt.c - the pens: Chrome events, and a chart by gnuplot, a line for each lane of a rank.
 *
 *     1 comm in   ........|=recv==|....
 *     1 compute   |==attn==|===attn===|
 *     0 compute   |==attn===|====attn==|            time ->                              */
/* SPDX-License-Identifier: MIT */
#include "report/timeline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/gnuplot.h"
#include "util/memory.h"

/* More lines or bars than that nobody can read; the trace has them all. */
enum { MAX_LINES = 64, MAX_DRAWN = 20000 };

/* What has a colour of its own; the rest shares the last. */
static const char *const ops[] = { "attn", "grad", "send", "recv", "merge", "add", "copy", "delta",
                                   NULL };

/* ---- Chrome ---- */

void sp_chrome_begin(FILE *f)
{
    fprintf(f, "{\"traceEvents\": [{\"name\": \"process_sort_index\", \"ph\": \"M\", \"pid\": 0, "
            "\"args\": {\"sort_index\": 0}}");
}

void sp_chrome_bar(FILE *f, const struct sp_bar *b)
{
    fprintf(f, ",\n{\"name\": \"%s %s\", \"cat\": \"%s\", \"ph\": \"X\", \"pid\": %d, "
            "\"tid\": \"%s\", \"ts\": %.3f, \"dur\": %.3f, \"args\": {\"step\": %d, "
            "\"pass\": \"%s\"}}", b->op, b->what, b->transfer ? "transfer" : "compute", b->rank,
            b->lane, b->start * 1e6, (b->end - b->start) * 1e6, b->step,
            b->pass == SP_FORWARD ? "fwd" : "bwd");
}

void sp_chrome_end(FILE *f) { fprintf(f, "\n]}\n"); }

/* ---- Gantt ---- */

struct line { int rank; const char *lane; };
struct chart { struct line line[MAX_LINES]; int n; int left_out; double end; };

static int order(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    return x->rank != y->rank ? x->rank - y->rank : -strcmp(x->lane, y->lane);
}

static int line_of(const struct chart *c, const struct sp_bar *b)
{
    for (int i = 0; i < c->n; i++)
        if (c->line[i].rank == b->rank && !strcmp(c->line[i].lane, b->lane))
            return i;
    return -1;
}

/* The lanes of the first ranks that there is room for. */
static struct chart chart_of(const struct sp_timeline *t)
{
    struct chart c = { .n = 0 };
    for (int i = 0; i < t->n; i++) {
        const struct sp_bar *b = &t->bar[i];
        c.end = fmax(c.end, b->end);
        if (line_of(&c, b) < 0 && c.n < MAX_LINES)
            c.line[c.n++] = (struct line){ b->rank, b->lane };
    }
    qsort(c.line, (size_t)c.n, sizeof *c.line, order);
    for (int i = 0; i < t->n; i++)
        c.left_out += line_of(&c, &t->bar[i]) < 0;
    return c;
}

static int op_of(const struct sp_bar *b)
{
    int i = 0;
    while (ops[i] && strcmp(ops[i], b->op))
        i++;
    return i;
}

static void put_data(FILE *f, const struct sp_timeline *t, struct chart *c)
{
    int drawn = 0;
    fprintf(f, "# line start_ms end_ms op rank step\n");
    for (int i = 0; i < t->n; i++) {
        const struct sp_bar *b = &t->bar[i];
        int line = line_of(c, b);
        if (line < 0)
            continue;
        if (drawn++ < MAX_DRAWN)
            fprintf(f, "%d %.6f %.6f %d %d %d\n", line, b->start * 1e3, b->end * 1e3, op_of(b),
                    b->rank, b->step);
        else
            c->left_out++;
    }
}

static void put_labels(FILE *f, const struct chart *c)
{
    fprintf(f, "set ytics (");
    for (int i = 0; i < c->n; i++) {
        char label[SP_BAR_TEXT + 16];
        snprintf(label, sizeof label, "%d %s", c->line[i].rank, c->line[i].lane);
        fprintf(f, "%s", i ? ", " : "");
        sp_gnuplot_text(f, label);
        fprintf(f, " %d", i);
    }
    fprintf(f, ")\n");
}

static void put_script(FILE *f, const char *prefix, const char *title, const struct chart *c,
                       const struct sp_timeline *t)
{
    char whole[400];
    bool there[SP_NCOLOURS + 1] = { false };
    snprintf(whole, sizeof whole, c->left_out ? "%s (%d bars more in the trace)" : "%s", title,
             c->left_out);
    for (int i = 0; i < t->n; i++)
        there[op_of(&t->bar[i])] = true;
    sp_gnuplot_picture(f, prefix, 1200, 160 + 22 * c->n);
    fprintf(f, "set title ");
    sp_gnuplot_text(f, whole);
    fprintf(f, " noenhanced\nset xlabel 'ms'\nset xrange [0:%.6f]\nset yrange [-0.7:%d]\n"
            "set ytics noenhanced\nset key outside bottom center horizontal noenhanced\n"
            "set grid x\nset style fill solid 0.9 border rgb 'white'\n", c->end * 1e3, c->n);
    put_labels(f, c);
    bool first = true;
    for (int i = 0; i <= SP_NCOLOURS; i++) {
        if (!there[i])
            continue;
        fprintf(f, first ? "plot " : ", \\\n     ");
        sp_gnuplot_file(f, prefix, ".dat");
        fprintf(f, " using (($4 == %d) ? ($2 + $3) / 2 : NaN):1:2:3:($1 - 0.38):($1 + 0.38) "
                "with boxxyerror lc rgb '%s' title '%s'", i,
                i < SP_NCOLOURS ? sp_gnuplot_colours[i] : "#000000", ops[i] ? ops[i] : "other");
        first = false;
    }
    fprintf(f, "\n");
}

const char *sp_timeline_write(const struct sp_timeline *t, const char *prefix, const char *title,
                              const char **note)
{
    const char *why = NULL;
    struct chart c = chart_of(t);
    FILE *json = sp_gnuplot_open(prefix, ".json", &why);
    FILE *data = why ? NULL : sp_gnuplot_open(prefix, ".dat", &why);
    FILE *script = why ? NULL : sp_gnuplot_open(prefix, ".gp", &why);
    if (!why) {
        sp_chrome_begin(json);
        for (int i = 0; i < t->n; i++)
            sp_chrome_bar(json, &t->bar[i]);
        sp_chrome_end(json);
        put_data(data, t, &c);
        put_script(script, prefix, title, &c, t);
    }
    why = sp_gnuplot_close(json, why);
    why = sp_gnuplot_close(data, why);
    why = sp_gnuplot_close(script, why);
    *note = why ? NULL : sp_gnuplot_run(prefix);
    return why;
}
