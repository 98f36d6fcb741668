// mails.js: makes the server's list of mail files a list of mails: subject, reader, time. New ones
// appear by themselves. Without script the server's own list stays.
(function () {
  "use strict";

  var main = document.querySelector("main");
  var shown = {};

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

  function element(tag, text) {
    var made = document.createElement(tag);

    made.textContent = text;
    return made;
  }

  // Takes the server's own two links over.
  function row(found) {
    var page = document.adoptNode(found.page);
    var message = document.adoptNode(found.message);
    var source = found.source;
    var mail = document.createElement("section");
    var sent = new Date(header(source, "Date"));
    var line = element("p", "To " + header(source, "To") + " · ");
    var time = element("time", sent.toLocaleString([], { dateStyle: "medium", timeStyle: "short" }));

    page.replaceChildren(element("strong", header(source, "Subject")), element("small", page.getAttribute("href")));
    message.textContent = "As sent (.eml)";
    line.append(time, message);
    mail.className = "mail";
    mail.append(page, line);
    return mail;
  }

  function text(reply) {
    return reply.ok ? reply.text() : Promise.reject(reply.status);
  }

  function links(list, suffix) {
    return Array.from(list.querySelectorAll("td a[href$='" + suffix + "']"));
  }

  // All mails of a list, newest first, that have no row yet.
  function mails(list) {
    var messages = links(list, ".eml");
    var found = links(list, ".html").map(function (page) {
      var name = page.getAttribute("href").replace(/html$/, "eml");
      var message = messages.find(function (a) {
        return a.getAttribute("href") === name;
      });

      if (!message || shown[name]) {
        return null;
      }
      return fetch(name)
        .then(text)
        .then(function (source) {
          return { name: name, page: page, message: message, source: source };
        });
    });

    return Promise.all(found.filter(Boolean));
  }

  function show(list) {
    return mails(list).then(function (found) {
      var lead = main.querySelector("h1 + p");

      lead.after.apply(lead, found.map(row));
      found.forEach(function (mail) {
        shown[mail.name] = true;
      });
      main.querySelectorAll("table").forEach(function (table) {
        table.remove();
      });
      main.querySelector(".none").hidden = main.querySelector(".mail") !== null;
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
    }, 2000);
  }

  show(document).catch(function () {}).then(again);
})();
