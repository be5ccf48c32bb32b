// Listens for the first event of a project, and for new issues of a list.
const waiting = document.querySelector("[data-first-event]");
if (waiting) {
  const stream = new EventSource(waiting.dataset.firstEvent);
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
  const stream = new EventSource(pill.dataset.live);
  stream.addEventListener("issues", (event) => {
    const count = Number(event.data);
    if (!(count > 0)) return;
    pill.textContent = count === 1 ? "1 new issue" : `${count} new issues`;
    pill.hidden = false;
  });
}
