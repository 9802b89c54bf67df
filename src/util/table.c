/* table.c - what is asked of a table once it is read. */
/* SPDX-License-Identifier: MIT */
#include "util/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util/why.h"

void sp_table_free(struct sp_table *t)
{
    if (!t)
        return;
    for (int i = 0; i < t->ncolumns; i++)
        free(t->column[i]);
    for (long i = 0; i < t->nrows * t->ncolumns; i++)
        free(t->cell[i]);
    free(t->column);
    free(t->cell);
    free(t->line);
    free(t->path);
    free(t);
}

int sp_table_column(const struct sp_table *t, const char *name)
{
    for (int i = 0; i < t->ncolumns; i++)
        if (!strcmp(t->column[i], name))
            return i;
    return -1;
}

const char *sp_table_find(const struct sp_table *t, const char *name, int *column)
{
    *column = sp_table_column(t, name);
    return *column < 0 ? sp_why("%s has no column \"%s\"", t->path, name) : NULL;
}

const char *sp_table_number(const struct sp_table *t, long row, int column, double *value)
{
    const char *cell = sp_table_cell(t, row, column);
    char *end;
    double number = *cell ? strtod(cell, &end) : NAN;
    if (*cell && (*end || end == cell || !isfinite(number)))
        return sp_why("%s:%d: %s \"%s\" is not a number", t->path, t->line[row],
                      t->column[column], cell);
    *value = number;
    return NULL;
}
