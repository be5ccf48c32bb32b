// One key for each thing done often; `?` shows them.
const rows = [...document.querySelectorAll("[data-issue]")];
let at = -1;
let afterG = false;

function move(step) {
  if (rows.length === 0) return;
  rows[at]?.classList.remove("is-at");
  at = Math.min(Math.max(at + step, 0), rows.length - 1);
  rows[at].classList.add("is-at");
  rows[at].querySelector("a").focus();
  rows[at].scrollIntoView({ block: "nearest" });
}

function select() {
  rows[at]?.querySelector("input")?.click();
}

function press(key) {
  const target = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!target) return;
  const boxes = rows.map((row) => row.querySelector("input"));
  if (rows.length > 0 && at >= 0 && !boxes.some((box) => box?.checked)) select();
  target.click();
}

const actions = {
  j: () => move(1),
  k: () => move(-1),
  x: select,
  e: () => press("e"),
  i: () => press("i"),
  u: () => document.querySelector("[data-undo]")?.click(),
  "[": () => press("["),
  "]": () => press("]"),
  "/": () => document.querySelector("[data-search]")?.focus(),
  "?": () => document.querySelector("#keys")?.showModal(),
};

const button = document.querySelector("[data-show-keys]");
if (button) {
  button.hidden = false;
  button.addEventListener("click", actions["?"]);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const typing = event.target.closest?.("input:not([type=checkbox], [type=radio]), select, textarea, dialog");
  if (typing) return;
  if (afterG) {
    afterG = false;
    document.querySelector(`[data-go="${CSS.escape(event.key)}"]`)?.click();
    return;
  }
  if (event.key === "g") {
    afterG = true;
    setTimeout(() => { afterG = false; }, 1000);
    return;
  }
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});
