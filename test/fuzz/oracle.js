// oracle.js: what the URL parser of browsers (WHATWG, in node) makes of a text that the module accepted. Started by
// fuzz_child.c, which says how questions and answers travel.
'use strict';
const fs = require('fs');
const { domainToASCII } = require('url');

const SITES = ['https://www.example.com/auth/login', 'http://localhost:8080/'];
const OWN_MACHINE = ['http://localhost', 'http://127.0.0.1', 'http://[::1]'];

const show = (text) => JSON.stringify(text);

// Every escape once, as an application behind a proxy may do it.
function decoded(bytes) {
  const made = [];
  for (let i = 0; i < bytes.length; i++) {
    const escape = /^%([0-9a-fA-F]{2})$/.exec(bytes.subarray(i, i + 3).toString('latin1'));
    made.push(escape ? parseInt(escape[1], 16) : bytes[i]);
    i += escape ? 2 : 0;
  }
  return Buffer.from(made);
}

// Where a browser goes that is sent to this path: nowhere else.
function leaves(text) {
  for (const site of SITES) {
    const base = new URL(site);
    const url = new URL(text, base);
    const again = new URL(url.href.slice(url.origin.length), base);
    if (url.origin !== base.origin || url.username || url.password || again.href !== url.href) {
      return `${show(text)} leads to ${url.href} from ${site}`;
    }
  }
  return '';
}

function isNext(bytes) {
  let wrong = '';
  let path = bytes;
  for (let round = 0; round < 6 && !wrong; round++) {
    wrong = leaves(path.toString('utf8'));
    path = decoded(path);
  }
  return wrong;
}

function isBase(text, site, port) {
  // A name that no browser can decode leads nowhere: that is not asked at start.
  if (/xn--/.test(site) && domainToASCII(site.replace(/^.*:\/\/|:\d+$/g, '')) === '') {
    return '';
  }
  const url = new URL(text);
  const standard = url.protocol === 'https:' ? '443' : '80';
  // IPv4 within IPv6 is spelled in two ways ([::ffff:1.2.3.4]); each is read as the other.
  const spelled = /\[.*\.\d+\]/.test(site) ? new URL(site).origin : site;
  if (url.origin !== spelled || (url.port || standard) !== port) {
    return `${show(text)} is ${url.origin}, not ${site} at port ${port}`;
  }
  return url.pathname === '/' && !url.search && !url.hash && !url.username ? '' : `${show(text)} is more than a site`;
}

function isOwn(site, origin) {
  const url = new URL(origin);
  const local = new URL(site);
  const own = (u) => OWN_MACHINE.some((name) => u.origin === (u.port ? `${name}:${u.port}` : name));
  return url.origin === local.origin || (own(url) && own(local) && url.port === local.port)
    ? '' : `${show(origin)} is ${url.origin}, not ${site}`;
}

function isPathOf(site, referer, path) {
  const from = new URL(referer);
  const to = new URL(path, site);
  const wrong = isOwn(site, from.origin);
  return wrong || (from.pathname + from.search === to.pathname + to.search
    ? '' : `${show(referer)} has ${from.pathname}${from.search}, not ${show(path)}`);
}

// A request line holds any bytes. The parser takes text: in it they are escapes.
function isParameter(query, name, value) {
  const text = query.toString('latin1').replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16)}`);
  const found = new URLSearchParams(`&${text}`).get(name);
  return found === value ? '' : `${show(name)} in ${show(text)} is ${show(found)}, not ${show(value)}`;
}

// What a browser refuses is a matter of Unicode's versions; what it takes has one spelling.
function isDomain(typed, ascii) {
  const made = domainToASCII(typed);
  return made === ascii || made === '' ? '' : `${show(typed)} is ${show(made)}, not ${show(ascii)}`;
}

const QUESTIONS = {
  n: (bytes) => isNext(bytes),
  b: (...texts) => isBase(...texts.map(String)),
  o: (...texts) => isOwn(...texts.map(String)),
  r: (...texts) => isPathOf(...texts.map(String)),
  q: (query, ...texts) => isParameter(query, ...texts.map(String)),
  d: (...texts) => isDomain(...texts.map(String)),
};

function answer(kind, texts) {
  try {
    return QUESTIONS[kind](...texts);
  } catch (error) {
    return `${kind} ${texts.map((text) => show(String(text)))}: ${error}`;
  }
}

// Exactly so many bytes; null at the end.
function read(length) {
  const bytes = Buffer.alloc(length);
  for (let got = 0; got < length;) {
    const step = fs.readSync(0, bytes, got, length - got, null);
    if (step === 0) {
      return null;
    }
    got += step;
  }
  return bytes;
}

for (let head = read(2); head; head = read(2)) {
  const texts = [];
  for (let i = 0; i < head[1]; i++) {
    texts.push(read(read(4).readUInt32BE(0)));
  }
  const said = Buffer.from(answer(String.fromCharCode(head[0]), texts)).subarray(0, 2000);
  const frame = Buffer.alloc(4 + said.length);
  frame.writeUInt32BE(said.length, 0);
  said.copy(frame, 4);
  fs.writeSync(1, frame);
}
