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
      return document.querySelector("details[open]") !== null;
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
})();
