// Buttons that copy; they are hidden until it is known that copying can work. Links with
// `data-copy-from` copy what they lead to.
async function copy(button, text) {
  const before = button.innerHTML;
  try {
    await navigator.clipboard.writeText(await text());
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not copied";
  }
  setTimeout(() => { button.innerHTML = before; }, 1500);
}

async function load(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.text();
}

if (navigator.clipboard) {
  for (const button of document.querySelectorAll("[data-copy], [data-copy-text]")) {
    const source = button.dataset.copy && document.querySelector(button.dataset.copy);
    button.hidden = false;
    button.addEventListener("click", () => copy(button, () => (source ? source.textContent : button.dataset.copyText)));
  }
  for (const link of document.querySelectorAll("[data-copy-from]")) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      copy(link, () => load(link.href));
    });
  }
}
