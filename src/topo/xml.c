/* xml.c - looking around in a tree, and its end. */
/* SPDX-License-Identifier: MIT */
#include "topo/xml.h"

#include <stdlib.h>
#include <string.h>

/* Not deeper than SP_XML_DEPTH. */
void sp_xml_free(struct sp_xml *root)
{
    while (root) {
        struct sp_xml *next = root->next;
        sp_xml_free(root->child);
        for (char **word = root->attribute; *word; word++)
            free(*word);
        free(root->attribute);
        free(root->tag);
        free(root);
        root = next;
    }
}

const char *sp_xml_get(const struct sp_xml *element, const char *name)
{
    for (char **word = element->attribute; *word; word += 2)
        if (!strcmp(*word, name))
            return word[1];
    return NULL;
}

struct sp_xml *sp_xml_find(struct sp_xml *x, const char *tag)
{
    while (x && strcmp(x->tag, tag))
        x = x->next;
    return x;
}
