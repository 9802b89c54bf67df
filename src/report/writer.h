/* writer.h - the ways in which results are written: a file each, all listed in list.c.
 *
 * Files are appended to, never overwritten, and each row is on the disk before the next
 * point begins. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_WRITER_H
#define SP_WRITER_H

#include <stdio.h>

#include "report/row.h"
#include "util/json.h"

/* One open output. */
struct sp_report {
    const struct sp_writer *writer;
    const char *path;           /* NULL: standard output */
    FILE *file;
    void *state;                /* the writer's own */
};

struct sp_writer {
    const char *name, *help;
    /* Why it can't go on in a file with this first line. NULL: it can in any. */
    const char *(*accept)(const char *line);
    void (*begin)(struct sp_report *r, const json_t *context, bool fresh);
    void (*row)(struct sp_report *r, const struct sp_row *row);
    void (*end)(struct sp_report *r);       /* frees the state; NULL: there is none */
};

extern const struct sp_writer *const sp_writers[];      /* ends with NULL */
extern const struct sp_writer sp_table, sp_jsonl, sp_csv, sp_markdown;

/* A cell of a CSV file, in quotes if it needs them. */
void sp_csv_cell(FILE *file, const char *cell);

/* Begin an output, before any work is done. The context is an object that says all it
 * takes to repeat the run. NULL, or why the file can't be written; then there is nothing
 * to close. */
const char *sp_report_open(struct sp_report *r, const struct sp_writer *writer,
                           const char *path, const json_t *context);

/* The program ends if the row can't be written. */
void sp_report_row(struct sp_report *r, const struct sp_row *row);
void sp_report_close(struct sp_report *r);

#endif
