/* hostlist.h - lists of hosts as Slurm writes them: n[01-04,7],login. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_HOSTLIST_H
#define SP_HOSTLIST_H

enum { SP_MAX_HOSTS = 65536 };

struct sp_hosts { char **at; int n; };

/* The names, in the order in which they are written. sp_hosts_free() them. NULL, or why it
 * makes no sense; then there is nothing to free. */
const char *sp_hosts_parse(const char *text, struct sp_hosts *hosts);
void sp_hosts_free(struct sp_hosts *hosts);

#endif
