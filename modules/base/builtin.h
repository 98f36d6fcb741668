/* builtin.h: the files that travel inside the module: templates, assets, schema steps.
 *
 * The table is written at build time (build/builtin.S) from templates/ and
 * schema/; names are paths such as "templates/login.html" and "schema/sqlite3/001_core.sql".
 */
#ifndef UA_BUILTIN_H
#define UA_BUILTIN_H

#include "base.h"

typedef struct ua_builtin_t {
    const char *name;
    const char *data;
    apr_size_t length;
} ua_builtin_t;

/* All files in order of name, ended by a NULL name. */
const ua_builtin_t *ua_builtin_all(void);

/* One file, or NULL. */
const ua_builtin_t *ua_builtin_find(const char *name);

#endif
