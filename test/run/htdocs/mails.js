// mails.js: makes the server's list of mail files a list of mails: subject, reader, time. New ones
// appear by themselves. Without script the server's own list stays.
(function () {
  "use strict";

  var main = document.querySelector("main");
  var shown = "";

  // Subject: =?UTF-8?Q?Caf=C3=A9?= or plain.
  function decode(text) {
    return text.replace(/\?=\s+=\?/g, "?==?").replace(/=\?utf-8\?([bq])\?(.*?)\?=/gi, function (all, kind, data) {
      var hex = data.replace(/_/g, " ").replace(/%/g, "=25").replace(/=([0-9A-F]{2})/gi, "%$1");

      if (kind.toLowerCase() === "b") {
        hex = Array.from(atob(data), function (c) {
          return "%" + ("0" + c.charCodeAt(0).toString(16)).slice(-2);
        }).join("");
      }
      return decodeURIComponent(hex);
    });
  }

  function header(source, name) {
    var head = source.split(/\r?\n\r?\n/)[0].replace(/\r?\n[ \t]+/g, " ");
    var found = new RegExp("^" + name + ": *(.*)$", "im").exec(head);

    return found ? decode(found[1].trim()) : "";
  }

  function element(tag, text, href) {
    var made = document.createElement(tag);

    made.textContent = text;
    if (href) {
      made.href = href;
    }
    return made;
  }

  function row(page, source) {
    var mail = document.createElement("section");
    var line = element("p", "To " + header(source, "To") + " · ");
    var time = element("time", new Date(header(source, "Date")).toLocaleString());

    mail.className = "mail";
    mail.append(element("a", header(source, "Subject"), page), line);
    line.append(time, element("a", "As sent", page.replace(/html$/, "eml")));
    return mail;
  }

  function files(list) {
    var links = Array.from(list.querySelectorAll("a[href$='.html']"), function (a) {
      return a.getAttribute("href");
    });

    return links.filter(function (name) {
      return /^[^/?]+\.html$/.test(name);
    });
  }

  function text(reply) {
    return reply.ok ? reply.text() : Promise.reject(reply.status);
  }

  function show(list) {
    var names = files(list);

    if (names.join() === shown) {
      return Promise.resolve();
    }
    return Promise.all(
      names.map(function (name) {
        return fetch(name.replace(/html$/, "eml")).then(text).then(row.bind(null, name));
      })
    ).then(function (rows) {
      shown = names.join();
      main.querySelectorAll("table, .mail").forEach(function (old) {
        old.remove();
      });
      main.append.apply(main, rows);
    });
  }

  function look() {
    return fetch(location.pathname)
      .then(text)
      .then(function (page) {
        return show(new DOMParser().parseFromString(page, "text/html"));
      });
  }

  function again() {
    setTimeout(function () {
      look().catch(function () {}).then(again);
    }, 3000);
  }

  show(document).catch(function () {}).then(again);
})();
