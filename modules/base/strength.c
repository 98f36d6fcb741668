/* strength.c: zxcvbn's estimate as its score 0..4. Called by domain/password.c.
 *
 * zxcvbn judges bytes and knows words of English only (traps 36), so each character of another script is one
 * byte here: eight random ones are still very good, a few over and over are not. Its time grows with the
 * fourth power of the length of a walk over the keyboard, the fifth of one over the number pad: "o0" x 50
 * took 60 ms of CPU, "12" x 50 took 2900. Hence the first 50 characters are judged, of those of the number
 * pad 16 in a row: the worst pattern of a long search takes 6 ms, usual passwords 0.4 (-O2, a few words). A
 * row that is cut inside a repetition or a year would seem a better one: it is cut at several lengths, and
 * the worst score counts.
 */
#include "strength.h"
#include "unicode.h"

#include <string.h>
#include <zxcvbn.h>

#define JUDGED_MOST    50  /* characters of a password */
#define PAD_MOST       16  /* of them in a row from the number pad */
#define PAD_LEAST      12  /* where a longer row is cut at the soonest */
#define DIFFERENT      5   /* characters that a good password has at least */
#define GIVEN_MOST     64  /* words of a person and the site */
#define WORD_MOST      255 /* characters of a person's word */
#define WORDS_MOST     128 /* that zxcvbn is given: each costs time, and the last is worth 7 bits */
#define PARTS_MOST     8 /* of one word */
#define PART_LEAST     3 /* characters */
#define BYTES_OF_POINT 4

/* Upper ends, in bits, of the scores 0 to 3: 10^3, 10^6, 10^8 and 10^10 guesses. */
static const double ends[] = {9.965784, 19.931569, 26.575425, 33.219281};

typedef enum { KIND_OTHER, KIND_DIGIT, KIND_LETTER } kind_e;

typedef struct points_t {
    apr_uint32_t at[WORD_MOST];
    apr_size_t count;
    int cut; /* a row of the number pad was longer */
} points_t;

static int is_on_pad(apr_uint32_t point)
{
    return point < 0x80 && point != 0 && strchr("0123456789*+-./=", (int)point) != NULL;
}

/* At most `most` characters, without what follows `pad` of the number pad in a row. */
static points_t *read_points(apr_pool_t *pool, const char *text, apr_size_t most, int pad)
{
    points_t *points = apr_pcalloc(pool, sizeof *points);
    apr_uint32_t point = 0;
    int row = 0;

    while (points->count < most && (text = ua_utf8_next(&point, text)) != NULL) {
        row = is_on_pad(point) ? row + 1 : 0;
        if (row <= pad) {
            points->at[points->count++] = point;
        }
        points->cut |= row > pad;
    }
    return points;
}

/* One byte a character; neighbours in a script stay neighbours. */
static const char *squeeze(apr_pool_t *pool, const apr_uint32_t *points, apr_size_t count)
{
    char *text = apr_pcalloc(pool, count + 1);

    for (apr_size_t i = 0; i < count; i++) {
        text[i] = (char)(points[i] < 0x80 ? points[i] : 0x80 | (points[i] & 0x7F));
    }
    return text;
}

static const char *fold(apr_pool_t *pool, const char *text)
{
    const char *folded = text;

    return ua_utf8_fold(&folded, pool, text) == APR_SUCCESS ? folded : text;
}

/* How many bytes of ASCII, or of anything else, come first. */
static apr_size_t span(const char *text, int ascii)
{
    apr_size_t length = 0;

    while (text[length] && ((unsigned char)text[length] < 0x80) == ascii) {
        length++;
    }
    return length;
}

/* Case as zxcvbn can't tell it; of ASCII it judges capitals itself. */
static const char *fold_others(apr_pool_t *pool, const char *text)
{
    const char *folded = "";

    while (*text) {
        apr_size_t plain = span(text, 1);
        apr_size_t other = span(text + plain, 0);

        folded =
            apr_pstrcat(pool, folded, apr_pstrmemdup(pool, text, plain),
                        fold(pool, apr_pstrmemdup(pool, text + plain, other)), (char *)NULL);
        text += plain + other;
    }
    return folded;
}

static kind_e kind_of(apr_uint32_t point)
{
    if (point < 0x80) {
        return point >= '0' && point <= '9'                     ? KIND_DIGIT
               : (point | 0x20) >= 'a' && (point | 0x20) <= 'z' ? KIND_LETTER
                                                                : KIND_OTHER;
    }
    return ua_utf8_is_letter(point) ? KIND_LETTER : KIND_OTHER;
}

/* A word for zxcvbn; of a longer one what can stand in a judged password. Each once: the later a word, the
 * more zxcvbn holds it to be worth. */
static void add_word(apr_array_header_t *list, const apr_uint32_t *points, apr_size_t count)
{
    const char *word = NULL;

    if (list->nelts >= WORDS_MOST || count == 0) { /* an empty one matches everywhere */
        return;
    }
    word = squeeze(list->pool, points, count < JUDGED_MOST ? count : JUDGED_MOST);
    for (int i = 0; i < list->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(list, i, const char *), word) == 0) {
            return;
        }
    }
    APR_ARRAY_PUSH(list, const char *) = word;
}

static int add_part(apr_array_header_t *list, const apr_uint32_t *points, apr_size_t count)
{
    if (count < PART_LEAST) {
        return 0;
    }
    add_word(list, points, count);
    return 1;
}

/* What stands between characters below `least`, and all of it in one. */
static void add_parts(apr_array_header_t *list, const points_t *word, apr_size_t end,
                      kind_e least)
{
    apr_uint32_t all[WORD_MOST];
    apr_size_t total = 0;
    apr_size_t start = 0;
    int parts = 0;

    for (apr_size_t i = 0; i <= end; i++) {
        if (i < end && kind_of(word->at[i]) >= least) {
            all[total++] = word->at[i];
            continue;
        }
        parts += parts < PARTS_MOST && add_part(list, word->at + start, i - start);
        start = i + 1;
    }
    (void)add_part(list, all, total);
}

/* Where the parts of a word end: of an address before the last label, which many share. */
static apr_size_t end_of_parts(const points_t *word)
{
    int at = 0;
    apr_size_t end = word->count;

    for (apr_size_t i = 0; i < word->count; i++) {
        at |= word->at[i] == '@';
        end = at && word->at[i] == '.' ? i : end;
    }
    return end;
}

/* zxcvbn's list of words: first each as it is, then the parts. */
static const char **word_list(apr_pool_t *pool, const char *const *words)
{
    apr_array_header_t *list = apr_array_make(pool, WORDS_MOST + 1, sizeof(const char *));
    apr_array_header_t *read = apr_array_make(pool, 16, sizeof(points_t *));

    for (; words && *words && read->nelts < GIVEN_MOST; words++) {
        const char *word = ua_utf8_cut(pool, *words, (apr_size_t)WORD_MOST * BYTES_OF_POINT);
        points_t *points = read_points(pool, fold(pool, word), WORD_MOST, PAD_MOST);

        add_word(list, points->at, points->count);
        APR_ARRAY_PUSH(read, points_t *) = points;
    }
    for (int i = 0; i < read->nelts; i++) {
        const points_t *word = APR_ARRAY_IDX(read, i, points_t *);

        add_parts(list, word, end_of_parts(word), KIND_LETTER);
        add_parts(list, word, end_of_parts(word), KIND_DIGIT);
    }
    APR_ARRAY_PUSH(list, const char *) = NULL;
    return (void *)list->elts;
}

static int is_among(const apr_uint32_t *points, apr_size_t count, apr_uint32_t point)
{
    for (apr_size_t i = 0; i < count; i++) {
        if (points[i] == point) {
            return 1;
        }
    }
    return 0;
}

static int different(const points_t *points)
{
    int count = 0;

    for (apr_size_t i = 0; i < points->count; i++) {
        count += !is_among(points->at, i, points->at[i]);
    }
    return count;
}

static int repeats(const points_t *points, apr_size_t length)
{
    return memcmp(points->at, points->at + length,
                  (points->count - length) * sizeof *points->at) == 0;
}

/* The length of the text that a password says over and over; its own when it does not. */
static apr_size_t unit_length(const points_t *points)
{
    for (apr_size_t length = 1; length <= points->count / 2; length++) {
        if (repeats(points, length)) {
            return length;
        }
    }
    return points->count;
}

static int score_of(apr_pool_t *pool, const points_t *points, const char **words)
{
    double bits = 0;
    int score = 0;

    if (different(points) < DIFFERENT) {
        return 0;
    }
    bits = ZxcvbnMatch(squeeze(pool, points->at, unit_length(points)), words, NULL);
    while (score < 4 && bits >= ends[score]) {
        score++;
    }
    return score;
}

int ua_strength_score(apr_pool_t *pool, const char *password, const char *const *words)
{
    const char *start = ua_utf8_cut(pool, password, (apr_size_t)JUDGED_MOST * BYTES_OF_POINT);
    const char *folded = fold_others(pool, start);
    const char **list = word_list(pool, words);
    const points_t *points = read_points(pool, folded, JUDGED_MOST, PAD_MOST);
    int score = score_of(pool, points, list);

    for (int pad = PAD_MOST - 1; points->cut && pad >= PAD_LEAST; pad--) {
        int lower = score_of(pool, read_points(pool, folded, JUDGED_MOST, pad), list);

        score = lower < score ? lower : score;
    }
    return score;
}
