/* profile.c - a profile written to its file, and freed. One kernel, stream or path a line, so
 * that people can read and compare what came out of a calibration. */
/* SPDX-License-Identifier: MIT */
#include "sim/profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/json.h"
#include "util/why.h"

enum { DIGITS = 10 };

void sp_profile_free(struct sp_profile *p)
{
    if (!p)
        return;
    for (int i = 0; i < p->nkernels; i++) {
        sp_curve_free(&p->kernel[i].correction);
        free(p->kernel[i].source);
    }
    for (int i = 0; i < SP_NPATH_CLASSES; i++) {
        sp_curve_free(&p->path[i].efficiency);
        free(p->path[i].source);
    }
    for (int i = 0; i < SP_NOPS; i++) {
        sp_curve_free(&p->stream[i].element);
        free(p->stream[i].source);
    }
    free(p->kernel);
    free(p->name);
    free(p->device);
    free(p->library);
    free(p->source);
    free(p->device_source);
    free(p->link_source);
    free(p->issue_source);
    free(p->interference.source);
    free(p);
}

/* ---- as JSON ----------------------------------------------------------------------- */

static void set_number(json_t *o, const char *name, double x)
{
    bool whole = x == (double)(long)x && x > -1e15 && x < 1e15;
    json_object_set_new(o, name, whole ? json_integer((json_int_t)x) : json_real(x));
}

static void set_text(json_t *o, const char *name, const char *text)
{
    if (text)
        json_object_set_new(o, name, sp_json_text(text));
}

static json_t *pair(double x, double y)
{
    return json_pack("[f,f]", x, y);
}

static void set_curve(json_t *o, const char *name, const struct sp_curve *c)
{
    if (c->n == 0)
        return;
    json_t *list = json_array();
    for (int i = 0; i < c->n; i++)
        json_array_append_new(list, pair(c->x[i], c->y[i]));
    json_object_set_new(o, name, list);
}

static json_t *kernel_object(const struct sp_kernel_fit *k)
{
    json_t *o = json_object();
    set_text(o, "op", sp_ops[k->op].name);
    set_text(o, "dtype", sp_dtype_names[k->dtype]);
    set_number(o, "dim", k->dim);
    set_number(o, "tile_rows", k->tile_rows);
    set_number(o, "tile_keys", k->tile_keys);
    set_number(o, "launch", k->launch);
    set_number(o, "prologue", k->prologue);
    set_number(o, "tile", k->tile);
    set_number(o, "row", k->row);
    set_number(o, "key", k->key);
    set_number(o, "host", k->host);
    set_number(o, "masked", k->masked);
    set_number(o, "alone", k->alone);
    set_number(o, "tail", k->tail);
    set_number(o, "split", k->split);
    set_curve(o, "correction", &k->correction);
    set_number(o, "residual", k->residual);
    set_number(o, "samples", (double)k->samples);
    json_object_set_new(o, "rows", pair(k->low_rows, k->high_rows));
    json_object_set_new(o, "keys", pair(k->low_keys, k->high_keys));
    set_text(o, "source", k->source ? k->source : "");
    return o;
}

static json_t *path_object(const struct sp_path_fit *f)
{
    json_t *o = json_object();
    set_number(o, "latency", f->latency);
    set_number(o, "each", f->each);
    set_number(o, "rate", f->rate);
    set_curve(o, "efficiency", &f->efficiency);
    set_number(o, "concurrent", f->concurrent);
    json_object_set_new(o, "half", json_boolean(f->half));
    set_number(o, "residual", f->residual);
    set_text(o, "source", f->source ? f->source : "");
    return o;
}

static json_t *stream_object(const struct sp_stream_fit *s)
{
    json_t *o = json_object();
    set_number(o, "launch", s->launch);
    set_number(o, "rate", s->rate);
    set_curve(o, "element", &s->element);
    set_text(o, "source", s->source ? s->source : "");
    return o;
}

static json_t *lists_of(const struct sp_profile *p)
{
    json_t *root = json_object(), *kernels = json_array();
    json_t *streams = json_object(), *paths = json_object();
    for (int i = 0; i < p->nkernels; i++)
        json_array_append_new(kernels, kernel_object(&p->kernel[i]));
    for (int i = 0; i < SP_NOPS; i++)
        if (p->stream[i].known)
            json_object_set_new(streams, sp_ops[i].name, stream_object(&p->stream[i]));
    for (int i = 0; i < SP_NPATH_CLASSES; i++)
        if (p->path[i].known)
            json_object_set_new(paths, sp_path_names[i], path_object(&p->path[i]));
    json_object_set_new(root, "kernels", kernels);
    json_object_set_new(root, "streams", streams);
    json_object_set_new(root, "paths", paths);
    return root;
}

static json_t *heads_of(const struct sp_profile *p)
{
    json_t *root = json_object(), *links = json_object(), *between = json_object();
    set_number(root, "seqpar_profile", SP_PROFILE_VERSION);
    set_text(root, "name", p->name);
    set_text(root, "device", p->device);
    set_text(root, "library", p->library);
    json_object_set_new(root, "measured", json_boolean(p->measured));
    set_text(root, "source", p->source);
    set_number(root, "slots", p->slots);
    set_number(root, "ctas", p->ctas);
    set_number(root, "memory", p->memory);
    set_number(root, "poll", p->poll);
    set_number(root, "issue", p->issue);
    set_text(root, "issue_source", p->issue_source);
    set_number(root, "pass", p->pass);
    set_text(root, "device_source", p->device_source);
    for (int i = 0; i < SP_NLINK_KINDS; i++)
        set_number(links, sp_link_names[i], p->link[i]);
    set_text(links, "source", p->link_source);
    json_object_set_new(root, "links", links);
    set_number(between, "compute", p->interference.compute);
    set_number(between, "comm", p->interference.comm);
    if (p->interference.queue)
        json_object_set_new(between, "queue", json_true());
    set_text(between, "source", p->interference.source);
    json_object_set_new(root, "interference", between);
    return root;
}

/* ---- as text ----------------------------------------------------------------------- */

static void put(FILE *out, const char *before, const char *name, const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(DIGITS));
    fprintf(out, "%s", before);
    if (name)
        fprintf(out, "\"%s\": ", name);
    fprintf(out, "%s", text);
    free(text);
}

static void put_all(FILE *out, json_t *heads, json_t *lists)
{
    const char *name, *inner, *before = "{\n  ";
    json_t *value, *part;
    size_t i;
    json_object_foreach(heads, name, value) {
        put(out, before, name, value);
        before = ",\n  ";
    }
    json_object_foreach(lists, name, value) {
        bool list = json_is_array(value);
        fprintf(out, ",\n  \"%s\": %c", name, list ? '[' : '{');
        before = "\n    ";
        json_array_foreach(value, i, part) {
            put(out, before, NULL, part);
            before = ",\n    ";
        }
        json_object_foreach(value, inner, part) {
            put(out, before, inner, part);
            before = ",\n    ";
        }
        fprintf(out, "%s%c", before[0] == ',' ? "\n  " : "", list ? ']' : '}');
    }
    fprintf(out, "\n}\n");
}

const char *sp_profile_save(const struct sp_profile *p, const char *path)
{
    FILE *out = fopen(path, "w");
    if (!out)
        return sp_why("cannot write %s: %s", path, strerror(errno));
    json_t *heads = heads_of(p), *lists = lists_of(p);
    put_all(out, heads, lists);
    json_decref(heads);
    json_decref(lists);
    bool bad = ferror(out) != 0;
    bad |= fclose(out) != 0;
    return bad ? sp_why("cannot write %s: %s", path, strerror(errno)) : NULL;
}
