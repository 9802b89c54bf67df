/* outputs.c - opened first, written row by row, and whole whenever the program is ended. */
/* SPDX-License-Identifier: MIT */
#include "cli/outputs.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/stop.h"

/* What the signal handler says: made beforehand, since it may do next to nothing. */
static char farewell[400];

static void on_signal(int number)
{
    ssize_t ignored = write(STDERR_FILENO, farewell, strlen(farewell));
    (void)ignored;
    signal(number, SIG_DFL);
    raise(number);
}

static void prepare_farewell(const struct sp_outputs *out)
{
    const char *where = "above";
    for (int i = 0; i < out->n; i++)
        if (out->report[i].path)
            where = out->report[i].path;
    char text[sizeof farewell];
    if (!out->rows)
        snprintf(text, sizeof text, "seqpar: stopped by a signal before anything was measured\n");
    else
        snprintf(text, sizeof text, "seqpar: stopped by a signal; the %ld rows measured so far are "
                 "whole, %s%s\n", out->rows, strcmp(where, "above") ? "in " : "", where);
    memcpy(farewell, text, sizeof text);
}

/* The file that an option of the writer's name gives; NULL: standard output, or none. */
static const char *path_of(const struct sp_options *o, const struct sp_writer *w)
{
    return w == &sp_jsonl ? o->jsonl : w == &sp_csv ? o->csv : w == &sp_markdown ? o->markdown
           : NULL;
}

static void add(struct sp_outputs *out, const struct sp_writer *w, const char *path,
                const json_t *context)
{
    const char *why = sp_report_open(&out->report[out->n], w, path, context);
    if (why)
        sp_stop(SP_EXIT_ENVIRONMENT, "%s", why);
    out->n++;
}

void sp_outputs_open(struct sp_outputs *out, const struct sp_options *o, const json_t *context)
{
    *out = (struct sp_outputs){ .n = 0 };
    for (int i = 0; sp_writers[i]; i++)
        if (sp_writers[i] == &sp_table || path_of(o, sp_writers[i]))
            add(out, sp_writers[i], path_of(o, sp_writers[i]), context);
    prepare_farewell(out);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
}

void sp_outputs_row(struct sp_outputs *out, const struct sp_row *row)
{
    for (int i = 0; i < out->n; i++)
        sp_report_row(&out->report[i], row);
    out->rows++;
    prepare_farewell(out);
}

void sp_outputs_close(struct sp_outputs *out)
{
    for (int i = 0; i < out->n; i++)
        sp_report_close(&out->report[i]);
}
