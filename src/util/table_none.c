/* table_none.c - in place of table_read.c where there is no libcsv. */
/* SPDX-License-Identifier: MIT */
#include "util/table.h"

#include <stddef.h>

#include "util/why.h"

bool sp_table_built(void) { return false; }

struct sp_table *sp_table_load(const char *path, const char **why)
{
    *why = sp_why("cannot read %s: this seqpar was built without libcsv", path);
    return NULL;
}
