/* devices.c - look-ups in topologies/devices: a line each, first word its kind. */
/* SPDX-License-Identifier: MIT */
#include "topo/devices.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "topo/units.h"

static const char table[] =
#include "devices_table.h"
    ;

/* The words of the next line of that kind, and what follows them; NULL: no more. */
static const char *next(const char *at, const char *kind, char word[2][32], char rest[64])
{
    char line[160], first[16];
    while (*at) {
        size_t length = strcspn(at, "\n");
        snprintf(line, sizeof line, "%.*s", (int)length, at);
        at += length + (at[length] == '\n');
        rest[0] = word[1][0] = '\0';
        if (sscanf(line, "%15s %31s %31s %63[^\n]", first, word[0], word[1], rest) >= 3
            && !strcmp(first, kind))
            return at;
    }
    return NULL;
}

static double rate_of(const char *text)
{
    double rate = 0;
    const char *why = sp_parse_rate(text, &rate);
    assert(!why);
    (void)why;
    return rate;
}

bool sp_device_find(const char *kind, unsigned vendor, unsigned device,
                    struct sp_known_device *known)
{
    char id[16], word[2][32];
    *known = (struct sp_known_device){ 0 };
    snprintf(id, sizeof id, "%04x:%04x", vendor & 0xffffu, device & 0xffffu);
    for (const char *at = table; (at = next(at, kind, word, known->name));)
        if (!strcmp(word[0], id)) {
            if (!strcmp(kind, "gpu"))
                memcpy(known->links, word[1], sizeof known->links);
            else
                known->rate = rate_of(word[1]);
            return true;
        }
    return false;
}

bool sp_device_smp(const char *cpu, double *rate)
{
    char word[2][32], rest[64], text[96];
    size_t best = 0;
    *rate = sp_device_default("smp");
    for (const char *at = table; (at = next(at, "smp", word, rest));) {
        snprintf(text, sizeof text, "%s%s%s", word[1], *rest ? " " : "", rest);
        if (strcasestr(cpu, text) && strlen(text) > best) {
            best = strlen(text);
            *rate = rate_of(word[0]);
        }
    }
    return best > 0;
}

double sp_device_default(const char *kind)
{
    char word[2][32], rest[64];
    for (const char *at = table; (at = next(at, "default", word, rest));)
        if (!strcmp(word[0], kind))
            return rate_of(word[1]);
    assert(!"a default that isn't in the table");
    return 1e9;
}
