/* parse.c - from text to values, without guessing. */
/* SPDX-License-Identifier: MIT */
#include "util/parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"
#include "util/why.h"

/* What a letter after a number multiplies it by; 0: no such letter. */
static long factor(const char *letter)
{
    if (!*letter)
        return 1;
    if (letter[1])
        return 0;
    switch (*letter) {
    case 'K': return 1L << 10;
    case 'M': return 1L << 20;
    case 'G': return 1L << 30;
    default:  return 0;
    }
}

const char *sp_parse_size(const char *text, long low, long high, long *value)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    bool overflow = errno == ERANGE;
    long times = factor(end);
    bool starts = isdigit((unsigned char)text[0]) ||
                  (text[0] == '-' && isdigit((unsigned char)text[1]));
    if (!starts || !times)
        return sp_why("\"%s\" is not a whole number such as 4096, 16K or 1M", text);
    overflow |= __builtin_mul_overflow(number, times, &number);
    if (overflow || number < low || number > high)
        return sp_why("%s must be from %ld to %ld", text, low, high);
    *value = number;
    return NULL;
}

const char *sp_parse_seconds(const char *text, double *value)
{
    static const struct { const char *name; double seconds; } units[] = {
        { "", 1 }, { "us", 1e-6 }, { "ms", 1e-3 }, { "s", 1 }, { "m", 60 }, { "h", 3600 },
    };
    size_t digits = strspn(text, "0123456789.");
    char *end;
    double number = strtod(text, &end);
    for (size_t i = 0; digits && i < sizeof units / sizeof *units; i++)
        if (end == text + digits && !strcmp(end, units[i].name)) {
            *value = number * units[i].seconds;
            return NULL;
        }
    return sp_why("\"%s\" is not a time such as 2s, 500ms or 3m", text);
}

const char *sp_parse_real(const char *text, double low, double high, double *value)
{
    char *end;
    double number = strtod(text, &end);
    if (!isdigit((unsigned char)*text) || *end || !(number >= low && number <= high))
        return sp_why("\"%s\" is not a number from %g to %g", text, low, high);
    *value = number;
    return NULL;
}

const char *sp_parse_name(const char *text, const char *const *names, int *place)
{
    char all[256] = "";
    for (int i = 0; names[i]; i++) {
        if (!strcmp(text, names[i])) {
            *place = i;
            return NULL;
        }
        size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", names[i]);
    }
    return sp_why("\"%s\" is none of %s", text, all);
}

const char *sp_parse_words(const char *text, char ***words, int *n)
{
    int count = 1;
    for (const char *c = text; *c; c++)
        count += *c == ',';
    char **word = sp_alloc((size_t)count * sizeof *word + strlen(text) + 1);
    char *rest = strcpy((char *)(word + count), text);
    for (int i = 0; i < count; i++) {
        word[i] = strsep(&rest, ",");
        if (!*word[i]) {
            free(word);
            return sp_why("\"%s\" has nothing between two commas, or at an end", text);
        }
    }
    *words = word;
    *n = count;
    return NULL;
}

const char *sp_parse_sizes(const char *text, long low, long high, long **values, int *n)
{
    char **word;
    int count;
    const char *why = sp_parse_words(text, &word, &count);
    if (why)
        return why;
    long *value = sp_alloc((size_t)count * sizeof *value);
    for (int i = 0; i < count && !why; i++)
        why = sp_parse_size(word[i], low, high, &value[i]);
    free(word);
    if (why) {
        free(value);
        return why;
    }
    *values = value;
    *n = count;
    return NULL;
}
