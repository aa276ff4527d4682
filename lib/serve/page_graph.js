/*
 * Who calls whom.
 */
const GRAPH_LOOKBACKS = ['1h', '6h', '24h', '2d', '7d', '30d'];
const WARN = 0.001, BAD = 0.03, WORST = 0.1; /* shares of errors, as span-graph(1) has them */
const many = n => n < 10000 ? String(n) : n < 999500 ? +(n / 1e3).toPrecision(3) + 'k' : n < 999500000 ? +(n / 1e6).toPrecision(3) + 'M' : +(n / 1e9).toPrecision(3) + 'G';
const grade = part => part === null || part < WARN ? '' : part < BAD ? 'warn' : part < WORST ? 'bad' : 'worst';

/* Calls of one pair may come several times. */
function readCalls(all) {
	const calls = new Map();
	for (const d of list(all)) {
		const parent = String(d.parent), child = String(d.child), key = parent + '\0' + child;
		const call = calls.get(key) || {parent, child, calls: 0, errors: null};
		call.calls += number(d.callCount);
		if (d.errorCount !== undefined)
			call.errors += number(d.errorCount);
		calls.set(key, call);
	}
	return [...calls.values()].sort((a, b) => b.calls - a.calls || (a.parent + a.child < b.parent + b.child ? -1 : 1));
}

/* What leads to SERVICE and what it leads to, DEPTH calls away at most. */
function focused(calls, service, depth) {
	const near = (from, to) => {
		const seen = new Map([[service, 0]]), next = [service];
		while (next.length) {
			const at = next.shift(), away = seen.get(at);
			if (away < depth)
				for (const c of calls)
					if (c[from] === at && !seen.has(c[to])) {
						seen.set(c[to], away + 1);
						next.push(c[to]);
					}
		}
		return seen;
	};
	const down = near('parent', 'child'), up = near('child', 'parent');
	const within = (seen, a, b) => seen.has(a) && seen.has(b) && seen.get(a) < depth;
	return calls.filter(c => within(down, c.parent, c.child) || within(up, c.child, c.parent));
}

/* ---- The picture ---- */

function nodesOf(calls) {
	const nodes = new Map();
	const at = name => nodes.get(name) || nodes.set(name, {name, i: nodes.size, calls: 0, errors: 0, self: 0}).get(name);
	for (const c of calls) {
		at(c.parent);
		const to = at(c.child);
		to.calls += c.calls;
		to.errors += c.errors || 0;
		if (c.parent === c.child)
			to.self += c.calls;
	}
	return [...nodes.values()];
}

function wayOf(way, {x, y}, loop) {
	/* Against the order of layers it goes from left sides to right sides. */
	const [near, far] = loop ? [NODE_W, 0] : [0, NODE_W];
	const points = way.flatMap((v, k) => [...k ? [[x[v] + near, y[v]]] : [], ...k < way.length - 1 ? [[x[v] + far, y[v]]] : []]);
	let d = `M${points[0].map(Math.round).join(' ')}`;
	for (let k = 1; k < points.length; k++) {
		const [ax, ay] = points[k - 1], [bx, by] = points[k], middle = (ax + bx) / 2;
		d += `C${[middle, ay, middle, by, bx - (k === points.length - 1 ? loop ? -7 : 7 : 0), by].map(Math.round).join(' ')}`;
	}
	return {d, points};
}

/*
 * Where the text of a line stands: on it, of several places the one that is
 * least over others. TAKEN has the middles of those that stand already.
 */
function labelPlace(points, width, taken) {
	let best = null, least = Infinity;
	/* Where it passes a layer it is straight, and there is room. */
	for (const k of [...points.keys()].slice(1).map(k => k - 1).sort((a, b) => b % 2 - a % 2))
		for (const t of [0.5, 0.62, 0.38, 0.74, 0.26]) {
			const [ax, ay] = points[k], [bx, by] = points[k + 1], u = 1 - t, middle = (ax + bx) / 2;
			const at = {x: u ** 3 * ax + 3 * t * u * middle + t ** 3 * bx, y: ay * u * u * (u + 3 * t) + by * t * t * (t + 3 * u), width};
			let over = 0;
			for (const o of taken)
				if (Math.abs(o.x - at.x) < (o.width + width) / 2 && Math.abs(o.y - at.y) < 13)
					over += 13 - Math.abs(o.y - at.y);
			if (over < least) {
				least = over;
				best = at;
			}
			if (!over)
				break;
		}
	taken.push(best);
	return best;
}

function edge(c, way, place, most, taken) {
	const loop = place.x[way[0]] > place.x[way[way.length - 1]], {d, points} = wayOf(way, place, loop);
	const part = c.errors === null ? null : c.errors / (c.calls || 1), how = grade(part);
	const text = (how ? '\u2717 ' : '') + many(c.calls) + (how ? ` \u00b7 ${percent(part)}` : '');
	const at = labelPlace(points, text.length * 6, taken);
	const said = `${brief(c.parent, 60)} calls ${brief(c.child, 60)} ${c.calls.toLocaleString('en')} times` +
		(part ? `, ${c.errors.toLocaleString('en')} failed (${percent(part)})` : '');
	const group = inside => draw('g', {class: 'edge ' + how}, draw('title', null, said), inside);
	const both = [group(draw('path', {d, 'stroke-width': (1 + 3 * Math.log10(1 + c.calls) / Math.log10(1 + most)).toFixed(1), 'marker-end': `url(#arrow${how})`})),
		group([draw('rect', {x: at.x - text.length * 3.1, y: at.y - 7, width: text.length * 6.2, height: 14, rx: 3}), draw('text', {x: at.x, y: at.y + 3.5, 'text-anchor': 'middle'}, text)])];
	for (const g of both)
		g.call = c;
	return both;
}

function node(n, at, focus, onfocus) {
	const how = grade(n.calls ? n.errors / n.calls : 0), name = brief(n.name, 40), chars = 19;
	const g = draw('g', {class: 'node ' + how + (n.name === focus ? ' focus' : ''), transform: `translate(${Math.round(at.x)} ${Math.round(at.y - NODE_H / 2)})`,
		tabindex: 0, role: 'button', 'aria-label': `${name}: called ${n.calls} times` + (how ? `, ${n.errors} failed` : ''),
		onclick: () => onfocus(n.name), onkeydown: e => (e.key === 'Enter' || e.key === ' ') && (e.preventDefault(), onfocus(n.name))},
	draw('title', null, `${brief(n.name, 300)}: called ${n.calls.toLocaleString('en')} times` + (n.self ? `, ${n.self.toLocaleString('en')} of them by itself` : '')),
	draw('rect', {width: NODE_W, height: NODE_H, rx: 4}), draw('rect', {class: 's' + colourOf(n.name), width: 5, height: NODE_H, rx: 2}),
	draw('text', {x: 13, y: 17}, name.length > chars ? name.slice(0, chars - 1) + '\u2026' : name),
	draw('text', {class: 'quiet', x: 13, y: 32}, n.calls ? `${many(n.calls)} calls` + (n.self ? ` \u21bb ${many(n.self)}` : '') + (how ? ` \u2717 ${percent(n.errors / n.calls)}` : '') : 'starts traces'));
	return g;
}

function arrow(kind) {
	return draw('marker', {id: 'arrow' + kind, class: 'arrow ' + kind, viewBox: '0 0 8 8', refX: 1, refY: 4, markerWidth: 8, markerHeight: 8, markerUnits: 'userSpaceOnUse', orient: 'auto'},
		draw('path', {d: 'M0 0L8 4L0 8z'}));
}

function picture(calls, focus, onfocus) {
	const nodes = nodesOf(calls), index = new Map(nodes.map(n => [n.name, n.i]));
	const edges = calls.filter(c => c.parent !== c.child);
	const place = layout(nodes.length, edges.map(c => ({from: index.get(c.parent), to: index.get(c.child)})), () => NODE_H);
	const most = Math.max(1, ...edges.map(c => c.calls)), w = place.width + 24, h = place.height + 24, taken = [];
	const drawn = edges.map((c, i) => edge(c, place.ways[i], place, most, taken));
	const svg = draw('svg', {class: 'graph', viewBox: `-12 -12 ${Math.ceil(w)} ${Math.ceil(h)}`, width: Math.ceil(w), height: Math.ceil(h), role: 'group', 'aria-label': 'Graph of calls'},
		draw('defs', null, ['', 'warn', 'bad', 'worst'].map(arrow)),
		drawn.map(both => both[0]), drawn.map(both => both[1]),
		nodes.map(n => node(n, {x: place.x[n.i], y: place.y[n.i]}, focus, onfocus)));
	/* Not smaller than can be read: then it scrolls. */
	svg.style.minWidth = w * 0.62 + 'px';
	svg.style.minHeight = h * 0.62 + 'px';
	const light = name => {
		svg.classList.toggle('lit', name !== null);
		for (const e of svg.querySelectorAll('.edge'))
			e.classList.toggle('near', e.call.parent === name || e.call.child === name);
	};
	svg.querySelectorAll('.node').forEach((g, i) => {
		g.addEventListener('pointerenter', () => light(nodes[i].name));
		g.addEventListener('focus', () => light(nodes[i].name));
		g.addEventListener('pointerleave', () => light(null));
		g.addEventListener('blur', () => light(null));
	});
	return svg;
}

/* ---- As text for other programs ---- */

const dotName = text => '"' + visible(text).replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n') + '"';
const asDot = calls => 'digraph services {\n\trankdir=LR;\n\tnode [shape=box];\n' + calls.map(c =>
	`\t${dotName(c.parent)} -> ${dotName(c.child)} [label="${c.calls}${c.errors ? ` (${c.errors} failed)` : ''}"];\n`).join('') + '}\n';

function asMermaid(calls) {
	const ids = new Map(nodesOf(calls).map(n => [n.name, 'n' + n.i]));
	const text = s => '"' + visible(s).replace(/[^\w .:\/-]/gu, c => `#${c.codePointAt(0)};`) + '"';
	return 'flowchart LR\n' + [...ids].map(([name, id]) => `\t${id}[${text(name)}]\n`).join('') +
		calls.map(c => `\t${ids.get(c.parent)} -->|"${c.calls}${c.errors ? ` / ${c.errors} failed` : ''}"| ${ids.get(c.child)}\n`).join('');
}

/* ---- The view ---- */

function callTable(calls) {
	const known = calls.some(c => c.errors !== null);
	const some = calls.length > MOST_ROWS ? `, of which ${MOST_ROWS.toLocaleString('en')} are listed` : '';
	return make('details', 'calls', make('summary', '', `As a table: ${plural(calls.length, 'pair')} of services${some}`), make('table', '',
		make('thead', '', make('tr', '', ['Caller', 'Called', 'Calls', ...known ? ['Errors', 'Share'] : []].map((t, i) => make('th', {scope: 'col', class: i > 1 ? 'n' : null}, t)))),
		make('tbody', '', calls.slice(0, MOST_ROWS).map(c => make('tr', '', make('td', '', ...serviceName(c.parent)), make('td', '', ...serviceName(c.child)),
			make('td', 'n', c.calls.toLocaleString('en')), ...known ? [make('td', 'n', c.errors ? make('b', 'error', '\u2717 ' + c.errors.toLocaleString('en')) : '0'), make('td', 'n', percent((c.errors || 0) / (c.calls || 1)))] : [])))));
}

function graphTools(calls, s, names, ask) {
	return make('div', 'tools', make('h1', '', 'Graph'),
		make('label', '', 'of the last ', choice('lookback', GRAPH_LOOKBACKS.map(l => [l, l]), s.lookback, {onchange: e => ask({lookback: e.target.value})})),
		make('label', '', 'around ', choice('service', [['', 'all services'], ...names.map(n => [n, n])], s.service, {id: 'focus', onchange: e => ask({service: e.target.value})})),
		make('label', '', 'up to ', choice('depth', [['1', '1 call'], ['2', '2 calls'], ['3', '3 calls'], ['99', 'any number']], s.depth, {disabled: !s.service, onchange: e => ask({depth: e.target.value})}), ' away'),
		make('label', '', 'at least ', inputFor('min', s.min, {type: 'number', min: 1, class: 'short', onchange: e => ask({min: e.target.value})}), ' calls'),
		button('DOT', () => download('services.dot', 'text/vnd.graphviz', asDot(calls)), {title: 'Save for Graphviz'}),
		button('Mermaid', () => download('services.mmd', 'text/plain', asMermaid(calls)), {title: 'Save for Mermaid'}));
}

/* The errors of calls are in Zipkin's form of the same answer only. */
async function callsOf(lookback) {
	const params = [['endTs', Date.now()], ['lookback', Math.round(lookbackUs(lookback) / 1000)]];
	const [all, withErrors] = await Promise.all([data('api/dependencies', params), request('api/v2/dependencies', params).catch(() => null)]);
	const calls = readCalls(all), errors = new Map(readCalls(withErrors).map(c => [c.parent + '\0' + c.child, c.errors]));
	for (const c of calls)
		if (c.errors === null && withErrors)
			c.errors = errors.get(c.parent + '\0' + c.child) || 0;
	return calls;
}

async function showGraph(params) {
	const s = {lookback: params.get('lookback') || '24h', service: params.get('service') || '', depth: params.get('depth') || '1', min: params.get('min') || '1'};
	if (!lookbackUs(s.lookback))
		s.lookback = '24h';
	show('Graph', waiting('Loading\u2026'));
	command('span-graph', '-s', STORE, '--since', s.lookback, ...s.service ? ['--focus', s.service, ...s.depth === '99' ? [] : ['--depth', s.depth]] : [],
		...+s.min > 1 ? ['--min-calls', s.min] : [], ['|', 'dot', '-Tsvg', '>graph.svg']);
	const all = await callsOf(s.lookback), names = [...new Set(all.flatMap(c => [c.parent, c.child]))].sort();
	const enough = all.filter(c => c.calls >= +s.min), calls = s.service ? focused(enough, s.service, +s.depth) : enough;
	const ask = change => {
		const to = {...s, ...change};
		go(address('dependencies', [['lookback', to.lookback], ['service', to.service], ['depth', to.service ? to.depth : ''], ['min', +to.min > 1 ? to.min : '']]));
	};
	show('Graph', make('div', 'plain', graphTools(calls, s, names, ask),
		calls.length > 1500 ? make('p', 'empty', `${calls.length} pairs of services are too many to draw; choose one, or ask for more calls.`) :
			calls.length ? make('div', 'canvas', picture(calls, s.service, name => ask({service: name === s.service ? '' : name}))) :
				make('p', 'empty', 'No service calls another one in this time.'),
		calls.length ? make('p', 'quiet', 'A line is thicker the more calls it is. \u2717 and the colours amber, orange and red: from 0.1 %, 3 % and 10 % of errors. A click on a service shows what is around it.') : '',
		calls.length ? callTable(calls) : ''));
	say(`${plural(names.length, 'service')}, ${plural(calls.length, 'pair')}`);
}
