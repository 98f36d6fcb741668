/* builtin.c: see builtin.h. The table itself is assembled from the files at build time. */
#include "builtin.h"

#include <string.h>

extern const ua_builtin_t ua_builtin_table[];

const ua_builtin_t *ua_builtin_all(void)
{
    return ua_builtin_table;
}

const ua_builtin_t *ua_builtin_find(const char *name)
{
    const ua_builtin_t *file = ua_builtin_table;

    while (file->name && strcmp(file->name, name) != 0) {
        file++;
    }
    return file->name ? file : NULL;
}
