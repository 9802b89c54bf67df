/* list.c - the writers there are. */
/* SPDX-License-Identifier: MIT */
#include "report/writer.h"

const struct sp_writer *const sp_writers[] = {
    &sp_table,
    &sp_jsonl,
    &sp_csv,
    &sp_markdown,
    NULL
};
