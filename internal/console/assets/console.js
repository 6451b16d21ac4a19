// Everything works without this file. It spares a click: a menu or a box of the
// filter applies as soon as it is changed by the pointer, and empty fields stay
// out of the address.
for (const form of document.querySelectorAll("form.search")) {
  form.addEventListener("submit", () => {
    for (const field of form.elements) {
      if (field.name && field.value === "" && field.type !== "checkbox") field.disabled = true;
    }
  });
  window.addEventListener("pageshow", () => {
    for (const field of form.elements) field.disabled = false;
  });
  const more = form.querySelector("details.more");
  if (more) {
    if (sessionStorage.getItem("more") === "open") more.open = true;
    more.addEventListener("toggle", () => sessionStorage.setItem("more", more.open ? "open" : ""));
  }
}
