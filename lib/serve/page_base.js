/*
 * What all views use: elements, times, requests, addresses, commands.
 *
 * All that comes from a store goes in as text, never as HTML, and with what
 * would be invisible or turn text around as visible escapes.
 */
const ROOT = new URL('..', document.currentScript.src); /* ends with a slash */
const STORE = document.querySelector('meta[name=store]').content;
const UNSAFE = /[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const get = id => document.getElementById(id);
const view = get('view');

function escaped(c) {
	const n = c.charCodeAt(0);
	return n < 256 ? '\\x' + n.toString(16).padStart(2, '0') : '\\u' + n.toString(16).padStart(4, '0');
}

const visible = text => String(text).replace(UNSAFE, escaped);
/* In one line, and not without end. */
function brief(text, most = 200) {
	const one = visible(String(text).slice(0, most + 1)).replace(/\n/g, '\\n');
	return one.length > most ? one.slice(0, most) + '\u2026' : one;
}

/*
 * An element: make('a', {class: 'x', href: '/'}, 'text', other). What is
 * null is left out; on... is a listener.
 */
function into(e, facts, inside) {
	for (const [key, value] of Object.entries(typeof facts === 'string' ? {class: facts} : facts || {}))
		if (key.startsWith('on'))
			e.addEventListener(key.slice(2), value);
		else if (value !== null && value !== undefined && value !== false)
			e.setAttribute(key, value === true ? '' : key === 'href' ? value : visible(value));
	for (const c of inside)
		if (c !== null && c !== undefined && c !== false && c !== '')
			e.append(c instanceof Node ? c : visible(c));
	return e;
}

const make = (name, facts, ...inside) => into(document.createElement(name), facts, inside.flat());
const draw = (name, facts, ...inside) =>
	into(document.createElementNS('http://www.w3.org/2000/svg', name), facts, inside.flat());
const button = (text, onclick, facts) => make('button', {type: 'button', onclick, ...facts}, text);

/* ---- Numbers and times: of the API in microseconds ---- */

const lasted = us => duration(Math.round(us * 1000));
const percent = part => part === 0 ? '0 %' : part < 0.001 ? '<0.1 %' :
	(part * 100).toFixed(part < 0.1 ? 1 : 0) + ' %';
const two = n => String(n).padStart(2, '0');

/* How far the clock that is shown is ahead of UTC, in minutes. */
const ahead = us => remembered('zone') === 'UTC' ? 0 : -new Date(us / 1000).getTimezoneOffset();

function zone(us) {
	const by = ahead(us), minutes = Math.abs(by);
	return 'UTC' + (by ? (by < 0 ? '\u2212' : '+') + Math.floor(minutes / 60) + (minutes % 60 ? ':' + two(minutes % 60) : '') : '');
}

function moment(us, digits = 3) {
	const t = new Date(us / 1000 + (ahead(us) || 0) * 60000);
	if (isNaN(t))
		return us + 'us';
	const fraction = String(Math.floor(us % 1e6 + 1e6) % 1e6).padStart(6, '0').slice(0, digits);
	return t.toISOString().replace(/\.\d+Z$/, '').replace('T', ' ') + (digits ? '.' + fraction : '');
}

const clock = us => moment(us, 0).slice(-8);

/* Marks of a clock at round times from FIRST to LAST: [[us, text]]. */
function clockMarks(first, last, most) {
	if (last - first < 1e6)
		return [[first, clock(first)]];
	const by = ahead(first) * 60e6, {step, all} = marksOf((first + by) * 1000, (last + by) * 1000, most), days = step >= 864e11;
	return all.map(ns => ns / 1000 - by).map(us => [us, days ? moment(us, 0).slice(-14, -9) :
		last - first > 86400e6 ? moment(us, 0).slice(-14, -3) : step < 1e9 ? moment(us, 1).slice(-10) : clock(us).slice(0, step < 6e10 ? 8 : 5)]);
}

function ago(us) {
	const s = Math.round((Date.now() * 1000 - us) / 1e6);
	if (s < 1)
		return s < 0 ? 'in the future' : 'now';
	for (const [unit, n] of [['d', 86400], ['h', 3600], ['m', 60], ['s', 1]])
		if (s >= n * (n > 60 ? 2 : 1))
			return Math.floor(s / n) + unit + ' ago';
}

const rounds = n => n < 100 ? +n.toPrecision(3) : Math.round(n).toLocaleString('en');
const rate = n => n < 1 ? rounds(n * 60) + '/min' : rounds(n) + '/s';

/* "1h", "2d", "90m" as microseconds; 0 when it is none. */
function lookbackUs(text) {
	const m = /^(\d{1,6})(s|m|h|d|w)$/.exec(text);
	return m ? m[1] * {s: 1, m: 60, h: 3600, d: 86400, w: 604800}[m[2]] * 1e6 : 0;
}

const nowUs = () => Date.now() * 1000;

/* ---- Requests ---- */

let leaving = new AbortController(); /* ends the requests of the view before */

async function request(path, params, options) {
	const url = new URL(path, ROOT);
	for (const [key, value] of params || [])
		if (value !== '' && value !== null && value !== undefined)
			url.searchParams.append(key, value);
	const answer = await fetch(url, {signal: leaving.signal, ...options, headers: {Accept: 'application/json', ...options && options.headers}})
		.catch(e => {
			throw e.name === 'AbortError' ? e : new Error('The server does not answer: it has ended, or the way to it is broken');
		});
	const text = await answer.text();
	let said = null;
	try {
		said = JSON.parse(text);
	} catch (e) {
		if (answer.ok)
			throw new Error(`${path} did not answer in JSON`);
	}
	if (answer.ok)
		return said;
	const errors = said && (said.errors || said.error);
	const first = Array.isArray(errors) ? errors[0] : errors;
	throw fault((first && (first.msg || first.message || first)) || text.slice(0, 500) || `${path}: HTTP ${answer.status}`, answer.status);
}

const data = async (path, params, options) => (await request(path, params, options)).data || [];

/* ---- Addresses: those of Jaeger, below whatever the server is below ---- */

const address = (path, params) => {
	const all = new URLSearchParams((params || []).filter(([, v]) => v !== '' && v !== null && v !== undefined));
	return ROOT.pathname + path + (all.size ? '?' + all : '');
};
const link = (path, params, facts, ...inside) =>
	make('a', {href: address(path, params), ...facts}, ...inside);
const traceLink = (id, params, facts, ...inside) =>
	link('trace/' + encodeURIComponent(id), params, facts, ...inside);

/* ---- What is remembered, unless the browser refuses to ---- */

const choices = {};

function remembered(name) {
	try {
		return choices[name] ?? localStorage.getItem(name);
	} catch (e) {
		return null;
	}
}

function remember(name, value) {
	choices[name] = value;
	try {
		localStorage.setItem(name, value);
	} catch (e) {
		say('This choice is kept for this page only');
	}
}

/* ---- What views say of themselves ---- */

const page = {keys: {}, n: 0};

function say(text) {
	get('said').textContent = visible(text);
}

function show(title, ...inside) {
	document.title = visible(title).slice(0, 200);
	view.replaceChildren(...inside);
	if (!view.querySelector('h1'))
		view.prepend(make('h1', 'unseen', title));
}

const trouble = (text, ...more) => make('p', {class: 'trouble', role: 'alert'}, '\u2717 ' + text, more);
/* What may go away by itself can be tried again; of what may not, STATUS is that of the client's faults. */
const fault = (text, status) => Object.assign(new Error(text), {status});
const troubleOf = e => trouble(e.message, e.status && e.status < 500 ? '' : button('Try again', () => route()));
const waiting = text => make('p', {class: 'empty waiting', role: 'status'}, text);

const MOST_ROWS = 3000;

/*
 * A table that its heads sort: COLUMNS [[title, what to sort by, what it is]],
 * ALL that it is of, first sorted by column BY, and the ROW of one.
 */
function sortable(kind, columns, all, by, row) {
	const body = make('tbody'), heads = columns.map(([title, , what], i) => make('th', {scope: 'col', class: i ? 'n' : null, title: what}, button(title, () => sort(i))));
	const sort = by => {
		const key = columns[by][1];
		all.sort((a, b) => key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a.name < b.name ? -1 : 1);
		heads.forEach((h, i) => h.setAttribute('aria-sort', i === by ? (i ? 'descending' : 'ascending') : 'none'));
		body.replaceChildren(...all.slice(0, MOST_ROWS).map(row));
	};
	sort(by);
	return make('table', kind, all.length > MOST_ROWS ? make('caption', 'quiet', `The first ${MOST_ROWS.toLocaleString('en')} of ${all.length.toLocaleString('en')}, in the order of the column that sorts; the command has all.`) : null,
		make('thead', '', make('tr', '', heads)), body);
}

/* A word of a shell, which means itself however it is pasted. */
function sh(word) {
	word = String(word);
	if (/^[\w@%+:,./-][\w@%+=:,./-]*$/.test(word))
		return word;
	if (word.search(UNSAFE) < 0 && !/[\n\t]/.test(word))
		return "'" + word.replaceAll("'", "'\\''") + "'";
	return "$'" + word.replace(/[\\']/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t')
		.replace(UNSAFE, escaped) + "'";
}

/* command('span-query', '--limit', 20, ['|', 'wc']): lists are as they are. */
function command(...words) {
	get('command-text').textContent = words.map(w => Array.isArray(w) ? w.join(' ') : sh(w)).join(' ');
	get('command').hidden = false;
}

async function copy(text, from) {
	const before = from.textContent;
	try {
		await navigator.clipboard.writeText(text);
	} catch (e) {
		/* Without TLS there is no clipboard but the old one. */
		const area = make('textarea', {class: 'away'});
		area.value = text;
		from.after(area);
		area.select();
		document.execCommand('copy');
		area.remove();
		from.focus();
	}
	from.textContent = 'Copied';
	say('Copied');
	setTimeout(() => from.textContent = before, 1200);
}

function download(name, type, text) {
	const url = URL.createObjectURL(new Blob([text], {type}));
	const a = make('a', {href: url, download: name});
	document.body.append(a);
	a.click();
	a.remove();
	setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/* ---- A service, in its colour and with its name ---- */

const dot = service => make('i', {class: 'dot s' + colourOf(service), 'aria-hidden': 'true'});
const serviceName = service => [dot(service), make('span', 'service', brief(service))];
