/* imported.h - running importers on texts, and looking at what they made. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_IMPORTED_H
#define SP_IMPORTED_H

#include "topo/import.h"
#include "topo/inventory.h"
#include "topo/topo.h"

typedef const char *(*importer)(const struct sp_import *);

struct result { const char *why; char *out, *notes; size_t out_bytes, notes_bytes; };

struct result import(importer run, const char *text, size_t bytes,
                     const struct sp_import_machine *machine, int n);
void release(struct result *r);

extern const struct sp_import_machine box;      /* a file that isn't there */
void expect_refused(importer run, const char *text, const char *words);

char *read_file(const char *path, size_t *bytes);
char *read_sample(const char *name, size_t *bytes);     /* of tests/topo */
const char *shared(const char *name);           /* beside the source; NULL: not there */

/* These skip the test where there is no hwloc. */
struct sp_inventory *look(const char *xml);
struct sp_topo *load_text(const char *text);

struct sp_import_machine shipped_machine(const char *name);     /* of topologies/ */

#endif
