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

  // Browsers that do not know autofocus on a section.
  var summary = document.getElementById("summary");
  if (summary && document.activeElement !== summary) {
    summary.focus();
  }

  // A page that refreshes itself does not take away what is being typed.
  if (document.querySelector("meta[http-equiv=refresh]")) {
    document.querySelectorAll("details, form").forEach(function (part) {
      ["toggle", "focusin", "input"].forEach(function (kind) {
        part.addEventListener(kind, function () {
          window.stop();
        });
      });
    });
  }
})();
