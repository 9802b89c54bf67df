/* jsonl.c - result files: see results.h for what is in them. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "report/results.h"
#include "report/writer.h"
#include "util/stop.h"

/* Takes the object. */
static void put(FILE *file, json_t *object)
{
    char *line = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(10));
    if (!line)
        sp_stop(SP_EXIT_INTERNAL, "a result could not be put into JSON");
    fprintf(file, "%s\n", line);
    free(line);
    json_decref(object);
}

static void begin(struct sp_report *r, const json_t *context, bool fresh)
{
    (void)fresh;                /* a file of many launches has the context of each */
    put(r->file, json_pack("{ss sO}", "schema", SP_SCHEMA, "context", context));
}

static void put_row(struct sp_report *r, const struct sp_row *row)
{
    put(r->file, sp_row_to_json(row));
}

const struct sp_writer sp_jsonl = {
    .name = "jsonl",
    .help = "all that is known of each point, samples too; what other commands read",
    .accept = sp_results_refuse,
    .begin = begin,
    .row = put_row,
};
