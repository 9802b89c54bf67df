/* hwlocxml.h - writing a machine as hwloc v2 XML.
 *
 * Objects are opened and closed in order, as they nest; each has a number by which matrices
 * refer to it. No comments are written: hwloc without libxml2 can't read them. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_HWLOCXML_H
#define SP_HWLOCXML_H

#include <stdint.h>
#include <stdio.h>

struct sp_hwlocxml {
    FILE *out;
    int depth;
    long objects;               /* the number of the latest */
    int invented;               /* bus ids, of what has none */
};

/* n of something from `first` on. */
struct sp_span { int first, n; };

void sp_hwlocxml_begin(struct sp_hwlocxml *x, FILE *out);
void sp_hwlocxml_end(struct sp_hwlocxml *x);

/* Machine, Package, NUMANode, Core, PU: what holds processors and memory. */
long sp_hwlocxml_place(struct sp_hwlocxml *x, const char *type, int index,
                       struct sp_span cores, struct sp_span numas);
void sp_hwlocxml_close(struct sp_hwlocxml *x);

void sp_hwlocxml_host_bridge(struct sp_hwlocxml *x);

/* A bridge at `depth` below the host bridge, or with depth 0 a device. bus: NULL is an
 * invented one. speed: GB/s of its link in one direction; 0: not known. */
struct sp_pci { const char *bus; unsigned class, vendor, device; double speed; };
long sp_hwlocxml_pci(struct sp_hwlocxml *x, int depth, const struct sp_pci *pci,
                     const char *subtype);

enum { SP_OSDEV_GPU = 1, SP_OSDEV_NETWORK = 2, SP_OSDEV_OPENFABRICS = 3, SP_OSDEV_COPROC = 5 };
long sp_hwlocxml_osdev(struct sp_hwlocxml *x, int type, const char *name, const char *subtype);

void sp_hwlocxml_info(struct sp_hwlocxml *x, const char *name, const char *value);

/* Bandwidths of n objects in MB/s, after all objects. */
struct sp_object { const char *type; long number; };
void sp_hwlocxml_matrix(struct sp_hwlocxml *x, const char *name, int n,
                        const struct sp_object *object, const uint64_t *mbps /* n x n */);

#endif
