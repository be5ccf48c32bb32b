// Listens for the first event of a project, and for new issues of a list.
// A stream of a page opened later has the place of this one: asking again would take it back.
function listen(path) {
  const stream = new EventSource(path);
  stream.addEventListener("replaced", () => stream.close());
  return stream;
}

const waiting = document.querySelector("[data-first-event]");
if (waiting) {
  const stream = listen(waiting.dataset.firstEvent);
  stream.addEventListener("first-event", (event) => {
    // Only a path of this server is followed.
    if (!/^\/(?![/\\])/.test(event.data)) return;
    stream.close();
    waiting.querySelector("[data-first-event-text]").textContent = "The first event has arrived.";
    const link = waiting.querySelector("[data-first-event-link]");
    link.textContent = "Open its issue";
    link.href = event.data;
    link.classList.add("primary");
    location.assign(event.data);
  });
}
const pill = document.querySelector("[data-live]");
if (pill) {
  const stream = listen(pill.dataset.live);
  stream.addEventListener("issues", (event) => {
    const count = Number(event.data);
    if (!(count > 0)) return;
    pill.textContent = count === 1 ? "1 new issue" : `${count} new issues`;
    pill.hidden = false;
  });
}
