// Changes the theme at once and remembers it in the cookie that the server reads.
const form = document.querySelector("[data-theme-form]");
const order = ["system", "light", "dark"];
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  const theme = button.value;
  const following = order[(order.indexOf(theme) + 1) % order.length];
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.documentElement.dataset.theme = theme;
  document.cookie = `copal-theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  button.value = following;
  button.title = `Theme: ${theme}; change to ${following}`;
  button.setAttribute("aria-label", button.title);
});
