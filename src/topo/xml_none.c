/* xml_none.c - no XML is read: built without expat. */
/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "topo/xml.h"
#include "util/why.h"

bool sp_xml_built(void)
{
    return false;
}

struct sp_xml *sp_xml_read(FILE *in, const char *path, const char **why)
{
    (void)in;
    *why = sp_why("cannot read %s: this seqpar was built without expat; install libexpat1-dev, "
                  "then run configure again", path);
    return NULL;
}
