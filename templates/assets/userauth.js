// Small comforts for the pages; each of them works without this file.
(function () {
  "use strict";

  // "Show" beside a password. The words come from the page.
  function swap(button) {
    var text = button.textContent;
    var label = button.getAttribute("aria-label");

    button.textContent = button.dataset.text;
    button.setAttribute("aria-label", button.dataset.label);
    button.dataset.text = text;
    button.dataset.label = label;
  }

  function turn(button, input, visible) {
    if (visible === (input.type === "text")) {
      return;
    }
    input.type = visible ? "text" : "password";
    swap(button);
  }

  document.querySelectorAll("button.reveal").forEach(function (button) {
    var input = document.getElementById(button.getAttribute("aria-controls"));

    button.hidden = false;
    button.parentNode.classList.add("revealing");
    button.addEventListener("click", function () {
      turn(button, input, input.type === "password");
    });
    // A form is sent, and kept by the browser, with the password hidden again.
    input.form.addEventListener("submit", function () {
      turn(button, input, false);
    });
    window.addEventListener("pagehide", function () {
      turn(button, input, false);
    });
  });

  // A browser may keep an account's page in memory in spite of no-store, and show it to whoever goes back
  // after the person signed out. It is hidden when it is left, and asked for anew.
  if (document.body.classList.contains("personal")) {
    window.addEventListener("pagehide", function () {
      document.body.hidden = true;
    });
    window.addEventListener("pageshow", function (event) {
      if (event.persisted) {
        location.reload();
      }
    });
  }

  // Browsers that do not know autofocus on a section.
  var summary = document.getElementById("summary");
  if (summary && document.activeElement !== summary) {
    summary.focus();
  }

  // "Check your email" asks how the mail fares and shows the page anew when that changed, so that it needs
  // no refresh. It does not take away what is being typed, unless the address is confirmed by now.
  function watch(line) {
    var delay = 5000;
    var timer = 0;

    function isBusy() {
      var code = document.getElementById("f-code");

      return document.querySelector("details[open]") !== null || (code !== null && code.value !== "");
    }

    function judge(answer) {
      if (answer.mail === "verified" || (answer.mail && answer.mail !== line.dataset.state && !isBusy())) {
        location.replace(line.dataset.watch);
      } else {
        wait();
      }
    }

    function ask() {
      fetch(line.dataset.watch, { headers: { Accept: "application/json" } })
        .then(function (reply) {
          return reply.json();
        })
        .then(judge)
        .catch(wait);
    }

    function wait() {
      delay = Math.min(delay * 1.02, 60000);
      clearTimeout(timer);
      timer = setTimeout(ask, delay);
    }

    // At once when the person comes back from the mail.
    document.addEventListener("visibilitychange", function () {
      if (!document.hidden) {
        ask();
      }
    });
    line.hidden = false;
    timer = setTimeout(ask, line.dataset.state === "queued" ? 1000 : delay);
  }

  document.querySelectorAll("[data-watch]").forEach(watch);

  // Two minutes before a session ends for want of use, its page says so; the server is asked first, as other
  // pages may be in use. What was typed stays on the page.
  function guard(bar) {
    var data = bar.dataset;
    var typed = false;
    var timer = 0;

    function wait(seconds) {
      clearTimeout(timer);
      timer = setTimeout(ask, seconds * 1000 + 1000, data.ask);
    }

    function end() {
      if (typed) {
        bar.textContent = data.over;
        bar.hidden = false;
      } else {
        location = data.login + encodeURIComponent(location.pathname + location.search);
      }
    }

    function show(me) {
      var left = me.session.idle_seconds_left;

      bar.hidden = left > 120;
      wait(left > 120 ? left - 120 : left);
    }

    function ask(path) {
      fetch(path)
        .then(function (reply) {
          return reply.status === 401 ? end() : reply.json().then(show);
        })
        .catch(function () {
          wait(60); // a page, or no answer
        });
    }

    bar.lastElementChild.addEventListener("click", function () {
      bar.hidden = true;
      ask(data.stay);
    });
    document.addEventListener("input", function () {
      typed = true;
    });
    wait(data.idle - 180);
  }

  document.querySelectorAll("[data-idle]").forEach(guard);

  // How good a new password would be, said below it while it is typed. The server judges again in the end.
  function judge(input) {
    var line = document.createElement("p");
    var timer = 0;

    function ask(turn) {
      var typed = { password: input.value };

      input.form.querySelectorAll("[type=text], [type=email]").forEach(function (field) {
        typed[field.name] = field.value;
      });
      fetch(input.dataset.judge, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(typed)
      })
        .then(function (reply) {
          return reply.json();
        })
        .then(function (answer) {
          if (turn === timer) {
            line.textContent = answer.text || "";
          }
        })
        .catch(function () {});
    }

    line.className = "hint";
    line.setAttribute("aria-live", "polite");
    input.parentNode.after(line);
    input.addEventListener("input", function () {
      clearTimeout(timer);
      timer = setTimeout(function () {
        ask(timer);
      }, 400);
    });
  }

  document.querySelectorAll("input[data-judge]").forEach(judge);
})();
