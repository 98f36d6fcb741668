/* shared.c: memory that all children share. It hangs on the process, not on the configuration, so
 * that over a graceful restart old and new children hold the same locks. */
#include "edge.h"
#include "base/lock.h"

#include <apr_shm.h>

/* Where locks may stand; what APR gives begins a few bytes behind a page's begin. */
#define CACHE_LINE 64

static void *aligned(void *memory)
{
    return (char *)memory + (CACHE_LINE - (apr_uintptr_t)memory % CACHE_LINE) % CACHE_LINE;
}

apr_status_t ua_edge_shared(void **out, int *fresh, process_rec *process, const char *name,
                            apr_size_t size)
{
    const char *key = apr_pstrcat(process->pool, "userauth:", name, NULL);
    void *memory = NULL;
    apr_shm_t *shm = NULL;

    UA_CHECK(apr_pool_userdata_get(&memory, key, process->pool));
    *fresh = memory == NULL;
    if (!memory) {
        UA_CHECK(apr_shm_create(&shm, size + CACHE_LINE, NULL, process->pool));
        memory = aligned(apr_shm_baseaddr_get(shm));
        memset(memory, 0, size);
        UA_CHECK(apr_pool_userdata_setn(memory, key, NULL, process->pool));
    }
    *out = memory;
    return APR_SUCCESS;
}

apr_status_t ua_edge_writer(ua_lock_t **out, process_rec *process, const char *database)
{
    void *memory = NULL;
    int fresh = 0;

    UA_CHECK(ua_edge_shared(&memory, &fresh, process,
                            apr_pstrcat(process->pool, "writer:", database, NULL),
                            ua_lock_size()));
    if (!fresh) {
        *out = memory;
        return APR_SUCCESS;
    }
    return ua_lock_init(out, memory);
}

apr_status_t ua_edge_slots(struct ua_slots_t **out, process_rec *process, int slots, int queue)
{
    void *memory = NULL;
    int fresh = 0;
    const char *name = apr_psprintf(process->pool, "slots:%d:%d", slots, queue);

    UA_CHECK(ua_edge_shared(&memory, &fresh, process, name, ua_slots_size(slots, queue)));
    if (!fresh) {
        *out = memory;
        return APR_SUCCESS;
    }
    return ua_slots_init(out, memory, slots, queue);
}
