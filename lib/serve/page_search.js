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

/* The same of what the server says, without spans at all. */
function summaryOf(t) {
	const services = new Map(objects(t.services).map(s => [String(s.name), {spans: number(s.spanCount), errors: number(s.errorSpanCount)}]));
	const [first] = [...services].sort((a, b) => b[1].spans - a[1].spans)[0] || ['unknown-service'];
	const start = BigInt(t.minStartTimeUnixNano), rootless = !t.rootServiceName && !t.rootOperationName;
	return {id: String(t.traceId).replace(/^0{16}/, ''), name: rootless ? '' : String(t.rootOperationName), rootless,
		service: rootless ? first : String(t.rootServiceName), start: Number(start / 1000n),
		duration: Number(BigInt(t.maxEndTimeUnixNano) - start) / 1000, spans: number(t.spanCount), errors: number(t.errorSpanCount),
		services, orphans: number(t.orphanSpanCount)};
}

/* Of the ids that an address has, or of what it asks for. */
async function found(s) {
	if (s.ids.length)
		return (await data('api/traces', s.ids.map(id => ['traceID', id]))).filter(t => list(t.spans).length).map(summary);
	const [start, end] = timesOf(s);
	const answer = await request('api/v3/trace-summaries', [['query.startTimeMin', rfc3339(start)], ['query.startTimeMax', rfc3339(end)],
		['query.searchDepth', s.limit], ['query.serviceName', s.service], ['query.operationName', s.operation],
		['query.attributes', tagsJson(s.tags)], ['query.durationMin', s.minDuration], ['query.durationMax', s.maxDuration], ['query.traceql', s.q]]);
	return list(answer.summaries).map(summaryOf);
}

/* What was found last, for who comes back to it. */
let lastFound = {};

async function foundAgain(s) {
	if (page.was.found !== lastFound.n || lastFound.from !== location.search) {
		const t0 = performance.now(), all = await found(s);
		lastFound = {n: (lastFound.n || 0) + 1, from: location.search, all, ms: performance.now() - t0, order: 'MOST_RECENT'};
	}
	return lastFound;
}

async function showSearch(params) {
	const s = readSearch(params), n = page.n;
	const results = make('section', {id: 'results', 'aria-label': 'Traces'}, waiting('Searching\u2026'));
	const form = searchForm(s, asked => go(address('search', searchParams(asked))));
	show('Search', make('div', 'search', make('div', 'form', form), results));
	command(...searchCommand(s));
	const services = data('api/services').then(names => list(names).map(String).sort());
	services.then(names => offer(form.elements.service, 'all services', names), () => {}); /* a failure is told of below */
	try {
		const {all, ms, n: at} = await foundAgain(s);
		if (n !== page.n)
			return;
		say(plural(all.length, 'trace') + ' found');
		let marked;
		if (all.length)
			marked = showResults(results, all, `in ${lasted(ms * 1000)}` + (all.length >= +s.limit && !s.ids.length ? `, the newest; there may be more than ${s.limit}` : ''));
		else
			results.replaceChildren(...nothingFound(s, await services));
		page.place = () => ({found: at, at: document.activeElement.closest('.traces a')?.pathname, marked: marked && [...marked]});
		[...results.querySelectorAll('a.open')].find(a => a.pathname === page.was.at)?.focus({preventScroll: true});
	} catch (e) {
		if (n === page.n && e.name !== 'AbortError')
			results.replaceChildren(searchTrouble(e, s, form));
	}
}

function nothingFound(s, services) {
	if (!services.length)
		return [make('p', 'empty', 'The store has no spans yet.')];
	const wider = ['6h', '24h', '7d', '30d'].filter(l => lookbackUs(l) * 1.01 > nowUs() - timesOf(s)[0] && l !== s.lookback);
	return [make('p', 'empty', 'No trace has that. ', wider.length ? 'Look back further: ' : 'Ask for less.',
		wider.map(l => [link('search', searchParams({...s, lookback: l, start: '', end: ''}), null, l), ' ']).flat())];
}

/* An error in an expression is shown where it is, one in a field as the field's. */
function searchTrouble(e, s, form) {
	const [, column, why] = /column (\d+): (.*)/s.exec(e.message) || [], [, what, wrong] = /query\.(durationM..): (.*)/s.exec(e.message) || [];
	const field = form.elements[column ? 'q' : what === 'durationMin' ? 'minDuration' : what ? 'maxDuration' : ''];
	if (field) {
		field.setAttribute('aria-invalid', 'true');
		field.focus();
	}
	if (!column || !s.q)
		return what ? trouble(`${what === 'durationMin' ? 'Min' : 'Max'} duration: ${wrong}`) : troubleOf(e);
	/* Columns are bytes. */
	const before = new TextDecoder().decode(new TextEncoder().encode(s.q).slice(0, column - 1)), line = brief(s.q, 2000);
	if (field)
		field.setSelectionRange(before.length, before.length);
	return trouble(`TraceQL, column ${column}: ${why}`, make('code', 'where', `\n${line}\n${' '.repeat(brief(before, 2000).length)}\u2303`));
}

/* ---- Results ---- */

/* The set of the ids that are marked: at first those that were when it was left. */
function showResults(into, all, note) {
	const chosen = new Set(list(page.was.marked).filter(id => all.some(t => t.id === id))), lines = make('ol', {class: 'traces'});
	const compare = button('Compare', () => go(address('trace/' + [...chosen].map(encodeURIComponent).join('...'))),
		{disabled: true, id: 'compare', title: 'Compare the two traces that are marked'});
	const sort = choice('sort', Object.entries(SORTS).map(([key, [text]]) => [key, text + ' first']), lastFound.order || 'MOST_RECENT',
		{'aria-label': 'Order', onchange: () => lay()});
	const tell = () => {
		compare.disabled = chosen.size !== 2;
		compare.textContent = chosen.size ? `Compare (${chosen.size} of 2)` : 'Compare';
	};
	const mark = (id, yes) => {
		if (yes)
			chosen.add(id);
		else
			chosen.delete(id);
		tell();
		moved();
	};
	const longest = Math.max(1, most(all, t => t.duration));
	const lay = () => {
		lastFound.order = sort.value;
		all.sort((a, b) => SORTS[sort.value][1](a, b) || (a.id < b.id ? -1 : 1));
		lines.replaceChildren(...all.slice(0, MOST_LINES).map(t => resultLine(t, longest, chosen.has(t.id), mark)));
	};
	lay();
	tell();
	const points = make('div', '');
	into.replaceChildren(points, make('div', 'tools', make('h2', '', plural(all.length, 'trace')),
		make('span', 'quiet', note + (all.length > MOST_LINES ? `; ${MOST_LINES.toLocaleString('en')} are listed` : '')), sort, compare,
		button('Save as JSON', () => saveResults(all.map(t => t.id)))), lines);
	page.resize = () => points.replaceChildren(scatter(all, points.clientWidth));
	page.resize();
	page.keys = {
		ArrowDown: () => step(lines, 1), ArrowUp: () => step(lines, -1), f: () => step(lines, 1), b: () => step(lines, -1),
		x: () => document.activeElement.closest('li')?.querySelector('input').click(),
		c: () => compare.click(),
	};
	return chosen;
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
		make('span', 'first', ...serviceName(t.service), t.rootless ? make('span', 'quiet', 'its root is not here') : make('span', {class: 'operation', title: brief(t.name, 1000)}, brief(t.name)),
			make('span', 'quiet', beginning(t.id)),
			make('span', 'when', `${moment(t.start)} \u00b7 ${ago(t.start)}`), make('b', 'lasted', lasted(t.duration))),
		bar,
		make('span', 'second', plural(t.spans, 'span'), t.errors ? make('b', 'error', ` \u2717 ${plural(t.errors, 'error')}`) : null,
			t.orphans ? make('span', 'quiet', ` ? ${plural(t.orphans, 'parent')} missing`) : null, serviceCounts(t.services))));
}

/* ---- The points ---- */

const H = 150, LEFT = 56, BOTTOM = 20;

/* Where the axis of durations has its lines: logarithmic from 50 on, as they are far apart. */
function durationScale(all) {
	const longest = Math.max(1, most(all, t => t.duration)), shortest = Math.max(1, least(all, t => t.duration));
	const isLog = longest / shortest > 50;
	const low = isLog ? Math.floor(Math.log10(shortest)) : 0, high = isLog ? Math.ceil(Math.log10(longest * 1.01)) : longest * 1.08;
	const every = Math.ceil((high - low) / 5), tens = k => [10 ** (low + k * every), markText(10 ** (low + k * every) * 1000, 1e99)];
	const ticks = isLog ? Array.from({length: Math.floor((high - low) / every) + 1}, (_, k) => tens(k)) :
		(({step, all}) => all.map(ns => [ns / 1000, markText(ns, step)]))(marksOf(0, high * 1000, 4));
	const y = us => H - BOTTOM - (H - BOTTOM - 8) * ((isLog ? Math.log10(Math.max(us, 1)) : us) - low) / (high - low);
	return {y, ticks};
}

function scatter(all, width) {
	const first = least(all, t => t.start), last = most(all, t => t.start);
	const {y, ticks} = durationScale(all), span = last - first || 1;
	const x = us => LEFT + 10 + (width - LEFT - 30) * (us - first) / span;
	const svg = draw('svg', {class: 'scatter', viewBox: `0 0 ${width} ${H}`, height: H, role: 'group', 'aria-label': `Durations over time, ${zone(first)}`});
	for (const [t, text] of ticks)
		svg.append(draw('line', {x1: LEFT, x2: width, y1: y(t), y2: y(t)}), draw('text', {x: LEFT - 6, y: y(t) + 3.5, 'text-anchor': 'end'}, text));
	for (const [t, text] of clockMarks(first, last, Math.max(2, Math.min(10, Math.floor(width / 110)))))
		svg.append(draw('line', {x1: x(t), x2: x(t), y1: H - BOTTOM, y2: H - BOTTOM + 4}), draw('text', {x: x(t), y: H - 4, 'text-anchor': 'middle'}, text));
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
