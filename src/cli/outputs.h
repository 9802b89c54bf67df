/* outputs.h - where rows go: the table, and the files that were asked for. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_OUTPUTS_H
#define SP_OUTPUTS_H

#include "cli/options.h"
#include "report/writer.h"

enum { SP_MAX_OUTPUTS = 4 };

struct sp_outputs { struct sp_report report[SP_MAX_OUTPUTS]; int n; long rows; };

/* Opens all of them before any work; ends the program if one can't be written (exit 3). From
 * here on SIGINT and SIGTERM say what is kept before they end the program. */
void sp_outputs_open(struct sp_outputs *out, const struct sp_options *o, const json_t *context);
void sp_outputs_row(struct sp_outputs *out, const struct sp_row *row);
void sp_outputs_close(struct sp_outputs *out);

#endif
