/* table.h - CSV files with a header: rows of named columns, all cells texts.
 *
 * Bad files (no header, a column twice, rows of another width, an open quote, NUL bytes, more
 * than the bounds below) are refused with file and line. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_TABLE_H
#define SP_TABLE_H

#include <stdbool.h>

enum { SP_TABLE_MIB = 64, SP_TABLE_COLUMNS = 256, SP_TABLE_ROWS = 1 << 20 };

struct sp_table {
    char *path;
    int ncolumns;
    char **column;              /* names */
    long nrows;
    char **cell;                /* rows x columns; never NULL, "" where empty */
    int *line;                  /* of the file, where each row ends */
};

/* NULL: *why says what is wrong. */
struct sp_table *sp_table_load(const char *path, const char **why);
void sp_table_free(struct sp_table *t);

bool sp_table_built(void);      /* false: without libcsv, so nothing can be loaded */

/* The number of the column of that name; -1 if there is none. */
int sp_table_column(const struct sp_table *t, const char *name);

/* The same, but NULL or why not: there is no such column. */
const char *sp_table_find(const struct sp_table *t, const char *name, int *column);

static inline const char *sp_table_cell(const struct sp_table *t, long row, int column)
{
    return t->cell[row * t->ncolumns + column];
}

/* The cell as a finite number; NaN if it is empty. NULL, or why not, with file and line. */
const char *sp_table_number(const struct sp_table *t, long row, int column, double *value);

#endif
