// Buttons that copy; they are hidden until it is known that copying can work.
const buttons = document.querySelectorAll("[data-copy], [data-copy-text]");
if (navigator.clipboard) {
  for (const button of buttons) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const source = button.dataset.copy && document.querySelector(button.dataset.copy);
      const before = button.innerHTML;
      try {
        await navigator.clipboard.writeText(source ? source.textContent : button.dataset.copyText);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Not allowed";
      }
      setTimeout(() => { button.innerHTML = before; }, 1500);
    });
  }
}
