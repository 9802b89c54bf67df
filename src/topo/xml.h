/* xml.h - a small XML file as a tree of elements and attributes; text between them is left
 * out. For files that strangers wrote: size, depth and numbers are bounded, and entities,
 * which can make a short file endless, are refused. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_XML_H
#define SP_XML_H

#include <stdbool.h>
#include <stdio.h>

enum {
    SP_XML_MIB = 16,
    SP_XML_ELEMENTS = 8192,
    SP_XML_DEPTH = 64,
    SP_XML_VALUE = 1024,        /* bytes of an attribute */
};

struct sp_xml {
    char *tag;
    int line;
    char **attribute;           /* name, value, name, value, ..., NULL */
    struct sp_xml *parent, *child, *next;
    struct sp_xml *last;        /* child */
};

bool sp_xml_built(void);        /* false: without expat, so nothing can be read */

/* The root; sp_xml_free() it. NULL: *why says what is wrong; `path` is only for that. */
struct sp_xml *sp_xml_read(FILE *in, const char *path, const char **why);
void sp_xml_free(struct sp_xml *root);

/* An attribute's value, or NULL. */
const char *sp_xml_get(const struct sp_xml *element, const char *name);

/* The first element among x and those after it with that tag, or NULL. */
struct sp_xml *sp_xml_find(struct sp_xml *x, const char *tag);

#endif
