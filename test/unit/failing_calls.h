/* failing_calls.h: a function of modules/domain while each call it makes fails in turn.
 *
 * Whatever fails, of the database or of OpenSSL, is said by the function's status and never taken for "there
 * is none" (INV-7); an act checks that its outputs stay as they were. Include it in one source file of a
 * program only: it brings the functions of crypto_faults.h.
 */
#ifndef FAILING_CALLS_H
#define FAILING_CALLS_H

#include "domain_site.h"
#include "crypto_faults.h"

#define MOST_CALLS 100
#define EACH_CALL  (FAULT_WRITE | FAULT_SELECT | FAULT_CRYPTO | FAULT_CRYPTO_REST)

/* Calls the function under test once; its status. */
typedef apr_status_t failing_act_f(ua_ctx_t *ctx, void *data);

/* Call number `skip` + 1 of these kinds fails. 0 when there is no such call, and the act has worked. */
static inline int one_call_fails(ua_test_t *t, int kinds, int skip, failing_act_f *act,
                                 void *data)
{
    ua_ctx_t *ctx = ua_test_context(t);
    apr_status_t rv = ua_db_begin(ctx, UA_SERIALIZABLE);
    int failed = 0;

    assert_int_equal(rv, APR_SUCCESS);
    faults_add((fault_t){.kinds = kinds, .skip = skip, .times = 1});
    rv = act(ctx, data);
    failed = faults.failed;
    faults_off();
    assert_int_equal(rv, failed ? APR_EGENERAL : APR_SUCCESS);
    ua_db_rollback(ctx);
    ua_db_release(ctx);
    return failed;
}

/* Each call that the function makes fails once, alone; there are some, and an end of them. */
static inline void each_call_fails(ua_test_t *t, failing_act_f *act, void *data)
{
    int n = 0;

    faults_off();
    while (n < MOST_CALLS && one_call_fails(t, EACH_CALL, n, act, data)) {
        n++;
    }
    assert_in_range(n, 1, MOST_CALLS - 1);
}

#endif
