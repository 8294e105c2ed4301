import { byId, calm, cents, followPending, playRound, refresh, say, show, text, verdict, wait } from "./common.js";

const WHEEL = [
  0, 32, 15, 19, 4, 21, 2, 25, 17, 34, 6, 27, 13, 36, 11, 30, 8, 23, 10,
  5, 24, 16, 33, 1, 20, 14, 31, 9, 22, 18, 29, 7, 28, 12, 35, 3, 26,
];
const WORDS = { red: "Red", black: "Black", green: "Zero" };
const table = byId("table");
const spots = new Map([...table.querySelectorAll(".spot")].map((spot) => [spot.dataset.spot, spot]));
let chip = 100;
let moves = [];
let last = [];
let running = false;
let resultTimer = 0;
let fresh = true;
let rotorAt = 0;
let ballAt = 0;

const total = () => moves.reduce((sum, [, value]) => sum + value, 0);

function bets() {
  const sums = new Map();
  moves.forEach(([spot, value]) => sums.set(spot, (sums.get(spot) ?? 0) + value));
  return sums;
}

/** A chip's face has little room: 1.00 is "1", 1.50 is "1.5". */
const short = (value) => text(value).replace(/\.?0+$/, "") || "0";

function drawChips() {
  table.querySelectorAll(".stack").forEach((stack) => stack.remove());
  const sums = bets();
  spots.forEach((spot, code) => {
    const value = sums.get(code);
    spot.setAttribute("aria-label", spot.dataset.name + (value ? `; your chips ${text(value)}` : ""));
    if (!value) return;
    const stack = document.createElement("span");
    stack.className = "stack";
    stack.textContent = short(value);
    spot.append(stack);
  });
  show("stake", text(total()));
}

/** The first touch after a round clears the old table. */
function begin() {
  if (fresh) return;
  fresh = true;
  moves = [];
  table.classList.remove("over");
  table.querySelectorAll(".hit").forEach((spot) => spot.classList.remove("hit"));
  byId("result").hidden = true;
}

function place(spot) {
  if (running) return;
  begin();
  moves.push([spot, chip]);
  drawChips();
  say("");
}

function turn(element, from, to, duration, easing) {
  element.style.transform = `rotate(${to}deg)`;
  if (calm.matches) return Promise.resolve();
  return element.animate(
    [{ transform: `rotate(${from}deg)` }, { transform: `rotate(${to}deg)` }],
    { duration, easing },
  ).finished;
}

/** The wheel turns one way, the ball the other, spirals in, and rests in the number's pocket. */
async function roll(number) {
  const pocket = (WHEEL.indexOf(number) * 360) / 37;
  const rotorTo = rotorAt + 360 + 40 + Math.random() * 200;
  let ballTo = ((((rotorTo + pocket) % 360) + 360) % 360) - 360 * 6;
  while (ballTo > ballAt - 360 * 4) ballTo -= 360;
  const dot = byId("ball-dot");
  if (!calm.matches) {
    dot.animate(
      [
        { transform: "translateY(-36px)", offset: 0 },
        { transform: "translateY(-36px)", offset: 0.5, easing: "ease-in" },
        { transform: "translateY(-12px)", offset: 0.74, easing: "ease-out" },
        { transform: "translateY(-20px)", offset: 0.8, easing: "ease-in" },
        { transform: "translateY(-3px)", offset: 0.87, easing: "ease-out" },
        { transform: "translateY(-9px)", offset: 0.92, easing: "ease-in" },
        { transform: "translateY(0)", offset: 1 },
      ],
      { duration: 4200 },
    );
  }
  await Promise.all([
    turn(byId("rotor"), rotorAt, rotorTo, 4200, "cubic-bezier(.2,.6,.35,1)"),
    turn(byId("ball"), ballAt, ballTo, 4200, "cubic-bezier(.15,.55,.35,1)"),
  ]);
  [rotorAt, ballAt] = [rotorTo % 360, ballTo % 360];
  byId("rotor").style.transform = `rotate(${rotorAt}deg)`;
  byId("ball").style.transform = `rotate(${ballAt}deg)`;
}

function announce(outcome) {
  const { number, colour } = outcome;
  const result = byId("result");
  result.className = `result is-${colour}`;
  byId("result-number").textContent = number;
  byId("result-word").textContent = WORDS[colour];
  result.hidden = false;
  const entry = document.createElement("li");
  entry.className = `is-${colour}`;
  entry.textContent = number;
  byId("history").prepend(entry);
  table.classList.add("over");
  spots.get(String(number)).classList.add("hit");
  outcome.winning_spots.forEach((spot) => spots.get(spot).classList.add("hit"));
  spots.forEach((spot, code) => {
    if (!outcome.winning_spots.includes(code)) spot.querySelector(".stack")?.classList.add("lost");
  });
  clearTimeout(resultTimer);
  resultTimer = setTimeout(() => { result.hidden = true; }, 2600);
}

async function settle(answer) {
  if (!answer.outcome) {
    show("balance", answer.balance);
    say(answer.message, "bad");
    if (answer.state !== "refused") refresh({ quietly: true });
    return;
  }
  document.body.classList.add("rolling");
  await roll(answer.outcome.number);
  announce(answer.outcome);
  setTimeout(() => document.body.classList.remove("rolling"), calm.matches ? 0 : 1500);
  const [win, stake] = [cents(answer.win), cents(answer.stake)];
  show("last-win", answer.win);
  show("balance", answer.balance);
  const [sentence, tone] = verdict(win, stake);
  say(answer.message || `${answer.outcome.number} ${answer.outcome.colour}. ${sentence}`, answer.message ? "good" : tone);
  last = [...moves];
  moves = [];
  fresh = false;
  show("stake", "0.00");
  if (answer.state === "win_pending" && win > 0) followPending();
}

async function spin() {
  if (running) return;
  if (total() === 0 || !fresh) return say("Place a chip on the table first.");
  running = true;
  byId("spin").disabled = true;
  document.body.classList.add("busy");
  byId("result").hidden = true;
  say("No more bets.");
  const order = Object.fromEntries([...bets()].map(([spot, value]) => [spot, text(value)]));
  const [answer] = await Promise.all([playRound({ bets: order }), wait(calm.matches ? 0 : 150)]);
  show("balance", answer.balance_after_bet);
  await settle(answer);
  running = false;
  byId("spin").disabled = false;
  document.body.classList.remove("busy");
}

spots.forEach((spot, code) => spot.addEventListener("click", () => place(code)));
byId("spin").addEventListener("click", spin);
byId("undo").addEventListener("click", () => { if (!running) { begin(); moves.pop(); drawChips(); } });
byId("clear").addEventListener("click", () => { if (!running) { begin(); moves = []; drawChips(); } });
byId("again").addEventListener("click", () => { if (!running && last.length) { begin(); moves = [...last]; drawChips(); say(""); } });

const chips = [...document.querySelectorAll(".chip")];
function choose(button) {
  chip = cents(button.dataset.value);
  chips.forEach((other) => {
    other.setAttribute("aria-checked", String(other === button));
    other.tabIndex = other === button ? 0 : -1;
  });
}
chips.forEach((button, number) => {
  button.addEventListener("click", () => choose(button));
  button.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const next = chips[(number + by + chips.length) % chips.length];
    choose(next);
    next.focus();
  });
});
choose(chips.find((button) => button.dataset.value === "1.00"));
say("Place your chips.");
drawChips();
refresh();
