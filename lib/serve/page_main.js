/*
 * Which view an address is, and what keys do.
 */
const VIEWS = [
	[/^(?:search)?$/, showSearch, 'search'],
	[/^trace\/([^/]+)$/, showTrace, ''],
	[/^dependencies$/, showGraph, 'dependencies'],
	[/^monitor$/, showMonitor, 'monitor'],
	[/^upload$/, showUpload, 'upload'],
];

async function route() {
	const n = ++page.n, path = location.pathname.slice(ROOT.pathname.length).replace(/\/$/, '');
	const was = page.was = history.state || {};
	leaving.abort();
	leaving = new AbortController();
	clearTimeout(page.later);
	page.keys = {};
	page.resize = page.place = page.later = null;
	tellApart([]);
	get('command').hidden = true;
	say('');
	const hit = VIEWS.map(([pattern, open, name]) => [pattern.exec(path), open, name]).find(([m]) => m);
	for (const a of document.querySelectorAll('#top nav a'))
		a.toggleAttribute('aria-current', hit && hit[2] !== '' && a.pathname === ROOT.pathname + hit[2]);
	if (!hit)
		return show('Not here', make('div', 'plain', trouble(`There is no page ${path}.`)));
	try {
		await hit[1](new URLSearchParams(location.search), hit[0]);
		if (n === page.n && was.top)
			view.scrollTop = was.top;
	} catch (e) {
		if (n === page.n && e.name !== 'AbortError')
			show('Trouble', make('div', 'plain', troubleOf(e)));
	}
}

/* Where one is in a view goes with its address, for who comes back or loads it again. */
function keepPlace() {
	clearTimeout(page.later);
	page.later = null;
	history.replaceState(view.querySelector('.waiting, .trouble') ? page.was : {top: view.scrollTop, ...page.place && page.place()}, '');
}

function moved() {
	page.later = page.later || setTimeout(keepPlace, 300);
}

function go(to) {
	keepPlace();
	history.pushState(null, '', to);
	view.scrollTop = 0;
	route();
}

/* Links of this page change the view; with a key held they are the browser's. */
document.addEventListener('click', e => {
	const a = e.target.closest('a[href]');
	if (!a || e.button || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey || a.target)
		return;
	const to = new URL(a instanceof SVGElement ? a.href.baseVal : a.href, location);
	if (to.origin === ROOT.origin && to.pathname.startsWith(ROOT.pathname) && !a.hasAttribute('download') && !a.classList.contains('skip')) {
		e.preventDefault();
		go(to.pathname + to.search);
	}
});

addEventListener('popstate', route);
addEventListener('pagehide', keepPlace);
view.addEventListener('scroll', moved);
view.addEventListener('focusin', moved);
addEventListener('resize', () => page.resize && page.resize());

/* ---- Keys ---- */

const HELP = [
	['Everywhere', [['?', 'these keys'], ['/', 'find, or the id of a trace'], ['g s', 'search'], ['g d', 'graph'], ['g m', 'monitor'], ['g u', 'upload'], ['y', 'copy the command'], ['z', 'times of here, or UTC'], ['t', 'light or dark']]],
	['Search', [['\u2193 \u2191, f b', 'next trace, trace before'], ['Enter', 'open it'], ['x', 'mark it for comparing'], ['c', 'compare the two that are marked']]],
	['Trace', [['\u2193 \u2191', 'next span, span before'], ['\u2192 \u2190', 'unfold, fold; child, parent'], ['Enter', 'the span, whole'],
		['f b', 'next and last span, or the next one found'], ['w s', 'a page up, down'], ['a d, A D', 'to the left, right, by more'], ['+ - 0', 'nearer, farther, all'],
		['[ ]', 'unfold, fold all'], ['o p', 'unfold, fold a level'], ['n N', 'found next, before'], ['c', 'critical path'], ['v', 'statistics, or the spans'], ['Escape', 'close']]],
];

function help() {
	get('help').replaceChildren(make('h2', {id: 'help-title'}, 'Keys'), ...HELP.map(([title, keys]) => make('section', '', make('h3', '', title),
		make('dl', '', keys.flatMap(([key, what]) => [make('dt', '', make('kbd', '', key)), make('dd', '', what)])))),
	make('form', {method: 'dialog'}, make('button', 'main', 'Close')));
	get('help').showModal();
}

const PRESSED = {y: 'command-copy', z: 'zone', t: 'theme'};
let prefix = false;

function everywhere(e) {
	const places = {s: 'search', d: 'dependencies', m: 'monitor', u: 'upload'};
	if (prefix && places[e.key]) {
		go(address(places[e.key]));
	} else if (!prefix && e.key === 'g') {
		prefix = true;
		return true;
	} else if (!prefix && page.keys[e.key]) {
		page.keys[e.key](e);
	} else if (e.key === '?') {
		help();
	} else if (e.key === '/') {
		get('lookup-id').select();
	} else if (PRESSED[e.key]) {
		get(PRESSED[e.key]).click();
	} else {
		prefix = false;
		return false;
	}
	prefix = false;
	return true;
}

/* A key is the element's own where it types, or is what a link or button is pressed by. */
document.addEventListener('keydown', e => {
	if (e.ctrlKey || e.metaKey || e.altKey || get('help').open)
		return;
	const at = e.target, types = at.matches('input:not([type=checkbox]), select, textarea');
	const within = page.keys.into && page.keys.into[at.id];
	if (within && within[e.key]) {
		within[e.key](e);
		e.preventDefault();
	} else if (types ? e.key === 'Escape' : !(at.closest('a, button, summary, input, .node') && (e.key === 'Enter' || e.key === ' '))) {
		if (types && !page.keys.Escape)
			at.blur();
		else if (everywhere(e))
			e.preventDefault();
	}
});

/* ---- Around the view ---- */

const THEMES = {system: 'light dark', light: 'light', dark: 'dark'};

function theme(name) {
	document.documentElement.style.colorScheme = THEMES[name];
	get('theme').textContent = 'Theme: ' + name;
	get('theme').onclick = () => {
		const names = Object.keys(THEMES), next = names[(names.indexOf(name) + 1) % names.length];
		remember('theme', next);
		theme(next);
	};
}

function showZone() {
	get('zone').textContent = 'Time: ' + zone(nowUs());
}

get('zone').onclick = () => {
	const form = get('search'), typed = form && form.typed && address('search', searchParams(readForm(form)));
	remember('zone', remembered('zone') === 'UTC' ? 'local' : 'UTC');
	showZone();
	if (typed)
		return go(typed);
	keepPlace();
	route();
};

get('lookup').addEventListener('submit', e => {
	e.preventDefault();
	const ids = get('lookup-id').value.trim().split('...').map(id => id.trim()).filter(id => id);
	if (ids.length)
		go(address('trace/' + ids.slice(0, 2).map(encodeURIComponent).join('...')));
});
/* What is relative to the first address would not be to the next. */
for (const a of document.querySelectorAll('#top a'))
	a.href = a.href;
get('ask-help').onclick = help;
get('command-copy').onclick = e => copy(get('command-text').textContent, e.target);
theme(THEMES[remembered('theme')] ? remembered('theme') : 'system');
showZone();
route();
