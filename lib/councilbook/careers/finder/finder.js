// The options finder: what somebody says of themselves is read, scored and shown here, and goes nowhere.
const MOST_PICKS = 3, FIRST = 6, MORE = 40, LIKED = 60;
const ANSWERS = [["No", -2], ["Rather no", -1], ["In between", 0], ["Rather yes", 1], ["Yes", 2]];
const data = JSON.parse(document.getElementById("finder-data").textContent);
const WORDS = {transit: `by ${data.transit}`, walk: "on foot", cycle: "by bicycle", drive: "by car"};
const byId = id => document.getElementById(id);
const readJobs = () => data.jobs ? data : Object.assign(data, JSON.parse(byId("finder-jobs").textContent));  // once they are asked for
const state = {home: "", by: "", far: 60, level: 0, likes: data.statements.map(() => null), good: new Set(), picks: []};
let home = {says: ""};

// Elements: make("p", {className: "x"}, "text", element …); what is null or false is left out.
const make = (tag, values, ...inside) => {
  const element = Object.assign(document.createElement(tag), values);
  element.append(...inside.filter(one => one || one === 0));
  return element;
};
const join = (words, last = "and") => words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`;
const spell = number => number < 1000 ? String(number) : String(number).replace(/\B(?=(\d{3})+$)/g, ",");  // toLocaleString is slow
const count = (number, noun) => `${spell(number)} ${noun}${number === 1 ? "" : "s"}`;

// --- journeys ---

// Whole postcode, known: what is wrong is said in a sentence.
async function findHome() {
  const typed = state.home.trim(), code = bare(typed);
  if (!code) return {says: ""};
  if (!/^[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}$/.test(code)) return {says: `“${typed}” is not a whole postcode. Type all of it, as DN1 1AA.`, wrong: true};
  const written = `${code.slice(0, -3)} ${code.slice(-3)}`, from = await readJourneys(journeys, code);
  if (!from) return {says: `${written} is not one of the ${spell(journeys.postcodes.split("\n").length)} postcodes of this page. Check it. If it is right, it may lie outside the area, be new, or be one of the few of which nobody has published where they are. Then type that of a street near you.`, wrong: true};
  const near = journeys.shared > 1 ? " The times are those of a postcode next to yours, since the page would be too large with all of them." : "";
  return {says: `Journeys are from ${written}.${near}`, from};
}

async function goHome() {
  const asked = state.home, found = findHome().catch(() => ({says: "This browser cannot unpack the journeys."}));
  byId("results").ariaBusy = "true";
  const answer = await found;
  if (asked !== state.home) return;  // another was typed meanwhile
  home = answer;
  byId("results").ariaBusy = "false";
  show();
}

const minutes = way => !way ? null : way[state.by];
const clock = time => time >= 1440 ? "midnight or later" : `${Math.floor(time / 60)}:${String(time % 60).padStart(2, "0")}`;

function tellTransit(way) {
  if (way.transit === null) return `No journey by ${data.transit} that gets you there in time.`;
  if (way.rides === 0) return `${count(way.transit, "minute")}, all on foot: no ${data.transit} is quicker.`;
  const changes = way.rides === null ? "" : way.rides > 1 ? `, ${count(way.rides - 1, "change")}` : ", no change";
  return `${count(way.transit, "minute")} by ${data.transit}${changes}.`;
}

function tellSlow(way) {
  if (state.by !== "transit" || way.transit === null || way.rides === 0) return "";
  return way.slow === null ? "On some mornings there is no journey that is in time." : way.slow > way.transit ? `On a slow morning ${way.slow}.` : "";
}

function tellLast(way) {
  if (!data.transit || way.rides === 0) return "";
  if (way.last === null) return way.walk === null ? `No ride home by ${data.transit} after midday.` : "";
  return `Last way home: leave at ${clock(way.last)}.`;
}

function tellOthers(way) {
  const told = way.rides === 0 ? [state.by, state.by === "transit" ? "walk" : "transit"] : [state.by];
  const known = Object.keys(WORDS).filter(one => way[one] !== null && !told.includes(one));
  return known.length ? `Or ${join(known.map((one, place) => `${place ? way[one] : count(way[one], "minute")} ${WORDS[one]}`), "or")}.` : "";
}

function giveReasons({job, liked, sharing}) {
  const own = job.profile === null ? [] : data.profiles[job.profile].filter((_, place) => place % 2 === 0);
  const used = own.filter(one => state.good.has(one)).map(one => data.skills[one][1]);
  const pleasing = job.families.filter(one => liked[one] >= LIKED);
  return [
    used.length && `It needs ${used.length} of your ${count(state.good.size, "strength")}: ${used.join("; ")}.`,
    state.good.size && !own.length && "Which strengths it needs is not known.",
    pleasing.length && `Your answers go with ${join(pleasing)}.`,
    sharing > 1 && `${count(sharing - 1, "other job")} fit${sharing === 2 ? "s" : ""} just as well.`,
  ].filter(Boolean).join(" ");
}

// --- what is shown ---

const readLevel = levels => state.level && !levels.includes(state.level) ? `Mostly level ${join(levels.map(String), "or")}: ask about level ${state.level}.` : "";

function listPlaces() {
  return data.places.map((place, index) => {
    const way = home.from?.get(place.site_id), time = minutes(way);
    return {place, index, way, time, near: time !== null && time <= state.far};
  }).sort((one, other) => (one.time ?? 1e9) - (other.time ?? 1e9) || byCar(one) - byCar(other) || one.index - other.index);
}

const byCar = ({way}) => way?.drive ?? 1e9;  // the next best order of places that one cannot get to as wished

function tellWay(way) {
  if (!way) return {main: "", home: "", more: ""};
  const far = `Too far ${WORDS[state.by]}: over an hour${state.by === "drive" ? " and a half" : ""}.`;
  const main = state.by === "transit" ? tellTransit(way) : way[state.by] === null ? far : `${count(way[state.by], "minute")} ${WORDS[state.by]}.`;
  return {main, home: tellLast(way), more: [tellSlow(way), tellOthers(way)].filter(Boolean).join(" ")};
}

const tellWhole = way => Object.values(tellWay(way)).filter(Boolean).join(" ");

function whyPlace({place, way, time, near}) {
  return [
    time !== null && way && (near ? `It is within the ${state.far === 999 ? "time" : count(state.far, "minute")} that you would travel.` : `It is further away than the ${count(state.far, "minute")} you said.`),
    state.level && place.levels.includes(state.level) && `Places of this kind mostly have level ${state.level}.`,
    readLevel(place.levels),
    place.doubt,
  ].filter(Boolean).join(" ");
}

const external = (address, words, about) => make("a", {href: address, rel: "noreferrer"}, words, make("span", {className: "visually-hidden"}, about));

function keepBox(id, name) {
  const box = make("input", {type: "checkbox", checked: state.picks.includes(id)});
  box.addEventListener("change", () => {
    if (box.checked && state.picks.length >= MOST_PICKS) {
      box.checked = false;
      byId("found").textContent = `You have ${MOST_PICKS} choices already. Take one away first.`;
      return;
    }
    state.picks = box.checked ? [...state.picks, id] : state.picks.filter(one => one !== id);
    keep(true);
    showPicks();
    drawMap();
    byId("found").textContent = `${name} is ${box.checked ? "one of" : "taken from"} your choices: ${state.picks.length} of ${MOST_PICKS}.`;
  });
  box.dataset.id = id;
  return make("label", {className: "keep"}, box, make("span", {}, "Keep to compare", make("span", {className: "visually-hidden"}, `: ${name}`)));
}

const paragraph = (className, text) => text && make("p", {className}, text);

function showPlace(found, number) {
  const {place, way} = found, {main, home, more} = tellWay(way);
  return make("li", {},
    make("h3", {}, `${number}. ${place.name}`),
    paragraph("quiet", [place.kind, place.where, place.ages && `ages ${place.ages}`, place.run_by && `part of ${place.run_by}`].filter(Boolean).join("; ")),
    main && make("p", {className: "way"}, make("strong", {}, main), ` ${more}`),
    home && make("p", {}, make("strong", {}, home)),
    paragraph("", place.about),
    paragraph("why", whyPlace(found) && `Why: ${whyPlace(found)}`),
    paragraph("ask", `Ask first: ${place.ask}`),
    keepBox(place.site_id, place.name));
}

function showAdvert(found) {
  const {advert, way, near} = found;
  return make("li", {},
    make("h3", {}, advert.title),
    paragraph("quiet", [advert.employer, whereAdvert(advert), advert.level && `level ${advert.level}`, advert.wage, advert.closes_on && `${advert.closes_on < TODAY ? "closed" : "closes"} on ${tellDay(advert.closes_on)}`].filter(Boolean).join("; ")),
    paragraph("way", way ? `The way to ${near.name}, ${advert.near[1]} km from it: ${tellWay(way).main} ${tellWay(way).home}` : advert.distance_km !== null && `${advert.distance_km} km from the middle of the area in a straight line.`),
    paragraph("why", whyAdvert(advert)),
    advert.link && make("p", {}, external(advert.link, "Read the advert", `: ${advert.title}`)),
    keepBox(advert.id, advert.title));
}

const whereAdvert = advert => [advert.town, advert.postcode].filter(Boolean).join(", ") || advert.place;
const whyAdvert = advert => [
  advert.standard && `You would train as: ${advert.standard}.`,
  state.level && advert.level && (advert.level === state.level ? `It is at level ${state.level}, as you said.` : `It is at level ${advert.level}, and you said ${state.level}: read what it asks for.`),
].filter(Boolean).join(" ");
const MONTHS = "January February March April May June July August September October November December".split(" ");
const tellDay = day => `${Number(day.slice(8))} ${MONTHS[Number(day.slice(5, 7)) - 1]} ${day.slice(0, 4)}`;
const TODAY = new Date().toISOString().slice(0, 10);
const ASK_EMPLOYER = "Is it still open, and what happens after I apply?";

function showJob(found) {
  const {job, place} = found;
  const pay = job.pay_from_gbp && job.pay_to_gbp && `£${spell(job.pay_from_gbp)} to £${spell(job.pay_to_gbp)} a year`;
  const entry = [job.college_entry && `at college, ${job.college_entry}`, job.apprenticeship_entry && `as an apprentice, ${job.apprenticeship_entry}`].filter(Boolean);
  const item = make("li", {},
    make("h3", {}, `${place}. ${job.title}`),
    paragraph("quiet", [job.families.join("; "), pay].filter(Boolean).join("; ")),
    paragraph("", job.overview),
    paragraph("why", `Why: ${giveReasons(found)}`),
    paragraph("", [entry.length && `To get in: ${join(entry)}.`, job.levels && `Ways in that are named: ${job.levels}.`].filter(Boolean).join(" ")),
    job.link && make("p", {}, external(job.link, "Read about it", `: ${job.title}`)));
  item.dataset.score = found.score;
  return item;
}

// The first ones, and a button that shows more.
function fill(list, items, show, noun) {
  const showFrom = (from, most) => {
    const nodes = items.slice(from, from + most).map((one, place) => show(one, place + from)), next = from + most;
    if (items.length <= next) return nodes;
    const more = make("button", {type: "button"}, `Show ${count(Math.min(items.length - next, MORE), `more ${noun}`)}`);
    more.addEventListener("click", () => {
      const rest = showFrom(next, MORE);
      more.parentElement.replaceWith(...rest);
      rest[0].tabIndex = -1;
      rest[0].focus();
    });
    return [...nodes, make("li", {}, more)];
  };
  list.replaceChildren(...showFrom(0, FIRST));
}

let lastPlaces = [];

function show() {
  if (byId("home")) {
    byId("home-says").textContent = home.says;
    byId("home").setAttribute("aria-invalid", home.wrong ? "true" : "false");
  }
  lastPlaces = listPlaces();
  fill(byId("places-list"), lastPlaces, (one, place) => showPlace(one, place + 1), "place");
  const said = [home.from ? `${count(lastPlaces.filter(one => one.near).length, "place")} of ${data.places.length} within ${state.far === 999 ? "reach" : count(state.far, "minute")}` : count(data.places.length, "place")];
  if (byId("vacancies-list")) {
    const adverts = listAdverts();
    fill(byId("vacancies-list"), adverts, showAdvert, "apprenticeship");
    said.push(count(new Set(adverts.map(one => one.advert.id.slice(1).replace(/-\d+$/, ""))).size, "apprenticeship"));  // an advert may have several addresses
  }
  if (byId("jobs-list")) {
    const isAnswered = state.good.size || state.likes.some(one => one !== null), jobs = isAnswered ? scoreJobs(readJobs(), state.likes, state.good) : [];
    fill(byId("jobs-list"), jobs, showJob, "job");
    if (!jobs.length) byId("jobs-list").append(make("li", {}, "Answer three statements or more of one kind, or tick a strength, to see jobs."));
    else said.push(`${count(jobs.length, "job")} in order`);
  }
  byId("found").textContent = `${said.join("; ")}.`;
  showPicks();
  drawMap();
}

function listAdverts() {
  const places = new Map(data.places.map(one => [one.site_id, one]));
  return data.adverts.map((advert, index) => {
    const way = advert.near && home.from?.get(advert.near[0]);
    return {advert, index, way, near: advert.near && places.get(advert.near[0]), time: minutes(way)};
  }).sort((one, other) => (one.time ?? 1e9) - (other.time ?? 1e9) || (one.advert.distance_km ?? 1e9) - (other.advert.distance_km ?? 1e9) || one.index - other.index);
}

// --- choices side by side ---

function describePick(id) {
  const found = lastPlaces.find(one => one.place.site_id === id);
  if (found) return {
    name: found.place.name, what: `${found.place.kind}. ${found.place.about}`, where: found.place.where, way: tellWhole(found.way),
    why: whyPlace(found), ask: found.place.ask,
  };
  const open = listAdverts().find(one => one.advert.id === id);
  return open && {
    name: open.advert.title, what: ["Apprenticeship", open.advert.employer].filter(Boolean).join(", "), where: whereAdvert(open.advert),
    way: open.way ? `To ${open.near.name}, ${open.advert.near[1]} km from it: ${tellWhole(open.way)}` : "Not known.", why: whyAdvert(open.advert), ask: ASK_EMPLOYER,
  };
}

function seeChoices() {
  byId("picks").scrollIntoView();
  byId("picks").focus();
}

function showPicks() {
  const picked = state.picks.map(describePick).filter(Boolean);
  byId("picked").hidden = byId("pick-bar").hidden = !picked.length;
  byId("pick-count").textContent = `${count(picked.length, "choice")} of ${MOST_PICKS}`;
  byId("results").classList.toggle("has-picks", picked.length > 0);
  for (const box of document.querySelectorAll(".keep input")) box.checked = state.picks.includes(box.dataset.id);
  if (!picked.length) { byId("compare").replaceChildren(); return; }
  const rows = [["What it is", "what"], ["Address", "where"], ["The way there", "way"], ["Why it is here", "why"], ["Ask first", "ask"]];
  const head = make("tr", {}, make("th", {scope: "col"}, "Choice"), ...picked.map(one => make("th", {scope: "col"}, one.name)));
  const body = rows.filter(([, key]) => picked.some(one => one[key])).map(([words, key]) => make("tr", {}, make("th", {scope: "row"}, words), ...picked.map(one => make("td", {}, one[key] || "–"))));
  const caption = make("caption", {}, make("span", {}, `${count(picked.length, "choice")}${home.from ? "" : ", without the way there: type your postcode to see it"}`));
  byId("compare").replaceChildren(make("table", {}, caption, make("thead", {}, head), make("tbody", {}, ...body)));
}

function drawMap() {
  const nearby = lastPlaces.filter(one => one.near).length;
  const about = `${count(lastPlaces.length, "place")}${nearby ? `, ${nearby} of them within your time and filled` : ""}. The list has them all.`;
  const drawn = drawPlaces(lastPlaces, state.picks, about);
  byId("map").closest("figure").hidden = !drawn;
  byId("map").replaceChildren(...drawn ? [drawn] : []);
}

// --- the address of the page holds the state, so that it can be kept, sent and gone back to ---

function writeState() {
  const parts = new URLSearchParams();
  const likes = state.likes.map(one => one === null ? "-" : String(one + 2)).join("").replace(/-+$/, "");
  const values = {
    by: state.by === firstWay ? "" : state.by, far: state.far === 60 ? "" : state.far, level: state.level || "", likes,
    good: [...state.good].join("."), pick: state.picks.join("."), home: byId("keep-home")?.checked ? bare(state.home) : "",
  };
  for (const [name, value] of Object.entries(values)) if (value !== "") parts.set(name, value);
  return `#you?${parts}`;
}

let written = "";
const keep = isStep => {
  written = writeState();
  if (written !== location.hash) history[isStep ? "pushState" : "replaceState"](null, "", written);
};

const isOption = (select, value) => [...select?.options ?? []].some(one => one.value === value);

function readState() {
  const parts = new URLSearchParams(location.hash.startsWith("#you?") ? location.hash.slice(5) : "");
  const by = parts.get("by") ?? firstWay, far = parts.get("far") ?? "60", level = parts.get("level") ?? "0";
  state.by = isOption(byId("by"), by) ? by : firstWay;
  state.far = isOption(byId("far"), far) ? Number(far) : 60;
  state.level = isOption(byId("level"), level) ? Number(level) : 0;
  state.likes = data.statements.map((_, place) => /[0-4]/.test(parts.get("likes")?.[place] ?? "") ? Number(parts.get("likes")[place]) - 2 : null);
  state.good = new Set((parts.get("good") ?? "").split(".").filter(one => /^\d+$/.test(one)).map(Number).filter(one => one < data.skills.length));
  const ids = new Set([...data.places.map(one => one.site_id), ...data.adverts.map(one => one.id)]);
  state.picks = [...new Set((parts.get("pick") ?? "").split("."))].filter(one => ids.has(one)).slice(0, MOST_PICKS);
  if (parts.has("home") && byId("home")) {
    state.home = parts.get("home");
    byId("home").value = state.home;
    byId("keep-home").checked = true;
  }
  for (const name of ["by", "far", "level"]) if (byId(name)) byId(name).value = String(state[name]);
  for (const box of document.querySelectorAll(".scale input")) box.checked = state.likes[box.dataset.place] === Number(box.value);
  for (const box of document.querySelectorAll(".strengths input")) box.checked = state.good.has(Number(box.value));
  written = location.hash;
}

// --- what is asked ---

function askLikes(fold) {
  fold.append(...data.statements.map(([text], place) => {
    const scale = make("div", {className: "scale"}, ...ANSWERS.map(([words, value]) => {
      const box = make("input", {type: "radio", name: `like-${place}`, value: String(value), checked: state.likes[place] === value});
      box.dataset.place = place;
      box.addEventListener("change", () => { state.likes[place] = value; keep(false); show(); });
      return make("label", {}, box, words);
    }));
    return make("fieldset", {className: "statement"}, make("legend", {}, text), scale);
  }));
}

function askStrengths(fold) {
  const groups = group(data.skills.map(([, words, kind], number) => [words, number, kind]), ([, , kind]) => kind);
  fold.querySelector(".strengths").replaceWith(...[...groups].map(([kind, own]) => make("fieldset", {}, make("legend", {}, kind),
    make("div", {className: "strengths"}, ...own.map(([words, number]) => {
      const box = make("input", {type: "checkbox", value: String(number), checked: state.good.has(number)});
      box.addEventListener("change", () => { state.good[box.checked ? "add" : "delete"](number); keep(false); show(); });
      return make("label", {className: "tick"}, box, make("span", {}, words));
    })))));
}

function askWhenOpened(id, ask) {
  byId(id)?.addEventListener("toggle", ({target}) => { ask(target); readJobs(); }, {once: true});
}

const firstWay = byId("by")?.options[0].value ?? "walk";

function begin() {
  askWhenOpened("likes", askLikes);
  askWhenOpened("good-at", askStrengths);
  for (const name of ["by", "far", "level"]) byId(name)?.addEventListener("change", event => {
    state[name] = name === "by" ? event.target.value : Number(event.target.value);
    keep(true);
    show();
  });
  const takeHome = () => { state.home = byId("home").value; keep(true); goHome(); };
  byId("go")?.addEventListener("click", takeHome);
  byId("home")?.addEventListener("change", takeHome);
  byId("home")?.addEventListener("keydown", event => { if (event.key === "Enter") takeHome(); });
  byId("keep-home")?.addEventListener("change", () => keep(false));
  byId("clear").addEventListener("click", () => {
    if (byId("home")) { byId("home").value = state.home = ""; byId("keep-home").checked = false; }
    history.pushState(null, "", "#you?");
    readState();
    goHome();
  });
  byId("print").addEventListener("click", () => print());
  byId("see").addEventListener("click", seeChoices);
  byId("drop").addEventListener("click", () => { state.picks = []; keep(true); show(); byId("places").scrollIntoView(); });
  addEventListener("popstate", () => {
    if (location.hash && !location.hash.startsWith("#you?")) history.replaceState(null, "", written);  // a place on the page
    else { readState(); goHome(); }
  });
  readState();
  byId("finder").hidden = false;
  if (journeys && state.home) goHome();
  else show();
}

const packed = byId("finder-journeys").textContent.trim(), journeys = packed && openJourneys(packed);
byId("too-old").hidden = !journeys || "DecompressionStream" in window;
begin();
