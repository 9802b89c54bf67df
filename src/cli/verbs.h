/* verbs.h - what the program can be told to do. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_VERBS_H
#define SP_VERBS_H

/* argv[0] is the verb's name. Each returns the exit code. */
struct sp_verbinfo { const char *name, *help; int (*run)(int argc, char **argv); };

extern const struct sp_verbinfo sp_verbs[];     /* ends with a NULL name */

int sp_run_main(int argc, char **argv);
int sp_calibrate_main(int argc, char **argv);
int sp_predict_main(int argc, char **argv);
int sp_show_main(int argc, char **argv);
int sp_check_main(int argc, char **argv);
int sp_info_main(int argc, char **argv);
int sp_validate_main(int argc, char **argv);
int sp_topo_main(int argc, char **argv);

#endif
