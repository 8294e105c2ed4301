// Small conveniences. Every page works without this file: the server draws the same figures.
(() => {
  "use strict";
  const root = document.documentElement;
  const onGame = root.dataset.page === "game" && document.querySelector("[data-game]");

  // Balance: short conditional requests, only while the page is visible. Faster beside a game.
  const menu = document.querySelector("[data-balance]");
  if (menu) {
    const every = onGame ? 750 : 5000;
    let tag = menu.dataset.version ? `"${menu.dataset.version}"` : "";
    let timer = 0;
    let failures = 0;
    const show = (figures) => {
      for (const name of ["available", "cash", "bonus", "pending"]) {
        for (const node of document.querySelectorAll(`[data-field="${name}"]`)) {
          if (node.textContent !== figures[name].text) node.textContent = figures[name].text;
          if ("amount" in node.dataset) node.dataset.amount = figures[name].amount;
        }
      }
    };
    const ask = async () => {
      clearTimeout(timer);
      if (document.hidden) return;
      try {
        const answer = await fetch(menu.dataset.poll, {
          headers: tag ? { "If-None-Match": tag } : {}, credentials: "same-origin", cache: "no-store",
        });
        if (answer.status === 401) return;
        if (answer.status === 200) {
          tag = answer.headers.get("ETag") || "";
          show(await answer.json());
        }
        failures = answer.ok || answer.status === 304 ? 0 : failures + 1;
      } catch {
        failures += 1;
      }
      timer = setTimeout(ask, Math.min(every * 2 ** failures, 30000));
    };
    document.addEventListener("visibilitychange", ask);
    addEventListener("focus", ask);
    timer = setTimeout(ask, every);

    document.addEventListener("click", (event) => {
      if (menu.open && !menu.contains(event.target)) menu.open = false;
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && menu.open) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    });
  }

  // Session clock: counts on from what the server said.
  const clock = document.querySelector(".wf-clock[data-started]");
  if (clock) {
    const face = clock.querySelector("time");
    const started = Date.parse(clock.dataset.started);
    const two = (n) => String(n).padStart(2, "0");
    const tick = () => {
      const seconds = Math.max(0, Math.floor((Date.now() - started) / 1000));
      face.textContent = `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
    };
    if (!Number.isNaN(started)) {
      tick();
      setInterval(tick, 1000);
    }
  }

  // A payment that waits: ask for its state, and load the page again when it has changed.
  const waiting = document.querySelector("[data-status-poll]");
  if (waiting) {
    const began = Date.now();
    const look = async () => {
      if (!document.hidden) {
        try {
          const answer = await fetch(waiting.dataset.statusPoll, { credentials: "same-origin", cache: "no-store" });
          if (answer.ok && (await answer.json()).state !== waiting.dataset.state) {
            location.replace(location.pathname);
            return;
          }
        } catch { /* the next look may succeed */ }
      }
      setTimeout(look, Date.now() - began < 60000 ? 1000 : 10000);
    };
    setTimeout(look, 700);
  }

  // Quick amounts fill the field, so that one place says how much.
  const amount = document.querySelector(".form [name=amount]");
  for (const pick of document.querySelectorAll("[data-quick]")) {
    pick.addEventListener("change", () => { if (amount) amount.value = pick.value; });
  }
  if (amount) {
    amount.addEventListener("input", () => {
      for (const pick of document.querySelectorAll("[data-quick]")) pick.checked = pick.value === amount.value;
    });
  }

  // Rails by arrow keys.
  for (const rail of document.querySelectorAll(".rail")) {
    rail.addEventListener("keydown", (event) => {
      const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (way && event.target === rail) {
        rail.scrollBy({ left: way * rail.clientWidth * 0.8 });
        event.preventDefault();
      }
    });
  }
})();
