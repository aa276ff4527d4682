/*
 * Searching: what the form asks for as a list of traces and as points of time
 * and duration.
 */
const SORTS = {
	MOST_RECENT: ['newest', (a, b) => b.start - a.start],
	LONGEST_FIRST: ['longest', (a, b) => b.duration - a.duration],
	SHORTEST_FIRST: ['shortest', (a, b) => a.duration - b.duration],
	MOST_SPANS: ['most spans', (a, b) => b.spans - a.spans],
	LEAST_SPANS: ['fewest spans', (a, b) => a.spans - b.spans],
	MOST_ERRORS: ['most errors', (a, b) => b.errors - a.errors],
};
const MOST_LINES = 3000;
const uploaded = new Map(); /* by id, traces in Jaeger's JSON that are in this page only */

/* What a line says of a trace, without its tree. */
function summary(json) {
	const trace = readTrace(json);
	return {id: trace.id, name: trace.name, service: trace.service, start: trace.start, duration: trace.duration,
		spans: trace.rows.length, errors: trace.errors, services: trace.services,
		orphans: trace.rows.reduce((n, s) => n + s.orphan, 0)};
}

/* TraceQL finds ids; what is in the traces comes from where it does for the form. */
async function found(s) {
	const [start, end] = timesOf(s);
	if (!s.q && s.service)
		return data('api/traces', [['service', s.service], ['operation', s.operation], ['tags', tagsJson(s.tags)],
			['minDuration', s.minDuration], ['maxDuration', s.maxDuration], ['limit', s.limit],
			['start', Math.floor(start)], ['end', Math.floor(end)], ['lookback', s.lookback]]);
	const answer = await request('api/search', [['q', s.q || traceql(s)], ['limit', s.limit],
		['start', Math.floor(start / 1e6)], ['end', Math.ceil(end / 1e6)]]);
	const ids = list(answer.traces).map(t => t.traceID), all = [];
	for (let i = 0; i < ids.length; i += 50)
		all.push(data('api/traces', ids.slice(i, i + 50).map(id => ['traceID', id])));
	return (await Promise.all(all)).flat();
}

async function showSearch(params) {
	const s = readSearch(params), asked = params.size > 0;
	const results = make('section', {id: 'results', 'aria-label': 'Traces'});
	const holder = make('div', 'form');
	show('Search', make('div', 'search', holder, results));
	command(...searchCommand(s));
	const submit = asked => go(address('search', searchParams(asked)));
	const services = data('api/services').then(names => list(names).map(String).sort());
	if (!asked)
		results.append(make('p', 'empty', 'What traces are there? Choose a service, or ask in TraceQL.'));
	else
		results.append(make('p', 'empty', 'Searching\u2026'));
	try {
		holder.append(searchForm(s, await services, submit));
	} catch (e) {
		results.replaceChildren(trouble(e.message));
		return;
	}
	if (!asked)
		return;
	try {
		const t0 = performance.now(), all = (await found(s)).filter(t => list(t.spans).length).map(summary);
		say(plural(all.length, 'trace') + ' found');
		if (!all.length && !(await services).length)
			results.replaceChildren(make('p', 'empty', 'The store has no spans yet.'));
		else
			showResults(results, all, `in ${lasted((performance.now() - t0) * 1000)}` +
			(all.length >= +s.limit ? `, the newest; there may be more than ${s.limit}` : ''));
	} catch (e) {
		if (e.name !== 'AbortError')
			results.replaceChildren(trouble(e.message));
	}
}

/* ---- Results ---- */

function showResults(into, all, note) {
	if (!all.length) {
		into.replaceChildren(make('p', 'empty', 'No trace has that. Look back further, or ask for less.'));
		return;
	}
	const chosen = new Set(), lines = make('ol', {class: 'traces'});
	const compare = button('Compare', () => go(address('trace/' + [...chosen].map(encodeURIComponent).join('...'))),
		{disabled: true, id: 'compare', title: 'Compare the two traces that are marked'});
	const sort = choice('sort', Object.entries(SORTS).map(([key, [text]]) => [key, text + ' first']), 'MOST_RECENT',
		{'aria-label': 'Order', onchange: () => lay()});
	const mark = (id, yes) => {
		if (yes)
			chosen.add(id);
		else
			chosen.delete(id);
		compare.disabled = chosen.size !== 2;
		compare.textContent = chosen.size ? `Compare (${chosen.size} of 2)` : 'Compare';
	};
	const longest = Math.max(1, most(all, t => t.duration));
	const lay = () => {
		all.sort((a, b) => SORTS[sort.value][1](a, b) || (a.id < b.id ? -1 : 1));
		lines.replaceChildren(...all.slice(0, MOST_LINES).map(t => resultLine(t, longest, chosen.has(t.id), mark)));
	};
	lay();
	into.replaceChildren(scatter(all), make('div', 'tools', make('h1', '', plural(all.length, 'trace')),
		make('span', 'quiet', note + (all.length > MOST_LINES ? `; ${MOST_LINES.toLocaleString('en')} are listed` : '')), sort, compare,
		button('Save as JSON', () => saveResults(all.map(t => t.id)))), lines);
	page.keys = {
		ArrowDown: () => step(lines, 1), ArrowUp: () => step(lines, -1), f: () => step(lines, 1), b: () => step(lines, -1),
		x: () => document.activeElement.closest('li')?.querySelector('input').click(),
		c: () => compare.click(),
	};
}

function step(lines, by) {
	const all = [...lines.querySelectorAll('a.open')], at = all.indexOf(document.activeElement);
	const to = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + by))];
	if (to)
		to.focus();
}

async function saveResults(ids) {
	const here = ids.filter(id => uploaded.has(id)).map(id => uploaded.get(id));
	const rest = ids.filter(id => !uploaded.has(id));
	const there = rest.length ? await data('api/traces', rest.map(id => ['traceID', id])) : [];
	download('traces.json', 'application/json', JSON.stringify({data: [...here, ...there]}));
}

function serviceCounts(services) {
	const all = [...services].sort((a, b) => b[1].spans - a[1].spans);
	const e = make('span', 'services', all.slice(0, 12).map(([name, of]) =>
		make('span', 'count', ...serviceName(name), ' ' + of.spans, of.errors ? make('b', {class: 'error', title: plural(of.errors, 'error')}, ` \u2717${of.errors}`) : null)));
	if (all.length > 12)
		e.append(make('span', 'quiet', `and ${plural(all.length - 12, 'service')} more`));
	return e;
}

/* Of an id, without zeros that tell nothing. */
const beginning = id => id.replace(/^0+(?=.{8})/, '').slice(0, 8);

function resultLine(t, longest, isChosen, mark) {
	const bar = make('span', {class: 'length', 'aria-hidden': 'true'});
	const fill = make('i', 's' + colourOf(t.service));
	fill.style.width = Math.max(0.2, 100 * t.duration / longest) + '%';
	bar.append(fill);
	const box = make('input', {type: 'checkbox', 'aria-label': 'Mark for comparing', onchange: e => mark(t.id, e.target.checked)});
	box.checked = isChosen;
	return make('li', '', box, traceLink(t.id, null, {class: 'open'},
		make('span', 'first', ...serviceName(t.service), make('span', 'operation', brief(t.name)),
			make('span', 'quiet', beginning(t.id)),
			make('span', 'when', `${moment(t.start)} \u00b7 ${ago(t.start)}`), make('b', 'lasted', lasted(t.duration))),
		bar,
		make('span', 'second', plural(t.spans, 'span'), t.errors ? make('b', 'error', ` \u2717 ${plural(t.errors, 'error')}`) : null,
			t.orphans ? make('span', 'quiet', ` ? ${plural(t.orphans, 'parent')} missing`) : null, serviceCounts(t.services))));
}

/* ---- The points ---- */

const W = 1000, H = 150, LEFT = 56, BOTTOM = 20;

/* Where the axis of durations has its lines: logarithmic from 100 on, as they are far apart. */
function durationScale(all) {
	const longest = Math.max(1, most(all, t => t.duration)), shortest = Math.max(1, least(all, t => t.duration));
	const isLog = longest / shortest > 50;
	const low = isLog ? Math.floor(Math.log10(shortest)) : 0, high = isLog ? Math.ceil(Math.log10(longest * 1.01)) : longest * 1.08;
	const ticks = [];
	for (let k = 0; k <= (isLog ? high - low : 3); k++)
		ticks.push(isLog ? 10 ** (low + k) : longest * k / 3);
	const y = us => H - BOTTOM - (H - BOTTOM - 8) * ((isLog ? Math.log10(Math.max(us, 1)) : us) - low) / (high - low);
	return {y, ticks: ticks.length > 6 ? ticks.filter((t, i) => i % 2 === 0) : ticks};
}

function scatter(all) {
	const first = least(all, t => t.start), last = most(all, t => t.start);
	const {y, ticks} = durationScale(all), span = last - first || 1;
	const x = us => LEFT + 10 + (W - LEFT - 30) * (us - first) / span;
	const svg = draw('svg', {class: 'scatter', viewBox: `0 0 ${W} ${H}`, role: 'img', 'aria-label': 'Durations over time'});
	for (const t of ticks)
		svg.append(draw('line', {x1: LEFT, x2: W, y1: y(t), y2: y(t)}), draw('text', {x: LEFT - 6, y: y(t) + 3.5, 'text-anchor': 'end'}, lasted(t)));
	for (let k = 0; k <= 4; k++)
		svg.append(draw('text', {x: x(first + span * k / 4), y: H - 4, 'text-anchor': ['start', 'middle', 'middle', 'middle', 'end'][k]},
			span > 86400e6 ? moment(first + span * k / 4, 0).slice(5, 16) : clock(first + span * k / 4)));
	for (const t of [...all].sort((a, b) => b.spans - a.spans).slice(0, 1500))
		svg.append(draw('a', {href: address('trace/' + encodeURIComponent(t.id)), tabindex: -1}, point(t, x(t.start), y(t.duration))));
	return svg;
}

/* Larger with more spans; with errors another form and not only another colour. */
function point(t, x, y) {
	const r = Math.min(12, 3 + Math.sqrt(t.spans) / 3);
	const title = draw('title', null, `${brief(t.service, 60)}: ${brief(t.name, 80)}, ${lasted(t.duration)}, ${plural(t.spans, 'span')}` +
		(t.errors ? `, ${plural(t.errors, 'error')}` : '') + `, ${moment(t.start)}`);
	return t.errors ? draw('path', {class: 'bad', d: `M${x} ${y - r - 1}l${r + 1} ${r + 1}l${-r - 1} ${r + 1}l${-r - 1} ${-r - 1}z`}, title) :
		draw('circle', {cx: x, cy: y, r}, title);
}
