/* statements.h: how many statements the application runs on SQLite, and how many rows it reads: what takes as many of both
 * takes as long, and tells nothing by its time.
 */
#ifndef STATEMENTS_H
#define STATEMENTS_H

typedef struct statements_t {
    int run, rows;
} statements_t;

/* Counts those of every connection that is opened from now on. */
void count_statements(void);

/* Since the last call. */
statements_t statements_counted(void);

#endif
