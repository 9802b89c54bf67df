/* results.c - rows to JSON and back, by the table of columns. */
/* SPDX-License-Identifier: MIT */
#include "report/results.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"
#include "util/parse.h"
#include "util/why.h"

/* ---- to JSON ---- */

static json_t *number(double value)
{
    return sp_is_count(value) ? json_integer((json_int_t)value) : json_real(value);
}

static json_t *samples(const struct sp_row *row, double scale)
{
    json_t *list = json_array();
    for (long i = 0; i < row->iters; i++)
        json_array_append_new(list, number(row->samples[i] * scale));
    return list;
}

static json_t *value(const struct sp_row *row, const struct sp_column *c)
{
    const void *at = (const char *)row + c->offset;
    double scale = sp_units[c->unit].file;
    if (!sp_row_has(row, c))
        return json_null();
    switch (c->type) {
    case SP_WHOLE:   return json_integer(*(const long *)at);
    case SP_REAL:    return number(*(const double *)at * scale);
    case SP_SAMPLES: return samples(row, scale);
    case SP_STATUS:  return json_string(sp_status_names[row->status]);
    default:                return sp_json_text(*(const char *const *)at);
    }
}

json_t *sp_row_to_json(const struct sp_row *row)
{
    json_t *object = json_object();
    for (const struct sp_column *c = sp_columns; c->name; c++)
        json_object_set_new(object, c->name, value(row, c));
    return object;
}

/* ---- and back ---- */

static void set_samples(struct sp_row *row, const json_t *list, double scale)
{
    size_t n = json_array_size(list);
    if (!n)
        return;
    double *sample = sp_alloc(n * sizeof *sample);
    for (size_t i = 0; i < n; i++)
        sample[i] = json_number_value(json_array_get(list, i)) / scale;
    row->samples = sample;
    row->iters = (long)n;
}

/* What is not there, or of another type, stays unmeasured. */
static void set(struct sp_row *row, const struct sp_column *c, const json_t *from)
{
    void *at = (char *)row + c->offset;
    double scale = sp_units[c->unit].file;
    int status;
    switch (c->type) {
    case SP_WHOLE:
        if (json_is_integer(from))
            *(long *)at = (long)json_integer_value(from);
        break;
    case SP_REAL:
        if (json_is_number(from))
            *(double *)at = json_number_value(from) / scale;
        break;
    case SP_SAMPLES:
        set_samples(row, from, scale);
        break;
    case SP_STATUS:
        if (json_is_string(from) &&
            !sp_parse_name(json_string_value(from), sp_status_names, &status))
            row->status = (enum sp_status)status;
        break;
    default:
        *(const char **)at = json_string_value(from);
    }
}

static struct sp_row read_row(const json_t *object)
{
    struct sp_row row = sp_row_new();
    row.status = SP_POINT_FAILED;
    for (const struct sp_column *c = sp_columns; c->name; c++)
        set(&row, c, sp_json_get(object, c->name));
    return row;
}

static const char *refuse(const json_t *line)
{
    const char *schema = json_string_value(sp_json_get(line, "schema"));
    if (!schema)
        return sp_why("its first line names no schema; %s is expected", SP_SCHEMA);
    if (strcmp(schema, SP_SCHEMA))
        return sp_why("its schema is %s, not %s", schema, SP_SCHEMA);
    return NULL;
}

const char *sp_results_refuse(const char *line)
{
    json_t *root = json_loads(line, 0, NULL);
    const char *why = refuse(root);
    json_decref(root);
    return why;
}

static void read_line(struct sp_results *results, const char *line, const char *path,
                      long number)
{
    json_t *object = json_loads(line, 0, NULL);
    if (!json_is_object(object)) {
        fprintf(stderr, "seqpar: warning: %s:%ld is not a whole line; left out\n",
                path, number);
        json_decref(object);
        return;
    }
    json_array_append_new(results->text, object);
    if (sp_json_get(object, "schema"))
        return;
    results->row = sp_grow(results->row, results->n, sizeof *results->row);
    results->row[results->n++] = read_row(object);
}

const char *sp_results_read(struct sp_results *results, const char *path)
{
    *results = (struct sp_results){ .text = json_array() };
    FILE *file = fopen(path, "r");
    if (!file)
        return errno == ENOENT ? NULL
                               : sp_why("cannot read %s: %s", path, strerror(errno));
    char *line = NULL;
    size_t room = 0;
    const char *why = NULL;
    for (long number = 1; !why && getline(&line, &room, file) >= 0; number++) {
        if (number == 1)
            why = sp_results_refuse(line);
        if (!why)
            read_line(results, line, path, number);
    }
    free(line);
    fclose(file);
    return why ? sp_why("cannot use %s: %s", path, why) : NULL;
}

void sp_results_free(struct sp_results *results)
{
    for (long i = 0; i < results->n; i++)
        free((double *)results->row[i].samples);
    free(results->row);
    json_decref(results->text);
}

/* The first try of this point that `fits`; NULL: none. */
static const struct sp_row *look_up(const struct sp_results *results, const struct sp_row *row,
                                    bool (*fits)(const struct sp_row *))
{
    const struct sp_row *found = NULL;
    char *key = sp_row_key(row);
    for (long i = 0; i < results->n && !found; i++) {
        char *other = sp_row_key(&results->row[i]);
        if (!strcmp(key, other) && fits(&results->row[i]))
            found = &results->row[i];
        free(other);
    }
    free(key);
    return found;
}

static bool is_ok(const struct sp_row *row) { return row->status == SP_POINT_OK; }

static bool is_settled(const struct sp_row *row)
{
    return is_ok(row) || row->status == SP_POINT_REFUSED;
}

double sp_results_time(const struct sp_results *results, const struct sp_row *row)
{
    const struct sp_row *there = look_up(results, row, is_ok);
    return there ? there->time : NAN;
}

bool sp_results_settled(const struct sp_results *results, const struct sp_row *row)
{
    return look_up(results, row, is_settled);
}
