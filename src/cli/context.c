/* context.c - command, versions, machine, and the few variables that change results. */
/* SPDX-License-Identifier: MIT */
#include "cli/context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "commit.h"
#include "config.h"
#include "plan/problem.h"
#include "util/json.h"

static const char *const variables[] = {
    "OMP_NUM_THREADS", "OMP_PROC_BIND", "OMP_PLACES", "OMP_WAIT_POLICY", "OMPI_MCA_pml",
    "OMPI_MCA_btl", "OMPI_MCA_mpi_yield_when_idle", "SLURM_JOB_ID", "SLURM_JOB_NODELIST", NULL
};

static json_t *environment(void)
{
    json_t *all = json_object();
    for (int i = 0; variables[i]; i++)
        if (getenv(variables[i]))
            json_object_set_new(all, variables[i], sp_json_text(getenv(variables[i])));
    return all;
}

/* "model name : ..." of the first processor. */
static json_t *processor(void)
{
    FILE *f = fopen("/proc/cpuinfo", "r");
    char line[256], *value = NULL;
    while (f && !value && fgets(line, sizeof line, f))
        if (!strncmp(line, "model name", 10))
            value = strchr(line, ':');
    if (f)
        fclose(f);
    if (!value)
        return json_null();
    value[strcspn(value, "\n")] = 0;
    return sp_json_text(value + 1 + (value[1] == ' '));
}

static json_t *utc_now(void)
{
    char text[32];
    time_t now = time(NULL);
    struct tm tm;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
    return json_string(text);
}

static json_t *command(int argc, char **argv)
{
    json_t *all = json_array();
    for (int i = 0; i < argc; i++)
        json_array_append_new(all, sp_json_text(argv[i]));
    return all;
}

json_t *sp_context(int argc, char **argv, int ranks, int threads, const double *peak)
{
    struct utsname u;
    uname(&u);
    json_t *c = json_object();
    json_object_set_new(c, "command", command(argc, argv));
    json_object_set_new(c, "version", json_string(PACKAGE_VERSION));
    json_object_set_new(c, "commit", json_string(SP_COMMIT));
    json_object_set_new(c, "compiler", json_string(__VERSION__));
    json_object_set_new(c, "date", utc_now());
    json_object_set_new(c, "host", sp_json_text(u.nodename));
    json_object_set_new(c, "system", sp_json_text(u.release));
    json_object_set_new(c, "processor", processor());
    json_object_set_new(c, "processors", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
    if (peak) {
        json_object_set_new(c, "ranks", json_integer(ranks));
        json_object_set_new(c, "threads", json_integer(threads));
        json_object_set_new(c, "thread_peak_gflops_fp32", json_real(peak[SP_F32] / 1e9));
        json_object_set_new(c, "thread_peak_gflops_bf16", json_real(peak[SP_BF16] / 1e9));
    }
    json_object_set_new(c, "environment", environment());
    return c;
}
