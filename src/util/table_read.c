/* table_read.c - CSV by libcsv; lines are counted here, since it doesn't. */
/* SPDX-License-Identifier: MIT */
#include "util/table.h"

#include <csv.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"
#include "util/why.h"

struct reader {
    struct csv_parser parser;
    struct sp_table *table;
    long ncells;                /* of the rows, without the header */
    int width;                  /* fields of this row so far */
    int line;
    bool header;
    const char *why;
};

bool sp_table_built(void) { return true; }

static void field(void *text, size_t bytes, void *reader)
{
    struct reader *r = reader;
    struct sp_table *t = r->table;
    if (r->why)
        return;
    if (memchr(text, 0, bytes)) {
        r->why = sp_why("%s:%d: a NUL byte: not a text", t->path, r->line);
        return;
    }
    if (r->width == SP_TABLE_COLUMNS) {
        r->why = sp_why("%s:%d: more than %d columns", t->path, r->line, SP_TABLE_COLUMNS);
        return;
    }
    char *copy = sp_alloc(bytes + 1);
    memcpy(copy, text, bytes);
    if (r->header) {
        t->column = sp_grow(t->column, t->ncolumns, sizeof *t->column);
        t->column[t->ncolumns++] = copy;
    } else {
        t->cell = sp_grow(t->cell, r->ncells, sizeof *t->cell);
        t->cell[r->ncells++] = copy;
    }
    r->width++;
}

static void end_header(struct reader *r)
{
    const struct sp_table *t = r->table;
    for (int i = 0; i < t->ncolumns && !r->why; i++) {
        if (!*t->column[i])
            r->why = sp_why("%s:%d: column %d has no name", t->path, r->line, i + 1);
        for (int j = 0; j < i && !r->why; j++)
            if (!strcmp(t->column[i], t->column[j]))
                r->why = sp_why("%s:%d: column \"%s\" is there twice", t->path, r->line,
                                t->column[i]);
    }
    r->header = false;
}

static void end_row(int c, void *reader)
{
    (void)c;
    struct reader *r = reader;
    struct sp_table *t = r->table;
    if (r->why)
        return;
    if (r->header) {
        end_header(r);
    } else if (r->width != t->ncolumns) {
        r->why = sp_why("%s:%d: %d fields, but the header names %d", t->path, r->line,
                        r->width, t->ncolumns);
    } else if (t->nrows == SP_TABLE_ROWS) {
        r->why = sp_why("%s:%d: more than %d rows", t->path, r->line, SP_TABLE_ROWS);
    } else {
        t->line = sp_grow(t->line, t->nrows, sizeof *t->line);
        t->line[t->nrows++] = r->line;
    }
    r->width = 0;
}

static void parse(struct reader *r, const char *text, size_t bytes)
{
    if (r->why || csv_parse(&r->parser, text, bytes, field, end_row, r) == bytes)
        return;
    if (!r->why)
        r->why = sp_why("%s:%d: not CSV: %s", r->table->path, r->line,
                        csv_error(&r->parser) == CSV_EPARSE
                        ? "a quote inside of a field must be doubled, and the field quoted"
                        : csv_strerror(csv_error(&r->parser)));
}

/* Line by line, so that a row's line is known when it ends. */
static void parse_lines(struct reader *r, const char *text, size_t bytes)
{
    while (bytes > 0 && !r->why) {
        const char *end = memchr(text, '\n', bytes);
        size_t some = end ? (size_t)(end - text) + 1 : bytes;
        parse(r, text, some);
        r->line += end != NULL;
        text += some;
        bytes -= some;
    }
}

static void read_all(struct reader *r, FILE *file)
{
    static const char mark[] = "\xef\xbb\xbf";      /* that some editors put first */
    char chunk[1 << 16];
    size_t total = 0, got;
    while (!r->why && (got = fread(chunk, 1, sizeof chunk, file)) > 0) {
        size_t skip = total == 0 && got >= 3 && !memcmp(chunk, mark, 3) ? 3 : 0;
        total += got;
        if (total > (size_t)SP_TABLE_MIB << 20)
            r->why = sp_why("%s is longer than %d MiB", r->table->path, SP_TABLE_MIB);
        else
            parse_lines(r, chunk + skip, got - skip);
    }
    if (ferror(file))
        r->why = sp_why("cannot read %s: %s", r->table->path, strerror(errno));
    if (!r->why && csv_fini(&r->parser, field, end_row, r) && !r->why)
        r->why = sp_why("%s:%d: not CSV: a quote is still open at the end",
                        r->table->path, r->line);
    if (!r->why && r->header)
        r->why = sp_why("%s has no header line", r->table->path);
}

struct sp_table *sp_table_load(const char *path, const char **why)
{
    FILE *file = fopen(path, "r");
    if (!file) {
        *why = sp_why("cannot read %s: %s", path, strerror(errno));
        return NULL;
    }
    struct reader r = { .table = sp_alloc(sizeof *r.table), .line = 1, .header = true };
    r.table->path = strdup(path);
    csv_init(&r.parser, CSV_STRICT | CSV_STRICT_FINI);
    read_all(&r, file);
    csv_free(&r.parser);
    fclose(file);
    if (!r.why)
        return r.table;
    /* Cells of a row that was not finished are not among table->nrows. */
    for (long i = r.table->nrows * r.table->ncolumns; i < r.ncells; i++)
        free(r.table->cell[i]);
    sp_table_free(r.table);
    *why = r.why;
    return NULL;
}
