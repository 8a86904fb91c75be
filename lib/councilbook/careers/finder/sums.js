// The finder's sums, apart from the page: journeys are unpacked, and jobs are put in order.
const SKILLS = 20, ANSWERED = 3;
const group = (items, key) => items.reduce((map, one) => map.set(key(one), [...(map.get(key(one)) ?? []), one]), new Map());
const bare = text => text.toUpperCase().replace(/[^A-Z0-9]/g, "");

// --- journeys: see packing.py ---

async function unpack(text) {
  const bytes = Uint8Array.fromBase64?.(text) ?? Uint8Array.from(atob(text), one => one.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function openJourneys(text) {
  const [first, ...blocks] = text.trim().split("\n");
  return {...JSON.parse(first), blocks};
}

// The ways from a postcode to all places, or null if it is not there; of all blocks, its own alone is unpacked.
async function readJourneys(journeys, code) {
  const at = `\n${journeys.postcodes}\n`.indexOf(`\n${code}\n`);
  if (at < 0) return null;
  const place = Math.floor((journeys.postcodes.slice(0, at).split("\n").length - 1) / journeys.shared), wide = journeys.sites.length;
  const block = await unpack(journeys.blocks[Math.floor(place / journeys.block)]);
  const size = block.length / journeys.figures.length, end = (place % journeys.block + 1) * wide;
  const rows = Object.fromEntries(journeys.figures.map((name, number) => {
    const plane = block.subarray(number * size, (number + 1) * size);
    if (!journeys.changes.includes(name)) return [name, plane.subarray(end - wide, end)];
    const sums = new Uint8Array(wide);  // all changes up to the row, byte by byte
    for (let at = 0; at < end; at += 1) sums[at % wide] += plane[at];
    return [name, sums];
  }));
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
