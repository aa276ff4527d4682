/*
 * Two traces by call path: services and operations from the root to the span.
 */
const SAME = {'+': 'only in B', '-': 'only in A', '~': 'other number of spans', '=': 'as many spans'};

/* One tree of both: of each path its spans in A and in B. */
function merged(a, b) {
	const top = {kids: new Map(), depth: -1}, all = [];
	for (const [side, trace] of [['a', a], ['b', b]]) {
		const node = new Array(trace.rows.length);
		for (const s of trace.rows) {
			const up = s.parent < 0 ? top : node[s.parent], key = s.service + '\t' + s.name;
			if (!up.kids.has(key))
				up.kids.set(key, {service: s.service, name: s.name, depth: up.depth + 1, kids: new Map(), up, a: none(), b: none()});
			const n = node[s.row] = up.kids.get(key);
			n[side].spans++;
			n[side].us += s.duration;
			n[side].errors += s.error;
		}
	}
	const stack = [...top.kids.values()].reverse();
	while (stack.length) {
		const n = stack.pop();
		all.push(n);
		stack.push(...[...n.kids.values()].reverse());
	}
	return all;
}

const none = () => ({spans: 0, us: 0, errors: 0});
const meanOf = side => side.spans ? side.us / side.spans : 0;
const sign = n => !n.a.spans ? '+' : !n.b.spans ? '-' : n.a.spans === n.b.spans ? '=' : '~';

function change(n) {
	if (!n.a.spans || !n.b.spans)
		return null;
	const by = meanOf(n.b) - meanOf(n.a);
	return {by, part: meanOf(n.a) ? by / meanOf(n.a) : 0};
}

/* What differs, and what is above that. */
function differing(all) {
	const keep = new Set();
	for (const n of all) {
		const c = change(n), errors = n.a.errors !== n.b.errors;
		if (sign(n) !== '=' || errors || c && Math.abs(c.part) >= 0.5 && Math.abs(c.by) >= 1000)
			for (let up = n; up && up.depth >= 0 && !keep.has(up); up = up.up)
				keep.add(up);
	}
	return all.filter(n => keep.has(n));
}

function side(of, most) {
	const e = make('td', 'side', of.spans ? lasted(meanOf(of)) : '\u2013');
	if (of.spans) {
		const bar = make('i', {class: 'measure', 'aria-hidden': 'true'});
		bar.style.width = 100 * meanOf(of) / most + '%';
		e.append(bar);
	}
	return e;
}

const errorCell = n => make('td', n.a.errors === n.b.errors ? 'n quiet' : 'n', n.a.errors || n.b.errors ?
	make('b', n.b.errors > n.a.errors ? 'error' : '', `\u2717 ${n.a.errors} \u2192 ${n.b.errors}`) : '');

function compareRow(n, most) {
	const c = change(n), s = sign(n), name = make('div', 'path');
	name.append(make('span', 'pad'), ...serviceName(n.service), make('span', {class: 'operation', title: brief(n.name, 1000)}, brief(n.name, 120)));
	name.firstChild.style.width = Math.min(n.depth, LEVELS) * INDENT + 'px';
	return make('tr', 'is' + {'+': 'more', '-': 'less', '~': 'other', '=': 'same'}[s],
		make('td', {class: 'sign', title: SAME[s], 'aria-label': SAME[s]}, s === '-' ? '\u2212' : s), make('td', '', name),
		make('td', {class: 'n', 'data-of': 'A'}, n.a.spans), make('td', {class: 'n', 'data-of': 'B'}, n.b.spans), side(n.a, most), side(n.b, most),
		make('td', 'n', c ? make('span', Math.abs(c.part) >= 0.1 ? 'changed' : 'quiet', (c.by < 0 ? '\u2212' : '+') + lasted(Math.abs(c.by)) +
			(Number.isFinite(c.part) && c.part ? ` (${c.part < 0 ? '\u2212' : '+'}${percent(Math.abs(c.part))})` : '')) : ''), errorCell(n));
}

const sideHead = (letter, trace) => make('div', 'half', make('h2', '', make('b', 'letter', letter), traceLink(trace.id, null, null, ...serviceName(trace.service),
	' ', brief(trace.name, 120))), traceFacts(trace));

function compareTools(a, b, onlyBox) {
	return make('div', 'tools', make('label', '', onlyBox, ' Only what differs'),
		button('Swap', () => go(address(`trace/${encodeURIComponent(b)}...${encodeURIComponent(a)}`)), {title: 'A is B, and B is A'}));
}

/* Ids to compare; an address may have one only. */
function askBoth(a, b) {
	const boxes = [inputFor('a', a, {class: 'code', placeholder: 'Trace id', required: true}), inputFor('b', b, {class: 'code', placeholder: 'Trace id', required: true})];
	show('Compare', make('div', 'plain', make('h1', '', 'Compare two traces'), make('form', {class: 'pair', onsubmit: e => {
		e.preventDefault();
		go(address(`trace/${boxes.map(x => encodeURIComponent(x.value.trim())).join('...')}`));
	}}, field('A', boxes[0]), field('B', boxes[1]), make('button', 'main', 'Compare'))));
}

async function showCompare(idA, idB) {
	command('trace-diff', '-s', STORE, idA || 'A', idB || 'B');
	if (!idA || !idB)
		return askBoth(idA, idB);
	show('Compare', waiting('Loading\u2026'));
	const [a, b] = (await Promise.all([traceOf(idA), traceOf(idB)])).map(readTrace);
	tellApart(new Set([...a.services.keys(), ...b.services.keys()]));
	const all = merged(a, b), few = differing(all), body = make('tbody');
	const onlyBox = make('input', {type: 'checkbox', id: 'only', checked: few.length > 0, onchange: () => fill()});
	const note = make('p', 'quiet');
	const fill = () => {
		const rows = onlyBox.checked ? few : all, most = Math.max(1, ...rows.slice(0, MOST_ROWS).map(n => Math.max(meanOf(n.a), meanOf(n.b))));
		body.replaceChildren(...rows.slice(0, MOST_ROWS).map(n => compareRow(n, most)));
		note.textContent = rows.length > MOST_ROWS ? `The first ${MOST_ROWS} of ${rows.length} call paths; the command has all.` :
			rows.length ? '' : 'Both have the same call paths, and take about as long.';
	};
	fill();
	show(`Compare ${idA} with ${idB}`, make('div', 'compare', make('div', 'halves', sideHead('A', a), sideHead('B', b)),
		compareTools(idA, idB, onlyBox),
		make('table', '', make('thead', '', make('tr', '', [make('span', 'unseen', 'Differs'), 'Call path', 'Spans A', 'B', 'Mean A', 'Mean B', 'Change', 'Errors']
			.map((t, i) => make('th', {scope: 'col', class: i > 1 ? 'n' : null}, t)))), body), note));
	page.keys = {o: () => onlyBox.click()};
}
