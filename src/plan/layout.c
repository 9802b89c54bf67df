/* layout.c - contiguous, zigzag, striped. */
/* SPDX-License-Identifier: MIT */
#include "plan/layout.h"

int sp_shard(enum sp_layout layout, long seq, int i, int n, struct sp_run run[2])
{
    long rows = seq / n, half = rows / 2;
    if (layout == SP_ZIGZAG) {
        run[0] = (struct sp_run){ i * half, 1, half };
        run[1] = (struct sp_run){ (2L * n - 1 - i) * half, 1, half };
        return 2;
    }
    run[0] = layout == SP_STRIPED ? (struct sp_run){ i, n, rows }
                                  : (struct sp_run){ i * rows, 1, rows };
    return 1;
}
