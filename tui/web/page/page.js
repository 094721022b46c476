// The button of the page that is shown when the app has ended.
document.getElementById("again").addEventListener("click", () => window.location.reload());
