/* data.h - the files that come with seqpar: topologies, models, profiles. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_DATA_H
#define SP_DATA_H

/* Where `name`, or name.json, is: as given if that is a file, else in FOLDER ("profiles") of
 * $SEQPAR_DATA, else of the topologies that lie beside the program or were installed with it.
 * If it is nowhere, the name as given, so that opening it says so. Kept until the fourth next
 * call of either. */
const char *sp_data_find(const char *folder, const char *name);

/* The same for what comes with seqpar: never a file of that name where it is called. */
const char *sp_data_own(const char *folder, const char *name);

/* Tells the names of all files that came with seqpar in such a folder, without their ending,
 * in order; none if there is no folder. */
void sp_data_list(const char *folder, const char *ending, void (*tell)(const char *name));

#endif
