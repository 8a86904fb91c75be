// The finder's map: places as numbered dots, filled where they are near, and names of towns where there is room.
const WIDE = 520, HIGH = 420, EDGE = 24, DOT = 11;
const draw = (tag, values, ...inside) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(values)) element.setAttribute(name, value);
  element.append(...inside);
  return element;
};

// Whatever is asked for first gets its room; what would lie on it gets none.
function keepApart() {
  const taken = [];
  return (x, y, wide, tall) => {
    const free = taken.every(one => Math.abs(one.x - x) > (one.wide + wide) / 2 || Math.abs(one.y - y) > (one.tall + tall) / 2);
    if (free) taken.push({x, y, wide, tall});
    return free;
  };
}

// found: as listPlaces gives them, in the order of the list; picks: ids of places with a ring around them.
function drawPlaces(found, picks, about) {
  const placed = found.map((one, number) => ({...one, number: number + 1})).filter(({place}) => place.latitude !== null && place.longitude !== null);
  if (!placed.length) return null;
  const middle = Math.cos(placed[0].place.latitude * Math.PI / 180);
  const across = placed.map(({place}) => place.longitude * middle), up = placed.map(({place}) => place.latitude);
  const [west, east, south, north] = [Math.min(...across), Math.max(...across), Math.min(...up), Math.max(...up)];
  const scale = Math.min((WIDE - 2 * EDGE) / (east - west || .01), (HIGH - 2 * EDGE) / (north - south || .01));
  const high = (north - south) * scale + 2 * EDGE, isFree = keepApart();
  const spot = ({place}) => [EDGE + (place.longitude * middle - west) * scale, high - EDGE - (place.latitude - south) * scale];
  const dots = placed.map(one => {
    const {place, near, number} = one, [x, y] = spot(one).map(Math.round), hasRoom = isFree(x, y, 2 * DOT, 2 * DOT);
    const label = hasRoom ? [draw("text", {x, y: y + 4.5}, String(number))] : [];
    const kind = `${near ? "near" : "far"}${picks.includes(place.site_id) ? " picked" : ""}`;
    return draw("g", {class: kind}, draw("title", {}, `${number}. ${place.name}`), draw("circle", {cx: x, cy: y, r: hasRoom ? DOT : 4}), ...label);
  });
  const names = [...group(placed, one => one.place.town)].filter(([town]) => town).flatMap(([town, own]) => {
    const spots = own.map(spot), rows = spots.map(([, y]) => y), half = town.length * 4.2;
    const x = Math.min(Math.max(spots.reduce((sum, [one]) => sum + one, 0) / own.length, half + 2), WIDE - half - 2);
    if (Math.max(...rows) - Math.min(...rows) > HIGH / 3) return [];  // a post town may be a whole district
    const heights = [Math.min(...rows) - DOT - 6, Math.max(...rows) + DOT + 16];  // above its places, or below
    const y = heights.find(one => one > 12 && one < high && isFree(x, one - 4, 2 * half, 16));
    return y === undefined ? [] : [draw("text", {class: "town", x: Math.round(x), y: Math.round(y)}, town)];
  });
  const km = Math.round(scale / 111.2 * 5);
  const bar = draw("path", {d: `M${EDGE} ${high + 14}v6h${km}v-6`, fill: "none", stroke: "currentColor", "stroke-width": 1.5});
  const scaleBar = draw("g", {}, bar, draw("text", {x: EDGE + km / 2, y: high + 13}, "5 km"));
  return draw("svg", {class: "places-map", viewBox: `0 0 ${WIDE} ${Math.ceil(high) + 26}`, role: "img", "aria-label": about}, ...names, ...dots.reverse(), scaleBar);
}
