// audit.js: what a page owes everybody; the body of a function that returns its faults as sentences.
// Run by test_access.py inside the page. arguments[0]: smallest contrast of text.
const faults = [];
const all = (selector) => Array.from(document.querySelectorAll(selector)).filter((e) => e.checkVisibility());
const say = (what, e) => faults.push(what + (e ? ": " + e.outerHTML.slice(0, 160) : ""));

// ---- structure ----

if (document.querySelectorAll("h1").length !== 1) say("not exactly one h1");
if (!document.documentElement.lang) say("no language");
if (!document.title.trim() || /^ ?·/.test(document.title)) say("no title");
for (const landmark of ["main", "header", "footer"]) {
  if (document.querySelectorAll("body > " + landmark).length !== 1) say("not exactly one " + landmark);
}
const ids = Array.from(document.querySelectorAll("[id]"), (e) => e.id);
ids.filter((id, i) => ids.indexOf(id) !== i).forEach((id) => say("the id " + id + " stands twice"));
const levels = all("h1, h2, h3").map((e) => Number(e.tagName[1]));
levels.forEach((level, i) => i > 0 && level > levels[i - 1] + 1 && say("a headline skips a level"));

document.querySelectorAll("input:not([type=hidden])").forEach((e) => {
  if (e.labels.length !== 1 || !e.labels[0].textContent.trim()) say("not exactly one label", e);
  if (e.hasAttribute("maxlength")) say("maxlength cuts a paste", e);
});
document.querySelectorAll("button, a[href]").forEach((e) => {
  const named = e.textContent.trim() || e.getAttribute("aria-label") || e.querySelector("img[alt]:not([alt=''])");
  if (!named) say("nothing says what it does", e);
});
for (const kind of ["aria-describedby", "aria-labelledby", "aria-controls", "for"]) {
  document.querySelectorAll("[" + kind + "]").forEach((e) => {
    e.getAttribute(kind).split(" ").forEach((id) => document.getElementById(id) || say(kind + " leads nowhere", e));
  });
}
document.querySelectorAll("form[method=post]").forEach((e) => {
  if (!e.querySelector("input[type=hidden][name=csrf][value]")) say("a form without its hidden field", e);
});

// ---- sizes ----

all("button, .button, .entry input, .check label, nav a, .ways a, .offers a, summary, .brand").forEach((e) => {
  if (e.getBoundingClientRect().height < 43.9) say("less than 44 px high", e);
});
if (document.documentElement.scrollWidth > innerWidth) say("wider than the window of " + innerWidth + " px");

// ---- contrast (WCAG 2.2: 1.4.3, 1.4.11) ----

const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

function rgba(colour) {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  return canvas.getImageData(0, 0, 1, 1).data;
}

function over(top, under) {
  return [0, 1, 2].map((i) => (top[i] * top[3] + under[i] * (255 - top[3])) / 255);
}

function ground(e) {
  const own = e ? rgba(getComputedStyle(e).backgroundColor) : rgba("Canvas");
  return own[3] === 255 ? own : over(own, ground(e.parentElement));
}

function luminance(colour) {
  const [r, g, b] = [0, 1, 2].map((i) => colour[i] / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a, b) {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

function need(least, colour, under, what, e) {
  const found = contrast(over(rgba(colour), under), under);
  if (found < least) say(what + " has a contrast of " + found.toFixed(2), e);
}

const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const e = texts.currentNode.parentElement;
  if (texts.currentNode.data.trim() && e.checkVisibility() && !e.closest("noscript")) {
    need(arguments[0], getComputedStyle(e).color, ground(e), "a text", e);
  }
}
all(".entry input").forEach((e) => {
  need(arguments[0], getComputedStyle(e).color, ground(e), "what is typed", e);
  need(3, getComputedStyle(e).borderTopColor, ground(e.parentElement), "a field's edge", e);
});
all("button:not(.quiet), .button").forEach((e) => {
  need(3, getComputedStyle(e).borderTopColor, ground(e.parentElement), "a button's edge", e);
});
if (document.activeElement !== document.body && document.activeElement.matches(":focus-visible")) {
  const e = document.activeElement;
  const style = getComputedStyle(e);
  if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) say("no ring of 2 px around the focus", e);
  need(3, style.outlineColor, ground(e.parentElement), "the ring around the focus", e);
}
return faults;
