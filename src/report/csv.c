/* csv.c - comma-separated values, RFC 4180: one line a point, the columns that say which
 * point it is first. The samples are left to JSON. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "report/writer.h"

void sp_csv_cell(FILE *file, const char *cell)
{
    if (!strpbrk(cell, ",\"\r\n")) {
        fputs(cell, file);
        return;
    }
    fputc('"', file);
    for (; *cell; cell++) {
        if (*cell == '"')
            fputc('"', file);
        fputc(*cell, file);
    }
    fputc('"', file);
}

/* A line of the values of a row, or of the names of the columns. */
static void put_line(FILE *file, const struct sp_row *row)
{
    char room[SP_CELL];
    for (const struct sp_column *c = sp_columns; c->name; c++) {
        if (c->type == SP_SAMPLES)
            continue;
        const char *cell = row ? sp_row_cell(row, c, room) : c->name;
        if (c != sp_columns)
            fputc(',', file);
        if (cell)
            sp_csv_cell(file, cell);
    }
    fputs("\r\n", file);
}

static const char *accept(const char *line)
{
    char *header;
    size_t bytes;
    FILE *to = open_memstream(&header, &bytes);
    put_line(to, NULL);
    fclose(to);
    bool same = !strcmp(line, header);
    free(header);
    return same ? NULL : "its first line is not the header of these results";
}

static void begin(struct sp_report *r, const json_t *context, bool fresh)
{
    (void)context;
    if (fresh)
        put_line(r->file, NULL);
}

static void put_row(struct sp_report *r, const struct sp_row *row)
{
    put_line(r->file, row);
}

const struct sp_writer sp_csv = {
    .name = "csv",
    .help = "one line a point, for spreadsheets",
    .accept = accept,
    .begin = begin,
    .row = put_row,
};
