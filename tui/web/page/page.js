// The button of the page that is shown when the app has ended.
document.getElementById("again").addEventListener("click", () => window.location.reload());
// keys go to the app as soon as it is there, without a click
document.addEventListener("DOMContentLoaded", () => {
  new MutationObserver((_, observer) => {
    const keys = document.querySelector("#terminal textarea");
    if (!keys || !document.body.classList.contains("-first-byte")) return;
    observer.disconnect();
    keys.focus();
  }).observe(document.body, { attributes: true, attributeFilter: ["class"] });
});
