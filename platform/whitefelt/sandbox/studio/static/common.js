// What both games share: money as whole cents, the studio's little API, the panel, the rules sheet.

export const calm = matchMedia("(prefers-reduced-motion: reduce)");
export const byId = (id) => document.getElementById(id);
export const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const { launch, currency } = document.body.dataset;

/** "12.00" to 1200; figures come as decimal strings and are only ever whole cents here. */
export function cents(text) {
  const [whole, part = ""] = String(text).split(".");
  return Number(whole) * 100 + Number((part + "00").slice(0, 2));
}

/** 1200 to "12.00". */
export function text(value) {
  return `${Math.floor(value / 100)}.${String(value % 100).padStart(2, "0")}`;
}

export function say(sentence, tone = "") {
  const place = byId("message");
  place.className = `message ${tone}`;
  place.textContent = sentence;
}

export function show(id, figure) {
  if (figure !== null && figure !== undefined) byId(id).textContent = figure;
}

async function call(path, options) {
  try {
    const answer = await fetch(path, options);
    const data = await answer.json();
    return answer.ok ? data : { state: "error", message: data.error?.message ?? "Something went wrong." };
  } catch {
    return { state: "error", message: "The studio cannot be reached. A stake that was taken is settled or given back." };
  }
}

/** One round: what the studio answers, or {state: "error", message}. */
export const playRound = (order) =>
  call("/api/spin", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ launch, ...order }),
  });

/** The balance at the start, and again while a win is on its way. */
export async function refresh({ quietly = false } = {}) {
  const state = await call(`/api/launches/${encodeURIComponent(launch)}`);
  if (state.balance) show("balance", state.balance);
  if (!quietly && state.message) say(state.message, "bad");
  else if (!quietly && state.pending_wins) say("A win of an earlier round is safe and will be booked.", "good");
  return state;
}

/** Money may have come or gone while the player was elsewhere. */
addEventListener("focus", () => document.body.classList.contains("busy") || refresh({ quietly: true }));

/** After a win that is not booked yet: look again until it is. */
export async function followPending() {
  for (let tries = 0; tries < 40; tries += 1) {
    await wait(1500);
    const state = await refresh({ quietly: true });
    if (state.pending_wins === 0 && state.balance) return say("Your win has been booked.", "good");
  }
}

/** The words for a settled round: a return below the stake is no celebration. */
export function verdict(win, stake) {
  if (win === 0) return ["No win this time.", ""];
  if (win <= stake) return [`${text(win)} ${currency} came back.`, ""];
  return [`You won ${text(win)} ${currency}.`, "good"];
}

const rules = byId("rules");
byId("open-rules").addEventListener("click", () => rules.showModal());
byId("close-rules").addEventListener("click", () => rules.close());
rules.addEventListener("click", (event) => event.target === rules && rules.close());

/** Space anywhere presses spin, unless a control has the focus or the rules are open. */
addEventListener("keydown", (event) => {
  const idle = event.target === document.body || event.target === document.documentElement;
  if ((event.key === " " || event.key === "Enter") && idle && !rules.open) {
    event.preventDefault();
    byId("spin").click();
  }
});
