// Completes keys and values in the search box: arrows choose, Enter and Tab take, Escape closes.
const input = document.querySelector("[data-search]");
const options = (name) => [...document.querySelectorAll(`.filter select[name=${name}] option`)].map((one) => one.value).filter(Boolean);

/** What may follow: keys, or the values of a key; each as the whole word that it would make. */
function candidates(word) {
  const negation = word.startsWith("!") ? "!" : "";
  const [key, value] = word.slice(negation.length).split(/:(.*)/s);
  if (value === undefined) return input.dataset.keys.split(" ").map((one) => `${negation}${one}:`);
  const known = { is: input.dataset.is.split(" "), level: input.dataset.levels.split(" "), project: options("project"), environment: options("environment") };
  return (known[key] ?? []).map((one) => `${negation}${key}:${/\s/.test(one) ? JSON.stringify(one) : one}`);
}

function complete() {
  const list = document.createElement("ul");
  list.id = "search-options";
  list.className = "search-options";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Completions");
  list.hidden = true;
  input.after(list);
  for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id })) {
    input.setAttribute(name, value);
  }
  let at = -1;

  const word = () => input.value.slice(0, input.selectionStart).match(/\S*$/)[0];

  /** Marks an option, counted round from either end; `null` marks none. */
  function mark(index) {
    const items = [...list.children];
    at = index === null || items.length === 0 ? -1 : (index + items.length) % items.length;
    items.forEach((item, place) => item.setAttribute("aria-selected", String(place === at)));
    if (at >= 0) {
      input.setAttribute("aria-activedescendant", items[at].id);
      items[at].scrollIntoView({ block: "nearest" });
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  }

  function show(found) {
    list.replaceChildren(...found.map((text, index) => {
      const item = document.createElement("li");
      item.id = `search-option-${index}`;
      item.setAttribute("role", "option");
      item.textContent = text;
      item.addEventListener("mousedown", (event) => { event.preventDefault(); take(text); });
      return item;
    }));
    list.hidden = found.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
    mark(null);
  }

  function take(text) {
    const end = input.selectionStart;
    const start = end - word().length;
    const space = text.endsWith(":") ? "" : " ";
    input.setRangeText(text + space, start, end, "end");
    suggest();
  }

  function suggest() {
    const typed = word();
    const found = typed === "" ? [] : candidates(typed).filter((one) => one !== typed && one.toLowerCase().startsWith(typed.toLowerCase()));
    show(found.slice(0, 8));
  }

  input.addEventListener("input", suggest);
  input.addEventListener("blur", () => show([]));
  input.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") mark(event.key === "ArrowDown" ? at + 1 : Math.max(at, 0) - 1);
    else if ((event.key === "Enter" || event.key === "Tab") && at >= 0) take(list.children[at].textContent);
    else if (event.key === "Escape") show([]);
    else return;
    event.preventDefault();
  });
}

if (input) complete();
