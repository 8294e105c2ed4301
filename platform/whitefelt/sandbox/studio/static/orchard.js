import { byId, calm, cents, followPending, playRound, refresh, say, show, text, verdict, wait } from "./common.js";

const LINES = [
  [1, 1, 1, 1, 1], [0, 0, 0, 0, 0], [2, 2, 2, 2, 2], [0, 1, 2, 1, 0], [2, 1, 0, 1, 2],
  [0, 0, 1, 2, 2], [2, 2, 1, 0, 0], [1, 0, 1, 2, 1], [1, 2, 1, 0, 1], [1, 0, 0, 0, 1],
];
const SYMBOLS = ["cherry", "plum", "berry", "pear", "apple", "moth", "fox", "moon", "owl"];
const { min, max, currency } = document.body.dataset;
const STAKES = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000].filter((s) => s >= cents(min) && s <= cents(max));
const strips = [...document.querySelectorAll(".strip")];
const reels = byId("reels");
let level = STAKES.indexOf(100);
let running = false;
let bannerTimer = 0;

function showStake() {
  show("stake", text(STAKES[level]));
  byId("less").disabled = running || level === 0;
  byId("more").disabled = running || level === STAKES.length - 1;
}

function face(symbol) {
  const image = document.createElement("img");
  image.src = `/static/symbols/${symbol}.svg`;
  image.alt = "";
  image.dataset.symbol = symbol;
  return image;
}

const anySymbol = () => SYMBOLS[Math.floor(Math.random() * SYMBOLS.length)];
const shownOn = (strip) => [...strip.children].slice(0, 3).map((image) => image.dataset.symbol);
const fill = (strip, symbols) => strip.replaceChildren(...symbols.map(face));

/** Let a reel run in a loop until it is told where to land. */
function run(strip, number) {
  const loop = Array.from({ length: 6 }, anySymbol);
  fill(strip, [...loop, ...loop, ...shownOn(strip)]);
  strip.classList.add("blur");
  const cell = strip.firstChild.getBoundingClientRect().height;
  return strip.animate(
    [{ transform: `translateY(${-6 * cell}px)` }, { transform: "translateY(0)" }],
    { duration: 380, iterations: Infinity, delay: number * 40 },
  );
}

/** Bring a running reel to rest on three symbols: a short fall, a little overshoot. */
async function land(strip, symbols, loop) {
  loop.cancel();
  strip.classList.remove("blur");
  fill(strip, [...symbols, anySymbol(), anySymbol(), anySymbol(), anySymbol()]);
  const cell = strip.firstChild.getBoundingClientRect().height;
  await strip.animate(
    [
      { transform: `translateY(${-4 * cell}px)`, easing: "cubic-bezier(.2,.7,.3,1)" },
      { transform: `translateY(${cell * 0.12}px)`, offset: 0.8, easing: "ease-in-out" },
      { transform: "translateY(0)" },
    ],
    { duration: 420 },
  ).finished;
  fill(strip, symbols);
}

function clearWin() {
  reels.classList.remove("won");
  byId("lines").replaceChildren();
  byId("banner").hidden = true;
  clearTimeout(bannerTimer);
  document.querySelectorAll(".hit").forEach((image) => image.classList.remove("hit"));
  document.querySelectorAll(".firefly").forEach((light) => light.remove());
}

function markLine({ line, count }) {
  const rows = LINES[line];
  const drawn = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  drawn.setAttribute("points", rows.slice(0, count).map((row, reel) => `${50 + reel * 100},${50 + row * 100}`).join(" "));
  byId("lines").append(drawn);
  rows.slice(0, count).forEach((row, reel) => strips[reel].children[row].classList.add("hit"));
}

function fireflies() {
  if (calm.matches) return;
  for (let number = 0; number < 26; number += 1) {
    const light = document.createElement("span");
    light.className = "firefly";
    light.style.left = `${10 + Math.random() * 80}%`;
    light.style.top = `${40 + Math.random() * 50}%`;
    reels.append(light);
    const drift = `translate(${(Math.random() - 0.5) * 180}px, ${-80 - Math.random() * 180}px)`;
    light.animate(
      [{ opacity: 0 }, { opacity: 1, offset: 0.25 }, { opacity: 0, transform: drift }],
      { duration: 1400 + Math.random() * 1200, easing: "ease-out" },
    ).finished.then(() => light.remove());
  }
}

async function countUp(win) {
  const place = byId("banner-sum");
  if (!calm.matches) {
    const start = performance.now();
    for (let share = 0; share < 1; share = Math.min(1, (performance.now() - start) / 700)) {
      place.textContent = text(Math.floor(win * share));
      await new Promise(requestAnimationFrame);
    }
  }
  place.textContent = text(win);
}

async function celebrate(outcome, win, stake) {
  outcome.lines.forEach(markLine);
  if (cents(outcome.scatter_win) > 0) {
    strips.forEach((strip) =>
      [...strip.children].forEach((image) => image.dataset.symbol === "owl" && image.classList.add("hit")));
  }
  if (document.querySelector(".hit")) reels.classList.add("won");
  if (win <= stake) return;
  const banner = byId("banner");
  const big = win >= stake * 10;
  byId("banner-word").textContent = big ? "A bright night" : "Win";
  banner.classList.toggle("big", big);
  banner.hidden = false;
  if (win >= stake * 5) fireflies();
  await countUp(win);
  bannerTimer = setTimeout(() => { banner.hidden = true; }, big ? 1800 : 900);
}

async function settle(answer, loops) {
  const symbols = answer.outcome ? answer.outcome.reels : null;
  await Promise.all(strips.map(async (strip, number) => {
    const target = symbols ? symbols[number] : strip.dataset.before.split(",");
    if (calm.matches) return fill(strip, target);
    await wait(number * 190);
    await land(strip, target, loops[number]);
  }));
  if (!symbols) {
    show("balance", answer.balance);
    say(answer.message, "bad");
    if (answer.state !== "refused") refresh({ quietly: true });
    return;
  }
  const [win, stake] = [cents(answer.win), cents(answer.stake)];
  show("last-win", answer.win);
  show("balance", answer.balance);
  const [sentence, tone] = verdict(win, stake);
  say(answer.message || sentence, answer.message ? "good" : tone);
  reels.setAttribute("aria-label", `Reels show ${symbols.map((column) => column.join(", ")).join("; ")}`);
  if (answer.state === "win_pending" && win > 0) followPending();
  await celebrate(answer.outcome, win, stake);
}

async function spin() {
  if (running) return;
  running = true;
  byId("spin").disabled = true;
  document.body.classList.add("busy");
  showStake();
  clearWin();
  say("");
  strips.forEach((strip) => { strip.dataset.before = shownOn(strip).join(","); });
  const loops = calm.matches ? [] : strips.map(run);
  const [answer] = await Promise.all([playRound({ stake: text(STAKES[level]) }), wait(calm.matches ? 0 : 650)]);
  show("balance", answer.balance_after_bet);
  await settle(answer, loops);
  running = false;
  byId("spin").disabled = false;
  document.body.classList.remove("busy");
  showStake();
}

function step(by) {
  if (running) return;
  level = Math.max(0, Math.min(STAKES.length - 1, level + by));
  showStake();
}

byId("spin").addEventListener("click", spin);
byId("less").addEventListener("click", () => step(-1));
byId("more").addEventListener("click", () => step(1));
addEventListener("keydown", (event) => {
  if (byId("rules").open) return;
  if (event.key === "ArrowUp" || event.key === "ArrowRight") step(1);
  if (event.key === "ArrowDown" || event.key === "ArrowLeft") step(-1);
});
SYMBOLS.forEach((symbol) => { new Image().src = `/static/symbols/${symbol}.svg`; });
say(`Ten lines, a wild moon, owls that pay anywhere. Good luck.`);
document.title = `Midnight Orchard · ${currency}`;
showStake();
refresh();
