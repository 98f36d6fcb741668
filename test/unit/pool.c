/* pool.c: gives every allocation from an APR pool its own malloc block in the unit programs.
 *
 * Linked into every unit program, it stands in for the library's own apr_palloc and its kin, so
 * that AddressSanitizer sees an overflow inside a pool and a use after the pool is gone, both of
 * which pools hide (traps.md 37). A pool's blocks are freed by a cleanup registered at its first
 * allocation: cleanups run last in, first out, so it runs after all others.
 */
#include <apr_pools.h>
#include <apr_strings.h>

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* The library's function; the header offers a macro of that name instead. */
#undef apr_pcalloc
void *apr_pcalloc(apr_pool_t *pool, apr_size_t size);

#define BUCKETS 1021

typedef struct owner_t {
    struct owner_t *next;
    apr_pool_t *pool;
    void **blocks;
    size_t used;
    size_t room;
} owner_t;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static owner_t *owners[BUCKETS];

static owner_t **slot_of(const apr_pool_t *pool)
{
    owner_t **slot = &owners[((size_t)pool >> 4) % BUCKETS];

    while (*slot && (*slot)->pool != pool) {
        slot = &(*slot)->next;
    }
    return slot;
}

static void *or_abort(void *memory)
{
    if (!memory) {
        abort();
    }
    return memory;
}

static apr_status_t release(void *data)
{
    owner_t *owner = data;
    owner_t **slot;

    pthread_mutex_lock(&lock);
    slot = slot_of(owner->pool);
    *slot = owner->next;
    pthread_mutex_unlock(&lock);
    for (size_t i = 0; i < owner->used; i++) {
        free(owner->blocks[i]);
    }
    free(owner->blocks);
    free(owner);
    return APR_SUCCESS;
}

/* The pool's list of blocks; the cleanup of a new one allocates from it in turn. */
static owner_t *owner_of(apr_pool_t *pool)
{
    owner_t **slot;
    owner_t *owner;

    pthread_mutex_lock(&lock);
    slot = slot_of(pool);
    owner = *slot;
    if (!owner) {
        owner = *slot = or_abort(calloc(1, sizeof(*owner)));
        owner->pool = pool;
        pthread_mutex_unlock(&lock);
        apr_pool_cleanup_register(pool, owner, release, apr_pool_cleanup_null);
        return owner;
    }
    pthread_mutex_unlock(&lock);
    return owner;
}

/* Not static, and visible, so that the shared libraries find these before their own. */
#pragma GCC visibility push(default)

void *apr_palloc(apr_pool_t *pool, apr_size_t size)
{
    owner_t *owner = owner_of(pool);
    void *block = or_abort(malloc(size));

    pthread_mutex_lock(&lock);
    if (owner->used == owner->room) {
        owner->room = owner->room ? 2 * owner->room : 16;
        owner->blocks = or_abort(realloc(owner->blocks, owner->room * sizeof(void *)));
    }
    owner->blocks[owner->used++] = block;
    pthread_mutex_unlock(&lock);
    return block;
}

void *apr_pcalloc(apr_pool_t *pool, apr_size_t size)
{
    return memset(apr_palloc(pool, size), 0, size);
}

char *apr_pvsprintf(apr_pool_t *pool, const char *format, va_list args)
{
    va_list again;
    int length;
    char *text;

    va_copy(again, args);
    length = apr_vsnprintf(NULL, 0, format, args);
    text = apr_palloc(pool, (apr_size_t)length + 1);
    apr_vsnprintf(text, (apr_size_t)length + 1, format, again);
    va_end(again);
    return text;
}

char *apr_psprintf(apr_pool_t *pool, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = apr_pvsprintf(pool, format, args);
    va_end(args);
    return text;
}

#pragma GCC visibility pop
