// What makes the consumer's pages a little smoother. They work without it.

// Of two wishes that contradict each other the one just chosen counts, as it
// would at the server.
document.getElementById("preferences")?.addEventListener("change", ({ target }) => {
  if (!target.checked) return;
  for (const opposite of target.dataset.opposites.split(" "))
    for (const box of document.getElementsByName("tag")) if (box.value === opposite) box.checked = false;
});

// A form is sent once, however often its button is pressed.
for (const form of document.querySelectorAll("form[method=post]:not([data-again])")) {
  form.addEventListener("submit", (e) => {
    if (form.dataset.sent) e.preventDefault();
    form.dataset.sent = "yes";
  });
}
addEventListener("pageshow", () => { // also when a browser shows it anew from its memory
  for (const form of document.forms) delete form.dataset.sent;
});
