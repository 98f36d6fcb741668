/* test_jwt_forged.c: tokens right in form and wrong in their key or their bytes: the key of another period or
 * site, and a good token with any one character changed.
 *
 * Cases: JWT-05, CLK-02.
 */
#include "jwt_forge.h"

/* The key of the next period is no good before, whatever the token says about its times. */
static void the_next_key_too_early(void **state)
{
    apr_time_t start = (PERIOD + 1) * DAY;
    const json_t *next = json_array_get(set_at(keys, start + DAY / 2), 0);
    const char *header = apr_psprintf(
        pool, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}", text_at(next, "kid"));
    const char *claims = part_text(sign_at(keys, start - 70 * SECOND), 1);
    const char *text =
        forge_text(apr_pstrcat(pool, base64(header), ".", base64(claims), NULL), PERIOD + 1);

    (void)state;
    assert_int_equal(verify_at(keys, text, start - 60 * SECOND - 1), APR_EACCES);
    assert_int_equal(verify_at(keys, text, start - 60 * SECOND), APR_SUCCESS);
}

/* The key of another period is no good for it, though the token's own times are. */
static void keys_before_and_after_their_time(void **state)
{
    static const struct {
        const char *kid;
        int period;
    } rows[] = {
        {"kbhxxMledfUE4vR1", 658}, {"R1zI9Ns4N9q-4GaJ", 1}, {"jc1u8q0qjw2Akigp", 20009}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *header = apr_psprintf(
            pool, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}", rows[i].kid);
        const char *text =
            apr_pstrcat(pool, base64(header), ".", base64(claims_with("", NULL)), NULL);

        assert_int_equal(verify(forge_text(text, rows[i].period)), APR_EACCES);
        /* nor with the name of the right one */
        assert_int_equal(verify(forge_text(apr_pstrcat(pool, base64(GOOD_HEADER), ".",
                                                       base64(claims_with("", NULL)), NULL),
                                           rows[i].period)),
                         APR_EACCES);
    }
}

/* Two sites with unlike key files: neither knows the other's keys, even with the name changed. */
static void another_site(void **state)
{
    ua_jwt_keys_t *one = site_of(4, DAY);
    ua_jwt_keys_t *two = site_of(5, DAY);
    const char *mine = sign_at(one, NOW);
    const char *theirs = sign_at(two, NOW);
    const char *mixed = apr_pstrcat(pool, apr_pstrmemdup(pool, theirs, strcspn(theirs, ".")),
                                    strchr(mine, '.'), NULL);

    (void)state;
    assert_int_equal(verify_at(one, mine, NOW), APR_SUCCESS);
    assert_int_equal(verify_at(two, theirs, NOW), APR_SUCCESS);
    assert_int_equal(verify_at(one, theirs, NOW), APR_EACCES);
    assert_int_equal(verify_at(two, mine, NOW), APR_EACCES);
    assert_int_equal(verify_at(two, mixed, NOW), APR_EACCES);
    assert_int_equal(verify_at(site_of(4, DAY), mine, NOW), APR_SUCCESS); /* another node */
}

/* JWT-05: each character once, as its neighbour, as another letter, as a dot. */
static void every_character_changed(void **state)
{
    const char *good = sign_at(keys, NOW);
    char *text = apr_pstrdup(pool, good);

    (void)state;
    assert_int_equal(verify(text), APR_SUCCESS);
    for (char *at = text; *at; at++) {
        const char was = *at;
        const char changed[] = {(char)(was ^ 1), was == 'Q' ? 'g' : 'Q',
                                was == '.' ? 'A' : '.'};

        for (size_t i = 0; i < COUNT(changed); i++) {
            *at = changed[i];
            assert_int_equal(verify(text), APR_EACCES);
        }
        *at = was;
    }
    for (apr_size_t length = 0; length < strlen(good); length += 3) {
        assert_int_equal(verify(apr_pstrmemdup(pool, good, length)), APR_EACCES);
    }
    assert_int_equal(verify(text), APR_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_key_too_early),
        cmocka_unit_test(keys_before_and_after_their_time),
        cmocka_unit_test(another_site),
        cmocka_unit_test(every_character_changed),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
