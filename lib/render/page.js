/*
 * Rows of all traces stand in one list, of which only those in sight are
 * elements. All text goes in as text, never as HTML.
 *
 * A row of a trace's data, as html_trace.c writes it:
 * [depth, process, name, flags, kind, start, duration, self, id, parent, more]
 */
const ERROR = 1, ORPHAN = 2, CYCLE = 4, FOLLOWS = 8, MATCHED = 16;
const KINDS = ['', 'internal', 'server', 'client', 'producer', 'consumer'];
const ROW = 26, AXIS = 18, LEVELS = 24, INDENT = 14;

const get = id => document.getElementById(id);
const list = get('list'), space = get('space'), detail = get('detail');
const search = get('search'), found = get('found');

const traces = [];
const rows = []; /* {trace, level, span}; span is null in a trace's head */
let ends = []; /* of each row: the row after those below it */
let folded = new Set();
let shown = []; /* the rows that are not folded away */
let place = []; /* of each row: where it is among those, or -1 */
let chosen = 0, hits = new Set(), isNew = true, isOpen = false, current = null;

function make(name, kind, text) {
	const e = document.createElement(name);
	if (kind)
		e.className = kind;
	if (text !== undefined)
		e.textContent = text;
	return e;
}

function read() {
	for (const block of document.querySelectorAll('script.trace')) {
		const trace = JSON.parse(block.textContent);
		block.remove();
		trace.first = rows.length;
		traces.push(trace);
		rows.push({trace, level: 0, span: null});
		for (const span of trace.rows)
			rows.push({trace, level: span[0] + 1, span});
	}
	ends = new Int32Array(rows.length);
	const open = [];
	for (let i = 0; i <= rows.length; i++) {
		const level = i < rows.length ? rows[i].level : 0;
		while (open.length && rows[open[open.length - 1]].level >= level)
			ends[open.pop()] = i;
		open.push(i);
	}
	for (let i = 0; i < rows.length; i++)
		if (rows[i].span && rows[i].level === rows[i].trace.depth && ends[i] > i + 1)
			folded.add(i);
}

function lay() {
	const one = traces.length === 1;
	shown = [];
	place = new Int32Array(rows.length).fill(-1);
	for (let i = 0; i < rows.length;) {
		if (!one || rows[i].span) {
			place[i] = shown.length;
			shown.push(i);
		}
		i = folded.has(i) ? ends[i] : i + 1;
	}
	space.style.height = shown.length * ROW + 'px';
	draw();
}

const process = row => row.trace.processes[row.span[1]];
const service = row => row.trace.strings[process(row)[0]];
const name = row => row.trace.strings[row.span[2]];
const more = row => row.span[10] || {};

function bars(row) {
	const e = make('div', 'bars'), span = row.span;
	const full = row.trace.ns || 1, percent = ns => 100 * ns / full + '%';
	const bar = make('div', 'bar s' + process(row)[1]);
	bar.style.left = `min(${percent(span[5])}, 100% - 2px)`;
	bar.style.width = percent(span[6]);
	e.append(bar);
	const path = more(row).c || [];
	for (let i = 0; i < path.length && i < 400; i += 2) {
		const part = make('div', 'path');
		part.style.left = percent(path[i]);
		part.style.width = percent(path[i + 1] - path[i]);
		e.append(part);
	}
	return e;
}

function marks(e, flags) {
	for (const [flag, mark, why] of [[ERROR, '\u2717', 'failed'],
		[ORPHAN, '?', 'its parent is not here'],
		[CYCLE, '@', 'a circle of parents was cut here'],
		[FOLLOWS, '\u2504', 'follows from its parent']])
		if (flags & flag) {
			const m = make('span', flag === ERROR ? 'mark' : 'mark quiet', mark);
			m.title = why;
			m.setAttribute('aria-label', why);
			e.append(m);
		}
}

/* The lines of the tree take a third of the column of names at most. */
function levelsDrawn() {
	const width = get('axis').firstElementChild.clientWidth;
	return Math.min(LEVELS, Math.max(2, Math.floor(width / 3 / INDENT)));
}

function nameOf(row, i) {
	const e = make('div', 'name'), depth = row.level - 1;
	const guide = make('i', 'guide'), levels = levelsDrawn();
	guide.style.width = Math.min(depth, levels) * INDENT + 'px';
	e.append(guide);
	if (depth > levels)
		e.append(make('span', 'deep', '\u22ef ' + depth));
	e.append(fold(i));
	e.append(make('i', 'dot s' + process(row)[1]));
	e.append(make('span', 'service', service(row)));
	marks(e, row.span[3]);
	const operation = make('span', 'operation', name(row));
	operation.title = name(row);
	e.append(operation);
	if (folded.has(i))
		e.append(make('span', 'more', '+' + (ends[i] - i - 1)));
	return e;
}

function fold(i) {
	const below = ends[i] > i + 1;
	const e = make('span', 'fold', !below ? '' : folded.has(i) ? '\u25b8' : '\u25be');
	e.dataset.fold = i;
	return e;
}

function headOf(row, i) {
	const e = make('div', 'name'), t = row.trace;
	const said = [duration(t.ns), plural(t.rows.length, 'span'), t.errors && plural(t.errors, 'error'), t.id, t.note];
	e.append(fold(i), make('span', 'operation', t.root), make('span', 'more', said.filter(s => s).join(' \u00b7 ')));
	return e;
}

function rowOf(i) {
	const row = rows[i], e = make('div', row.span ? 'row' : 'row head');
	e.id = 'row' + i;
	e.dataset.row = i;
	e.setAttribute('role', 'row');
	e.setAttribute('aria-level', row.level + 1);
	e.setAttribute('aria-selected', i === chosen);
	if (ends[i] > i + 1)
		e.setAttribute('aria-expanded', !folded.has(i));
	e.style.top = place[i] * ROW + 'px';
	e.classList.toggle('chosen', i === chosen);
	e.classList.toggle('found', hits.has(i));
	if (row.span) {
		e.classList.toggle('error', (row.span[3] & ERROR) !== 0);
		e.classList.toggle('matched', (row.span[3] & MATCHED) !== 0);
		e.append(nameOf(row, i), make('div', 'duration', duration(row.span[6])), bars(row));
	} else {
		e.append(headOf(row, i));
	}
	for (const cell of e.children)
		cell.setAttribute('role', 'gridcell');
	return e;
}

function draw() {
	const from = Math.max(0, Math.floor(list.scrollTop / ROW) - 10);
	const to = Math.min(shown.length, from + Math.ceil(list.clientHeight / ROW) + 20);
	space.replaceChildren(...shown.slice(from, to).map(rowOf));
	list.setAttribute('aria-activedescendant', 'row' + chosen);
	if (shown.length)
		say(rows[shown[Math.min(shown.length - 1, Math.floor(list.scrollTop / ROW))]].trace);
}

/* ---- Above the list: the trace that is at the top of it ---- */

function path(trace) {
	const sums = new Map();
	let all = 0;
	for (let i = trace.first + 1; i <= trace.first + trace.rows.length; i++) {
		const c = more(rows[i]).c || [], key = service(rows[i]) + ' ' + name(rows[i]);
		let ns = 0;
		for (let k = 0; k < c.length; k += 2)
			ns += c[k + 1] - c[k];
		if (ns)
			sums.set(key, (sums.get(key) || 0) + ns);
		all += ns;
	}
	return [...sums].sort((a, b) => b[1] - a[1]).slice(0, 4).map(([what, ns]) =>
		`${what.length > 60 ? what.slice(0, 59) + '\u2026' : what} ${duration(ns)} ` +
		`(${ns * 100 < all ? '<1' : Math.round(100 * ns / all)} %)`).join(', ');
}

function say(trace) {
	if (trace === current)
		return;
	current = trace;
	get('root').textContent = trace.root + ' ';
	get('id').textContent = trace.id;
	const facts = get('facts');
	facts.replaceChildren(make('span', '', `${trace.start}  \u00b7  `), make('b', '', duration(trace.ns)),
		make('span', '', `  \u00b7  ${plural(trace.rows.length, 'span')}  \u00b7  ${plural(trace.services, 'service')}`));
	if (trace.errors)
		facts.append(make('span', '', '  \u00b7  '), make('span', 'error', '\u2717 ' + plural(trace.errors, 'error')));
	if (trace.note)
		facts.append(make('span', '', '  \u00b7  ' + trace.note));
	trace.path = trace.path === undefined ? path(trace) : trace.path;
	get('path').textContent = trace.path && 'Critical path: ' + trace.path;
	const ticks = get('ticks');
	ticks.replaceChildren();
	const marks = marksOf(0, trace.ns || 1, 4);
	for (const mark of marks.all) {
		const tick = make('span', '', markText(mark, marks.step));
		tick.style.left = mark / (trace.ns || 1) * 100 + '%';
		ticks.append(tick);
		if (tick.offsetLeft + tick.offsetWidth > ticks.clientWidth)
			tick.textContent = ''; /* 100ms that is cut off would be 100m. */
	}
}

/* ---- A span whole ---- */

function pairs(strings, flat) {
	const dl = make('dl');
	for (let i = 0; i < flat.length; i += 2)
		dl.append(make('dt', '', strings[flat[i]]), make('dd', '', strings[flat[i + 1]]));
	return dl;
}

function group(title, ...inside) {
	const e = make('details');
	e.open = true;
	e.append(make('summary', '', title), ...inside);
	return e;
}

function facts(row) {
	const s = row.span, m = more(row), dl = make('dl'), text = n => row.trace.strings[n];
	const add = (key, value) => value && dl.append(make('dt', '', key), make('dd', '', value));
	add('span', s[8]);
	add('parent', s[9]);
	add('kind', KINDS[s[4]]);
	add('start', offset(s[5]));
	add('duration', `${duration(s[6])}, of these itself ${duration(s[7])}`);
	add('status', (s[3] & ERROR ? 'error' : '') + (m.m === undefined ? '' : `${s[3] & ERROR ? ': ' : ''}${text(m.m)}`));
	add('state', m.s === undefined ? '' : text(m.s));
	for (const w of m.w || [])
		add('warning', w);
	for (const flag of [[ORPHAN, 'its parent is not here'], [CYCLE, 'a circle of parents was cut here']])
		if (s[3] & flag[0])
			add('warning', flag[1]);
	return dl;
}

function open(i) {
	const row = rows[i], m = row.span && more(row), strings = row.trace.strings;
	isOpen = true;
	detail.hidden = !row.span;
	if (!row.span)
		return;
	const close = make('button', '', '\u2715');
	close.title = 'close (Escape)';
	close.setAttribute('aria-label', 'close');
	close.onclick = shut;
	detail.replaceChildren(close, make('h2', '', `${service(row)} ${name(row)}`), facts(row));
	if (m.t)
		detail.append(group(`Tags (${m.t.length / 2})`, pairs(strings, m.t)));
	if (m.e)
		detail.append(group(`Events (${m.e.length})`, ...m.e.map(e =>
			group(`${offset(e[0])}  ${strings[e[1]]}`, pairs(strings, e[2])))));
	if (m.l)
		detail.append(group(`References (${m.l.length})`, ...m.l.map(l =>
			group(`${l[0]} ${l[1]}`, pairs(strings, l[2])))));
	detail.append(group('Process', pairs(strings, process(row)[2])));
	if (m.o !== undefined)
		detail.append(group('Scope', pairs(strings, row.trace.scopes[m.o])));
	detail.scrollTop = 0;
	show(i); /* The list may have become smaller. */
}

function shut() {
	isOpen = false;
	detail.hidden = true;
	draw();
	list.focus();
}

/* ---- What people do ---- */

/* What is said above the list may be of another height at another place. */
function show(i) {
	for (let tries = 3, height = -1; tries && height !== list.clientHeight; tries--) {
		height = list.clientHeight;
		scrollTo(i);
		draw();
	}
}

function scrollTo(i) {
	const top = place[i] * ROW;
	if (top < list.scrollTop)
		list.scrollTop = top;
	else if (top + ROW > list.scrollTop + list.clientHeight - AXIS)
		list.scrollTop = top + ROW - list.clientHeight + AXIS;
}

function choose(i) {
	if (i === undefined || i < 0)
		return;
	chosen = i;
	if (isOpen)
		open(i);
	show(i);
}

function setFolded(i, yes) {
	if (ends[i] === i + 1 || folded.has(i) === yes)
		return false;
	if (yes)
		folded.add(i);
	else
		folded.delete(i);
	lay();
	if (place[chosen] < 0)
		choose(i);
	return true;
}

function parentOf(i) {
	for (let k = i - 1; k >= 0; k--)
		if (rows[k].level < rows[i].level)
			return k;
	return i;
}

/* Row I, or the one below which it is folded away. */
function inSight(i) {
	while (i > 0 && place[i] < 0)
		i--;
	return i;
}

/* Unfold what hides row I. */
function reveal(i) {
	let level = rows[i].level, changed = false;
	for (let k = i - 1; k >= 0 && level > 0; k--)
		if (rows[k].level < level) {
			level = rows[k].level;
			changed = folded.delete(k) || changed;
		}
	if (changed)
		lay();
}

function move(by) {
	choose(shown[Math.max(0, Math.min(shown.length - 1, place[chosen] + by))]);
}

/* The first time after a search it may be the chosen row itself. */
function nextHit(by) {
	const all = [...hits];
	if (!all.length)
		return;
	const from = chosen - (isNew ? by : 0);
	let at = by > 0 ? all.findIndex(i => i > from) : all.findLastIndex(i => i < from);
	isNew = false;
	if (at < 0)
		at = by > 0 ? 0 : all.length - 1;
	reveal(all[at]);
	choose(all[at]);
	found.textContent = `${at + 1} of ${all.length}`;
}

function holds(row, hit, text) {
	const s = row.span, m = more(row), any = a => a && a.some(n => hit[n]);
	return hit[s[2]] || hit[process(row)[0]] || any(process(row)[2]) || s[8].startsWith(text) ||
		hit[m.m] || any(m.t) || (m.e || []).some(e => hit[e[1]] || any(e[2]));
}

function find() {
	const text = search.value.toLowerCase();
	hits = new Set();
	isNew = true;
	if (text)
		for (const trace of traces) {
			const hit = trace.strings.map(s => s.toLowerCase().includes(text));
			for (let i = trace.first + 1; i <= trace.first + trace.rows.length; i++)
				if (holds(rows[i], hit, text))
					hits.add(i);
		}
	found.textContent = text ? plural(hits.size, 'span') : '';
	draw();
}

function foldAll(yes) {
	folded = new Set();
	if (yes)
		for (let i = 0; i < rows.length; i++)
			if (rows[i].span && ends[i] > i + 1)
				folded.add(i);
	lay();
	if (shown.length)
		choose(inSight(chosen));
	list.focus();
}

const page = () => Math.max(1, Math.floor((list.clientHeight - AXIS) / ROW) - 1);
const keys = {
	ArrowDown: () => move(1),
	ArrowUp: () => move(-1),
	PageDown: () => move(page()),
	PageUp: () => move(-page()),
	Home: () => choose(shown[0]),
	End: () => choose(shown[shown.length - 1]),
	ArrowRight: () => setFolded(chosen, false) || (ends[chosen] > chosen + 1 && choose(chosen + 1)),
	ArrowLeft: () => {
		const up = parentOf(chosen);
		if (!setFolded(chosen, true) && place[up] >= 0)
			choose(up);
	},
	Enter: () => isOpen ? shut() : open(chosen),
	' ': () => isOpen ? shut() : open(chosen),
	n: () => nextHit(1),
	N: () => nextHit(-1),
};

document.addEventListener('keydown', e => {
	if (e.ctrlKey || e.metaKey || e.altKey)
		return;
	if (e.key === 'Escape') {
		shut();
	} else if (e.target === search) {
		if (e.key === 'Enter' && hits.size) {
			nextHit(e.shiftKey ? -1 : 1);
			list.focus(); /* where n and N go on */
		}
	} else if (e.key === '/') {
		search.focus();
		e.preventDefault();
	} else if (keys[e.key] && shown.length && (e.target === list || e.target === document.body || 'nN'.includes(e.key))) {
		keys[e.key]();
		e.preventDefault();
	}
});

list.addEventListener('click', e => {
	const toggle = e.target.closest('[data-fold]'), row = e.target.closest('[data-row]');
	if (toggle && toggle.textContent)
		setFolded(+toggle.dataset.fold, !folded.has(+toggle.dataset.fold));
	else if (row) {
		isOpen = true;
		choose(+row.dataset.row);
	}
});

search.addEventListener('input', find);
get('all').onclick = () => foldAll(false);
get('none').onclick = () => foldAll(true);
list.addEventListener('scroll', draw);
addEventListener('resize', draw);

read();
lay();
if (shown.length) {
	chosen = shown[0];
	document.title = traces.length === 1 ? traces[0].root : plural(traces.length, 'trace');
	draw();
}
list.focus();
