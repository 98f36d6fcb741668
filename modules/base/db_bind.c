/* db_bind.c: a statement's %s and %lld against the values it is given. apr_dbd reads blindly what it is
 * pointed to, so nothing that does not fit gets there. Called by db.c. */
#include "db_conn.h"

#include <string.h>

const char *ua_db_kinds(apr_pool_t *pool, const char *sql)
{
    char *kinds = apr_pcalloc(pool, strlen(sql) / 2 + 1);
    int count = 0;

    for (const char *at = strchr(sql, '%'); at != NULL; at = strchr(at + 2, '%')) {
        if (at[1] == 's') {
            kinds[count++] = 's';
        }
        else if (strncmp(at, "%lld", 4) == 0) {
            kinds[count++] = 'n';
        }
        else if (at[1] != '%') {
            return NULL;
        }
    }
    return kinds;
}

const void **ua_db_bound(apr_pool_t *pool, const char *kinds, const ua_arg_t *args)
{
    apr_size_t count = strlen(kinds);
    const void **values = apr_pcalloc(pool, (count + 1) * sizeof(*values));

    for (apr_size_t i = 0; i < count; i++) {
        int text = kinds[i] == 's';
        if (args[i].end || text != (args[i].text != NULL)) {
            return NULL;
        }
        values[i] = text ? (const void *)args[i].text : (const void *)&args[i].number;
    }
    return args[count].end ? values : NULL;
}
