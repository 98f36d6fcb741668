/* sanitized_pools.c: the unit programs' pools of single blocks (test/unit/pool.c) for a whole Apache, as a library to preload.
 *
 * Built by test/run/sanitized.sh. APR ends a pool's child processes after the pool's cleanups, and so after its blocks are
 * freed: the notes of them stay in the pool's own memory.
 */
#define apr_palloc in_a_block
#include "../unit/pool.c"
#undef apr_palloc

#include <apr_thread_proc.h>
#include <dlfcn.h>

typedef void *(*palloc_t)(apr_pool_t *, apr_size_t);
typedef void (*note_t)(apr_pool_t *, apr_proc_t *, apr_kill_conditions_e);

static _Thread_local int noting;

#pragma GCC visibility push(default)

void *apr_palloc(apr_pool_t *pool, apr_size_t size);

void *apr_palloc(apr_pool_t *pool, apr_size_t size)
{
    palloc_t real = NULL;

    if (!noting) {
        return in_a_block(pool, size);
    }
    *(void **)&real = dlsym(RTLD_NEXT, "apr_palloc");
    return real(pool, size);
}

void apr_pool_note_subprocess(apr_pool_t *pool, apr_proc_t *process, apr_kill_conditions_e how)
{
    note_t real = NULL;

    *(void **)&real = dlsym(RTLD_NEXT, "apr_pool_note_subprocess");
    noting = 1;
    real(pool, process, how);
    noting = 0;
}

#pragma GCC visibility pop
