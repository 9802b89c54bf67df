/* topofile.h - cluster files and hwloc XML, made for a test and gone after it. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_TOPOFILE_H
#define SP_TOPOFILE_H

#include <stdio.h>

#include "topo/topo.h"

/* Loads a cluster file with that text; "%s" in it is the XML file, if there is one. NULL:
 * *why is the sentence, without the file's name. If it is that there is no hwloc, the test is
 * skipped. */
struct sp_topo *topofile_load(const char *text, const char *xml, const char **why);

/* The same, but it must load. */
struct sp_topo *topofile_must(const char *text, const char *xml);

/* The sentence about what must not load. */
const char *topofile_wrong(const char *text, const char *xml);

/* A file of topologies by that name, or of the folder shared beside the project. NULL: absent. */
const char *topofile_find(const char *name);

/* ---- XML ------------------------------------------------------------------------------- */

/* A machine of so many sockets. Then for each socket, in order: devices, xml_socket_end(). */
struct xml { FILE *out; char *text; size_t size; int gp, socket, sockets; char matrix[4096]; };

void xml_begin(struct xml *x, int sockets);
void xml_host(struct xml *x);                   /* opens a host bridge */
void xml_bridge(struct xml *x, int depth, const char *id, double speed);
void xml_close(struct xml *x);                  /* of the last bridge */

/* os: names between commas. Returns the index of the first OS device, or of the device. */
int  xml_device(struct xml *x, const char *class, const char *id, const char *bus, double speed,
                const char *os, const char *info);
void xml_socket_end(struct xml *x);

/* NVLinkBandwidth among objects "OSDev:12", n x n values in MB/s. */
void xml_matrix(struct xml *x, int n, const char *const *object, const long *value);

/* The text; free() it. */
char *xml_end(struct xml *x);

#endif
