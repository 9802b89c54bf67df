/* json.h - JSON files and their members, with sentences for what is wrong with them.
 *
 * A member that is null counts as absent, everywhere. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_JSON_H
#define SP_JSON_H

#include <jansson.h>

/* The object in a file of at most 64 MiB; json_decref() it. NULL: *why says what is
 * wrong, with file and line. */
json_t *sp_json_load(const char *path, const char **why);

/* A string value; bytes of a text that is not UTF-8 become '?'. */
json_t *sp_json_text(const char *text);

/* An object's member, or NULL. */
const json_t *sp_json_get(const json_t *object, const char *name);

/* A whole number in [low, high]; `absent` if there is none. NULL, or why not. */
const char *sp_json_whole(const json_t *object, const char *name, long low, long high,
                          long absent, long *value);

#endif
