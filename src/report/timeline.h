/* timeline.h - who did what when: bars by rank and lane, of a measured or a simulated run. One
 * list of bars, several pens to draw it. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_TIMELINE_H
#define SP_TIMELINE_H

#include <stdio.h>

#include "executor/executor.h"

enum { SP_BAR_TEXT = 32 };

struct sp_bar {
    int rank, step;
    char op[SP_BAR_TEXT];       /* "attn", "send" */
    char what[SP_BAR_TEXT];     /* the buffer: "k" */
    char lane[SP_BAR_TEXT];     /* "compute", "comm out", "comm in" */
    bool transfer;
    enum sp_pass pass;
    double start, end;          /* seconds */
};

struct sp_timeline { struct sp_bar *bar; int n; };

struct sp_bar sp_bar_of(const struct sp_plan *p, int step, struct sp_span span, double zero);

/* Every step that has a span that isn't empty, of all ranks. The backward pass follows the
 * forward one, as if they had been run one right after the other. */
struct sp_timeline sp_timeline_of(const struct sp_plan *p, const struct sp_span *span);

/* What sp_trace_write() or the chrome pen wrote. NULL, or why it can't be read. */
const char *sp_timeline_read(const char *path, struct sp_timeline *t);

void sp_timeline_free(struct sp_timeline *t);

/* ---- pens ---- */

/* JSON for chrome://tracing and Perfetto: a process a rank, a thread a lane. */
void sp_chrome_begin(FILE *f);
void sp_chrome_bar(FILE *f, const struct sp_bar *b);
void sp_chrome_end(FILE *f);

/* PREFIX.json for Perfetto; PREFIX.dat, PREFIX.gp and, if gnuplot is there, PREFIX.svg: a Gantt
 * chart. NULL, or why not; *note says what is missing of it, if not NULL. */
const char *sp_timeline_write(const struct sp_timeline *t, const char *prefix, const char *title,
                              const char **note);

#endif
