/* xml_read.c - expat reads the file; here its elements become a tree. */
/* SPDX-License-Identifier: MIT */
#include "topo/xml.h"

#include <errno.h>
#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"
#include "util/why.h"

struct reader {
    XML_Parser parser;
    const char *path, *why;
    struct sp_xml *root, *at;   /* at: the element that is open */
    int elements, depth;
};

bool sp_xml_built(void)
{
    return true;
}

static int line_of(const struct reader *r)
{
    return (int)XML_GetCurrentLineNumber(r->parser);
}

static void refuse(struct reader *r, const char *why)
{
    if (!r->why)
        r->why = why;
    XML_StopParser(r->parser, XML_FALSE);
}

static char **copy_attributes(struct reader *r, const char **from)
{
    int n = 0;
    while (from[n])
        n++;
    char **to = sp_alloc(((size_t)n + 1) * sizeof *to);
    for (int i = 0; i < n; i++) {
        if (strlen(from[i]) > SP_XML_VALUE)
            refuse(r, sp_why("%s:%d: a word of more than %d bytes", r->path, line_of(r),
                             SP_XML_VALUE));
        to[i] = strdup(from[i]);
    }
    return to;
}

static void begin(void *user, const char *tag, const char **attributes)
{
    struct reader *r = user;
    if (r->why)
        return;
    if (++r->elements > SP_XML_ELEMENTS || ++r->depth > SP_XML_DEPTH) {
        refuse(r, sp_why("%s:%d: more than %d elements, or deeper than %d", r->path, line_of(r),
                         SP_XML_ELEMENTS, SP_XML_DEPTH));
        return;
    }
    struct sp_xml *x = sp_alloc(sizeof *x);
    *x = (struct sp_xml){ .tag = strdup(tag), .line = line_of(r), .parent = r->at };
    x->attribute = copy_attributes(r, attributes);
    if (!r->at)
        r->root = x;
    else if (r->at->last)
        r->at->last->next = x;
    else
        r->at->child = x;
    if (r->at)
        r->at->last = x;
    r->at = x;
}

static void end(void *user, const char *tag)
{
    struct reader *r = user;
    (void)tag;
    if (r->why)
        return;
    r->depth--;
    r->at = r->at->parent;
}

static void entity(void *user, const char *name, int parameter, const char *value, int length,
                   const char *base, const char *system, const char *public,
                   const char *notation)
{
    (void)parameter, (void)value, (void)length, (void)base, (void)system, (void)public;
    (void)notation;
    struct reader *r = user;
    refuse(r, sp_why("%s:%d: declares the entity %.40s; topologies need none", r->path,
                     line_of(r), name));
}

static void read_all(struct reader *r, FILE *in)
{
    char piece[16384];
    size_t total = 0, got;
    do {
        got = fread(piece, 1, sizeof piece, in);
        total += got;
        if (ferror(in))
            r->why = sp_why("cannot read %s: %s", r->path, strerror(errno));
        else if (total > (size_t)SP_XML_MIB << 20)
            r->why = sp_why("%s is longer than %d MiB", r->path, SP_XML_MIB);
        else if (!XML_Parse(r->parser, piece, (int)got, !got) && !r->why)
            r->why = sp_why("%s:%d: not XML: %s", r->path, line_of(r),
                            XML_ErrorString(XML_GetErrorCode(r->parser)));
    } while (!r->why && got);
}

struct sp_xml *sp_xml_read(FILE *in, const char *path, const char **why)
{
    struct reader r = { .parser = XML_ParserCreate(NULL), .path = path };
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, begin, end);
    XML_SetEntityDeclHandler(r.parser, entity);
    read_all(&r, in);
    XML_ParserFree(r.parser);
    *why = r.why;
    if (!r.why)
        return r.root;
    sp_xml_free(r.root);
    return NULL;
}
