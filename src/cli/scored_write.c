/* scored_write.c - every measured point beside its prediction, in a file. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/scored.h"
#include "report/writer.h"
#include "util/why.h"

/* The first column's name begins a file of ours, of either kind. */
#define FIRST "validated_file"

static json_t *milliseconds(double seconds)
{
    return isfinite(seconds) ? json_real(seconds * 1e3) : json_null();
}

/* Of a row that is left out not all may be known. */
static void add_way(json_t *o, const struct sp_measured *m)
{
    char knobs[400] = "";
    const struct sp_problem *pb = &m->pb;
    bool known = !m->why;
    if (known)
        sp_strategy_knobs(m->strategy, pb, false, knobs, sizeof knobs);
    const char *const texts[][2] = {
        { "strategy", m->strategy ? m->strategy->name : "" },
        { "knobs", knobs },
        { "dtype", known ? sp_dtype_names[pb->dtype] : "" },
        { "mask", !known ? "" : pb->causal ? "causal" : "full" },
        { "layout", known ? sp_layout_names[pb->layout] : "" },
        { "pass", sp_measured_pass(m) },
    };
    const struct { const char *name; long value; } sizes[] = {
        { "sp", pb->ranks }, { "seq", pb->seq }, { "batch", pb->batch }, { "heads", pb->heads },
        { "kv_heads", pb->kv_heads }, { "head_dim", pb->dim },
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        json_object_set_new(o, texts[i][0], json_string(texts[i][1]));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        json_object_set_new(o, sizes[i].name, sizes[i].value ? json_integer(sizes[i].value)
                                                             : json_null());
}

static json_t *to_json(const struct sp_scored *x)
{
    json_t *o = json_object();
    const struct sp_measured *m = x->m;
    json_object_set_new(o, FIRST, sp_json_text(x->file));
    json_object_set_new(o, "line", json_integer(m->line));
    json_object_set_new(o, "source", sp_json_text(m->source));
    json_object_set_new(o, "topology", x->bed ? sp_json_text(x->bed->cluster) : json_null());
    json_object_set_new(o, "profile", x->bed ? sp_json_text(x->bed->model) : json_null());
    json_object_set_new(o, "gpus", json_integer(m->gpus));
    add_way(o, m);
    json_object_set_new(o, "measured_ms", milliseconds(m->seconds > 0 ? m->seconds : NAN));
    json_object_set_new(o, "predicted_ms", milliseconds(x->predicted));
    json_object_set_new(o, "serialised_ms", milliseconds(x->serialised));
    json_object_set_new(o, "compute_ms", milliseconds(x->compute));
    json_object_set_new(o, "communication_ms", milliseconds(x->comm));
    json_object_set_new(o, "error", isfinite(x->predicted)
                        ? json_real(x->predicted / m->seconds - 1) : json_null());
    json_object_set_new(o, "launch_bound", json_integer(m->launch_bound));
    json_object_set_new(o, "inside", json_integer(x->inside));
    json_object_set_new(o, "bound", sp_json_text(x->bound));
    json_object_set_new(o, "left_out", m->why ? sp_json_text(m->why) : json_null());
    return o;
}

static void put_csv(FILE *file, json_t *o, bool header)
{
    const char *name;
    json_t *value;
    bool first = true;
    json_object_foreach(o, name, value) {
        char room[40] = "";
        if (json_is_integer(value))
            snprintf(room, sizeof room, "%lld", (long long)json_integer_value(value));
        else if (json_is_real(value))
            snprintf(room, sizeof room, "%.6g", json_real_value(value));
        if (!first)
            fputc(',', file);
        const char *text = json_is_string(value) ? json_string_value(value) : room;
        sp_csv_cell(file, header ? name : text);
        first = false;
    }
    fputc('\n', file);
}

/* Other people's files are not overwritten. */
static const char *refuse(const char *path)
{
    FILE *file = fopen(path, "r");
    char line[64] = "";
    if (!file)
        return errno == ENOENT ? NULL : sp_why("cannot write %s: %s", path, strerror(errno));
    bool empty = !fgets(line, sizeof line, file);
    fclose(file);
    return empty || !strncmp(line, FIRST, strlen(FIRST)) || strstr(line, "\"" FIRST "\"") ? NULL
        : sp_why("cannot write %s: it is there and not a file of seqpar validate", path);
}

const char *sp_scored_write(const struct sp_scored *x, long n, const char *path)
{
    size_t length = strlen(path);
    bool jsonl = length > 6 && !strcmp(path + length - 6, ".jsonl");
    const char *why = refuse(path);
    FILE *file = why ? NULL : fopen(path, "w");
    if (!file)
        return why ? why : sp_why("cannot write %s: %s", path, strerror(errno));
    for (long i = 0; i < n; i++) {
        json_t *o = to_json(&x[i]);
        if (jsonl) {
            json_dumpf(o, file, JSON_COMPACT | JSON_REAL_PRECISION(6));
            fputc('\n', file);
        } else {
            if (!i)
                put_csv(file, o, true);
            put_csv(file, o, false);
        }
        json_decref(o);
    }
    bool bad = ferror(file);
    return fclose(file) || bad ? sp_why("cannot write %s: %s", path, strerror(errno)) : NULL;
}
