// The finder's sums, apart from the page: journeys are unpacked, and jobs are put in order.
const SKILLS = 20, ANSWERED = 3;
const group = (items, key) => items.reduce((map, one) => map.set(key(one), [...(map.get(key(one)) ?? []), one]), new Map());
const bare = text => text.toUpperCase().replace(/[^A-Z0-9]/g, "");

// --- journeys: see packing.py ---

async function unpack(text) {
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at += 1) bytes[at] = letters.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const whole = new Uint8Array(await new Response(stream).arrayBuffer());
  const length = new DataView(whole.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(whole.subarray(4, 4 + length)));
  const postcodes = new Map(header.postcodes.split("\n").map((one, place) => [bare(one), place]));
  const rows = Math.ceil(postcodes.size / header.shared), wide = header.sites.length;
  const planes = Object.fromEntries(header.figures.map((name, place) => {
    const from = 4 + length + place * rows * wide;
    return [name, whole.subarray(from, from + rows * wide)];
  }));
  return {...header, wide, planes, postcodes};
}

// One row of a figure; where rows are written as changes, all those before it are added up, byte by byte.
function readRow(journeys, name, row) {
  const plane = journeys.planes[name], wide = journeys.wide;
  if (!journeys.changes.includes(name)) return plane.subarray(row * wide, (row + 1) * wide);
  const sums = new Uint8Array(wide);
  for (let at = 0, column = 0; at < (row + 1) * wide; at += 1) {
    sums[column] += plane[at];
    column = column + 1 === wide ? 0 : column + 1;
  }
  return sums;
}

function readJourneys(journeys, place) {
  const rows = Object.fromEntries(journeys.figures.map(name => [name, readRow(journeys, name, Math.floor(place / journeys.shared))]));
  const figure = (name, column) => rows[name][column] ? rows[name][column] - 1 : null;
  return new Map(journeys.sites.map((site, column) => {
    const transit = figure("median", column), slower = figure("slower", column);
    const last = rows.last_low[column] + 256 * rows.last_high[column];
    return [site, {
      walk: figure("walk", column), cycle: figure("cycle", column), drive: figure("drive", column), transit,
      slow: transit === null || slower === null ? null : transit + slower,
      rides: figure("rides", column), last: last ? last - 1 : null,
    }];
  }));
}

// --- scores: see careers/options/scores.py, which says the same sums in Python ---

const mostPoints = ticked => {
  let total = 1;
  for (let place = 0; place < Math.min(ticked, SKILLS); place += 1) total += 2 * SKILLS - place;
  return total;
};

function scoreFamilies(data, likes) {
  const sums = {};
  data.statements.forEach(([, trait, sign], place) => {
    if (likes[place] === null) return;
    const one = sums[trait] ??= {total: 0, answered: 0};
    one.total += sign * likes[place];
    one.answered += 1;
  });
  const liked = {};
  for (const [family, traits] of Object.entries(data.families)) {
    const known = Object.keys(traits).every(trait => sums[trait]?.answered >= ANSWERED);
    if (known) liked[family] = 50 + 25 * Object.entries(traits).reduce((sum, [trait, weight]) => sum + weight * sums[trait].total / sums[trait].answered, 0);
  }
  return liked;
}

// To six decimals, halves to the even digit as numpy does: or a tie here would be none there.
const round = score => {
  const whole = Math.round(score * 1e6);
  return (score * 1e6 % 1 === 0.5 && whole % 2 ? whole - 1 : whole) / 1e6;
};

function scoreJobs(data, likes, good) {
  const liked = scoreFamilies(data, likes), most = mostPoints(good.size);
  const strengths = data.profiles.map(profile => {
    let points = 0;
    for (let at = 0; at < profile.length; at += 2) if (good.has(profile[at])) points += profile[at + 1];
    return 100 * points / most;
  });
  const found = [];
  for (const job of data.jobs) {
    const known = job.families.map(one => liked[one]).filter(one => one !== undefined);
    const parts = [
      ...(good.size && job.profile !== null ? [strengths[job.profile]] : []),
      ...(known.length ? [Math.max(...known)] : []),
    ];
    if (parts.length) found.push({job, liked, score: round(parts.reduce((sum, one) => sum + one, 0) / parts.length)});
  }
  found.sort((one, other) => other.score - one.score || (one.job.title < other.job.title ? -1 : 1));
  let place = 1;
  for (const tied of group(found, one => one.score).values()) {
    for (const one of tied) Object.assign(one, {place, sharing: tied.length});
    place += tied.length;
  }
  return found;
}
