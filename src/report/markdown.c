/* markdown.c - tables for a pull request: a new one when what no column says changes. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "report/writer.h"

/* Strangers' texts could end the cell, or the table. */
static void put(FILE *file, const char *cell)
{
    for (; *cell; cell++) {
        if (*cell == '|' || *cell == '\\' || *cell == '<')
            fputc('\\', file);
        fputc(*cell == '\n' || *cell == '\r' ? ' ' : *cell, file);
    }
}

static void begin(struct sp_report *r, const json_t *context, bool fresh)
{
    (void)context;
    if (!fresh)
        fputc('\n', r->file);
}

static void put_titles(FILE *file, const struct sp_row *row, const char *group)
{
    put(file, group);
    fputs("\n\n", file);
    for (const struct sp_column *c = sp_columns; c->name; c++)
        if (sp_row_shows(row, c))
            fprintf(file, c->unit == SP_NO_UNIT ? "| %s " : "| %s (%s) ", c->title,
                    sp_units[c->unit].name);
    fputs("|\n", file);
    for (const struct sp_column *c = sp_columns; c->name; c++)
        if (sp_row_shows(row, c))
            fputs(c->type == SP_WHOLE || c->type == SP_REAL ? "| ---: " : "| --- ", file);
    fputs("|\n", file);
}

static void put_row(struct sp_report *r, const struct sp_row *row)
{
    char room[SP_CELL], *group = sp_row_group(row);
    if (!r->state || strcmp(group, r->state)) {
        if (r->state)
            fputc('\n', r->file);
        put_titles(r->file, row, group);
        free(r->state);
        r->state = strdup(group);
    }
    free(group);
    for (const struct sp_column *c = sp_columns; c->name; c++)
        if (sp_row_shows(row, c)) {
            fputs("| ", r->file);
            put(r->file, sp_row_shown(row, c, room));
            if (c->type == SP_STATUS && row->reason) {
                fputs(": ", r->file);
                put(r->file, row->reason);
            }
            fputc(' ', r->file);
        }
    fputs("|\n", r->file);
}

static void end(struct sp_report *r) { free(r->state); }

const struct sp_writer sp_markdown = {
    .name = "markdown",
    .help = "a table for a pull request",
    .begin = begin,
    .row = put_row,
    .end = end,
};
