// Says how many issues are selected, and selects all of the page.
const form = document.querySelector("[data-bulk]");
if (form) {
  const boxes = [...form.querySelectorAll('input[name="issue"]')];
  const count = form.querySelector("[data-bulk-count]");
  const all = form.querySelector("[data-bulk-all]");
  const box = all?.querySelector("input");
  const show = () => {
    const chosen = boxes.filter((one) => one.checked).length;
    if (count) count.textContent = chosen === 0 ? "All on this page" : `${chosen} selected`;
    for (const button of form.querySelectorAll(".bulk button")) button.hidden = chosen === 0;
    if (box) {
      box.checked = chosen > 0 && chosen === boxes.length;
      box.indeterminate = chosen > 0 && chosen < boxes.length;
    }
  };
  if (all) all.hidden = false;
  box?.addEventListener("change", () => {
    for (const one of boxes) one.checked = box.checked;
    show();
  });
  form.addEventListener("change", show);
  if (boxes.length > 0) show();
}
