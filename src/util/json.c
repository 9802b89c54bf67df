/* json.c - a little glue around jansson. */
/* SPDX-License-Identifier: MIT */
#include "util/json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/why.h"

enum { MOST_MIB = 64 };

struct source { FILE *file; size_t left; bool too_long; int error; };

/* jansson asks for bytes. A file's size is not asked beforehand: a pipe has none. */
static size_t pull(void *to, size_t room, void *from)
{
    struct source *s = from;
    size_t got = fread(to, 1, room, s->file);
    if (ferror(s->file))
        s->error = errno;
    s->too_long = got > s->left;
    s->left -= s->too_long ? 0 : got;
    return s->error || s->too_long ? (size_t)-1 : got;
}

json_t *sp_json_load(const char *path, const char **why)
{
    FILE *file = fopen(path, "r");
    if (!file) {
        *why = sp_why("cannot read %s: %s", path, strerror(errno));
        return NULL;
    }
    struct source source = { .file = file, .left = (size_t)MOST_MIB << 20 };
    json_error_t error;
    json_t *root = json_load_callback(pull, &source, 0, &error);
    fclose(file);
    if (source.error)
        *why = sp_why("cannot read %s: %s", path, strerror(source.error));
    else if (source.too_long)
        *why = sp_why("%s is longer than %d MiB", path, MOST_MIB);
    else if (!root)
        *why = sp_why("%s:%d: not JSON: %s", path, error.line, error.text);
    else if (!json_is_object(root))
        *why = sp_why("%s is a JSON list, not an object", path);
    else
        return root;
    json_decref(root);
    return NULL;
}

json_t *sp_json_text(const char *text)
{
    json_t *value = json_string(text);
    if (value)
        return value;
    char *plain = strdup(text);
    for (char *c = plain; *c; c++)
        if ((unsigned char)*c > 127)
            *c = '?';
    value = json_string(plain);
    free(plain);
    return value;
}

const json_t *sp_json_get(const json_t *object, const char *name)
{
    const json_t *member = json_object_get(object, name);
    return json_is_null(member) ? NULL : member;
}

const char *sp_json_whole(const json_t *object, const char *name, long low, long high,
                          long absent, long *value)
{
    const json_t *member = sp_json_get(object, name);
    if (!member) {
        *value = absent;
        return NULL;
    }
    if (!json_is_integer(member))
        return sp_why("%s is not a whole number", name);
    json_int_t number = json_integer_value(member);
    if (number < low || number > high)
        return sp_why("%s %lld must be from %ld to %ld", name, (long long)number, low,
                      high);
    *value = (long)number;
    return NULL;
}
