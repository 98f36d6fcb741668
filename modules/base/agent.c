/* agent.c: see agent.h.
 *
 * Nearly every browser claims to be nearly every other (a Chromium says Mozilla, Chrome and Safari),
 * so the rows of each table stand in order: the first that is found decides. A blank in front of a
 * mark holds it to the beginning of a product's name.
 */
#include "agent.h"

#include <string.h>
#include <strings.h>

typedef struct mark_t {
    const char *mark; /* somewhere in the header, case matters */
    const char *words;
} mark_t;

/* What names itself at the beginning, without regard to case. They may name a system as well, which
 * tells a person nothing more. */
static const mark_t programs[] = {
    {"curl", "curl"},
    {"wget", "wget"},
    {"wget2", "wget"},
    {"python", "Python"},
    {"go-http-client", "Go program"},
    {"java", "Java program"},
    {"apache-httpclient", "Java program"},
    {"okhttp", "Android app"},
    {"dalvik", "Android app"},
};

/* What names itself further behind. */
static const mark_t inside[] = {
    {"PowerShell/", "PowerShell"},
    {" python-requests/", "Python"},
    {" aiohttp/", "Python"},
    {"; wv)", "Android app"}, /* the view of a web page within an application */
};

static const mark_t browsers[] = {
    {" Edg/", "Edge"},
    {" EdgA/", "Edge"},
    {" EdgiOS/", "Edge"},
    {" Edge/", "Edge"}, /* before 2020 */
    {" OPR/", "Opera"},
    {" OPX/", "Opera"}, /* GX on an iPhone */
    {" OPT/", "Opera"}, /* Touch on an iPhone */
    {"Opera/", "Opera"},
    {" OPiOS/", "Opera"},
    {" SamsungBrowser/", "Samsung Internet"},
    {" Vivaldi/", "Vivaldi"},
    {" YaBrowser/", "Yandex Browser"},
    {" DuckDuckGo/", "DuckDuckGo"},
    {" Ddg/", "DuckDuckGo"},
    {" Firefox/", "Firefox"},
    {" FxiOS/", "Firefox"},
    {" CriOS/", "Chrome"},
    {"Chromium/", "Chrome"},
    {"Chrome/", "Chrome"}, /* HeadlessChrome too */
    {" Trident/", "Internet Explorer"},
    {" MSIE ", "Internet Explorer"},
};

static const mark_t systems[] = {
    {"iPod", "iPod"}, /* it goes on to call its system that of an iPhone */
    {"iPhone", "iPhone"},
    {"iPad", "iPad"},
    /* These run on nothing else, and call themselves a Macintosh to get pages of full size. */
    {" CriOS/", "iPhone or iPad"},
    {" FxiOS/", "iPhone or iPad"},
    {" EdgiOS/", "iPhone or iPad"},
    {"Tizen", "TV"},
    {"Web0S", "TV"},
    {"Windows", "Windows"}, /* before Android, whose name a Windows Phone adds */
    {"Android", "Android"},
    {"CrOS", "ChromeOS"},
    {"Macintosh", "Mac"},
    {"FreeBSD", "FreeBSD"},
    {"OpenBSD", "OpenBSD"},
    {"Linux", "Linux"},
};

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const char *find(const mark_t *rows, size_t count, const char *agent)
{
    for (size_t i = 0; i < count; i++) {
        if (strstr(agent, rows[i].mark)) {
            return rows[i].words;
        }
    }
    return NULL;
}

static int letter_or_digit(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9');
}

/* The whole name only: "JavaScript" is not "java". */
static const char *find_program(const char *agent)
{
    for (size_t i = 0; i < COUNT(programs); i++) {
        size_t length = strlen(programs[i].mark);

        if (strncasecmp(agent, programs[i].mark, length) == 0 &&
            !letter_or_digit(agent[length])) {
            return programs[i].words;
        }
    }
    return find(inside, COUNT(inside), agent);
}

/* Safari has no mark of its own: others on Apple's systems have theirs, and who else uses its engine
 * runs elsewhere. */
static const char *find_browser(const char *agent)
{
    const char *words = find(browsers, COUNT(browsers), agent);

    if (words) {
        return words;
    }
    return strstr(agent, " Safari/") && strstr(agent, "Mac OS X") ? "Safari" : NULL;
}

const char *ua_agent_words(apr_pool_t *pool, const char *agent)
{
    const char *program = find_program(agent);
    const char *browser = find_browser(agent);
    const char *system = find(systems, COUNT(systems), agent);

    if (program) {
        return program;
    }
    if (!system) {
        return browser ? browser : "Unknown device";
    }
    return apr_pstrcat(pool, browser ? browser : "A browser", " on ", system, NULL);
}
