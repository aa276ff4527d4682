/*
 * A trace of Jaeger's JSON as rows of a tree. Nothing in it is believed:
 * parents may be missing or in circles, ids may come twice, times may be
 * anything.
 */
const number = n => Number.isFinite(+n) ? +n : 0;
const list = of => Array.isArray(of) ? of : [];
const objects = of => list(of).filter(o => o && typeof o === 'object');
/* Of many: arguments of a function have a limit. */
const least = (all, of) => all.reduce((n, o) => Math.min(n, of(o)), Infinity);
const most = (all, of) => all.reduce((n, o) => Math.max(n, of(o)), -Infinity);
const isError = tags => tags.some(t => t.key === 'error' && String(t.value) === 'true' ||
	t.key === 'otel.status_code' && t.value === 'ERROR');

function textOf(value) {
	return typeof value === 'string' ? value : value !== null && typeof value === 'object' ? JSON.stringify(value) : String(value);
}

const pairsOf = tags => objects(tags)
	.map(t => ({key: String(t.key), value: textOf(t.value), type: t.type}));

function processesOf(json) {
	const all = new Map();
	for (const [id, p] of Object.entries(json.processes || {}))
		all.set(id, {service: String(p && p.serviceName || 'unknown-service'), tags: pairsOf(p && p.tags)});
	return all;
}

const nobody = {service: 'unknown-service', tags: []};
const shortId = id => String(id).toLowerCase().replace(/^0+(?=.)/, '');

/* Of its references the first CHILD_OF within the trace, else the first FOLLOWS_FROM. */
function parentOf(json, trace) {
	const refs = objects(json.references).filter(r => shortId(r.traceID) === trace);
	const ref = refs.find(r => r.refType !== 'FOLLOWS_FROM') || refs[0];
	const id = shortId(ref ? ref.spanID : json.parentSpanID || '0');
	return {id: id === '0' ? '' : id, follows: !!ref && ref.refType === 'FOLLOWS_FROM'};
}

function spanOf(json, trace, processes) {
	const own = json.process && {service: String(json.process.serviceName), tags: pairsOf(json.process.tags)};
	const process = processes.get(json.processID) || own || nobody;
	const tags = pairsOf(json.tags), up = parentOf(json, trace);
	const kind = tags.find(t => t.key === 'span.kind');
	return {
		json, tags, process, service: process.service, name: String(json.operationName),
		id: String(json.spanID), key: shortId(json.spanID), up: up.id, follows: up.follows,
		start: number(json.startTime), duration: Math.max(0, number(json.duration)),
		error: isError(tags), kind: kind ? kind.value : '', warnings: list(json.warnings).map(String),
		logs: objects(json.logs).map(l => ({at: number(l.timestamp), fields: pairsOf(l.fields)})),
		parent: -1, depth: 0, end: 0, self: 0, orphan: false, cycle: false, kids: [],
	};
}

/* Depth first without recursion, as traces are deep. */
function walk(spans, roots, order, seen) {
	const stack = roots.slice().reverse();
	while (stack.length) {
		const i = stack.pop();
		if (seen[i])
			continue;
		seen[i] = 1;
		order.push(i);
		for (let k = spans[i].kids.length - 1; k >= 0; k--)
			stack.push(spans[i].kids[k]);
	}
}

function treeOrder(spans) {
	const byId = new Map(), roots = [], order = [], seen = new Uint8Array(spans.length);
	spans.forEach((s, i) => byId.has(s.key) || byId.set(s.key, i));
	spans.forEach((s, i) => {
		const up = s.up ? byId.get(s.up) : undefined;
		if (up === undefined || up === i) {
			s.orphan = s.up !== '' && up === undefined;
			s.cycle = up === i;
			roots.push(i);
		} else {
			s.parent = up;
			spans[up].kids.push(i);
		}
	});
	walk(spans, roots, order, seen);
	for (let i = 0; i < spans.length; i++)
		if (!seen[i]) { /* a circle of parents, cut at its first span */
			spans[spans[i].parent].kids = spans[spans[i].parent].kids.filter(k => k !== i);
			spans[i].cycle = true;
			spans[i].parent = -1;
			walk(spans, [i], order, seen);
		}
	return order;
}

/* Spans in the order of rows; of each: parent, depth, and the row after its subtree. */
function arrange(spans) {
	const order = treeOrder(spans), row = new Int32Array(spans.length), open = [];
	order.forEach((i, at) => row[i] = at);
	const rows = order.map(i => spans[i]);
	rows.forEach((s, at) => {
		s.row = at;
		s.parent = s.parent < 0 ? -1 : row[s.parent];
		s.kids = s.kids.map(k => row[k]);
		s.depth = s.parent < 0 ? 0 : rows[s.parent].depth + 1;
		while (open.length && rows[open[open.length - 1]].depth >= s.depth)
			rows[open.pop()].end = at;
		open.push(at);
	});
	for (const at of open)
		rows[at].end = rows.length;
	return rows;
}

/* Its duration without what its children cover, those that only follow left out. */
function selfOf(s, rows) {
	let covered = 0, at = s.start;
	const last = s.start + s.duration;
	for (const k of s.kids) { /* in the order of their starts */
		const c = rows[k], from = Math.max(c.start, at), to = Math.min(c.start + c.duration, last);
		if (!c.follows && to > from) {
			covered += to - from;
			at = to;
		}
	}
	return s.duration - covered;
}

/* Refers to no span of the trace, else to the fewest; then the earliest. */
function rootOf(rows) {
	let best = rows[0];
	for (const s of rows)
		if (s.parent < 0 && (best.orphan || best.cycle) && !s.orphan && !s.cycle)
			best = s;
	return best;
}

function readTrace(json) {
	const id = String(json.traceID), processes = processesOf(json);
	const spans = objects(json.spans).map(s => spanOf(s, shortId(id), processes));
	spans.sort((a, b) => a.start - b.start || b.duration - a.duration || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
	const rows = arrange(spans), services = new Map();
	let start = Infinity, end = -Infinity, errors = 0, warnings = 0;
	for (const s of rows) {
		const of = services.get(s.service) || {spans: 0, errors: 0};
		of.spans++;
		of.errors += s.error;
		services.set(s.service, of);
		s.self = selfOf(s, rows);
		start = Math.min(start, s.start);
		end = Math.max(end, s.start + s.duration);
		errors += s.error;
		warnings += s.warnings.length;
	}
	const root = rows.length ? rootOf(rows) : null;
	return {
		id, json, rows, services, errors, warnings: list(json.warnings).map(String), n_warnings: warnings, root,
		start: rows.length ? start : 0, duration: rows.length ? end - start : 0,
		name: root ? root.name : '', service: root ? root.service : '',
		depth: rows.length ? most(rows, s => s.depth + 1) : 0,
	};
}

/* ---- The critical path ---- */

/*
 * Each span that blocks its parent, as long as it does: [from, to], or nothing
 * for those that only follow, are of a consumer below a producer, or lie
 * outside of their parent, and all that is below those.
 */
function blocking(rows, root) {
	const parts = new Array(rows.length);
	parts[root.row] = [root.start, root.start + root.duration];
	for (let i = root.row + 1; i < root.end; i++) {
		const s = rows[i], up = parts[s.parent];
		if (!up || s.follows || s.kind === 'consumer' && rows[s.parent].kind === 'producer')
			continue;
		const from = Math.max(s.start, up[0]), to = Math.min(s.start + s.duration, up[1]);
		if (from <= to)
			parts[i] = [from, to];
	}
	return parts;
}

/* From the end of ROOT back: of the children the one that ended last goes on. */
function criticalPath(trace) {
	const {rows, root} = trace, path = new Map();
	if (!root)
		return path;
	const parts = blocking(rows, root);
	const enter = (row, to) => ({row, to, next: 0, kids: rows[row].kids.filter(k => parts[k])
		.sort((a, b) => parts[b][1] - parts[a][1] || a - b)});
	const add = (row, from, to) => {
		if (to > from)
			path.has(row) ? path.get(row).push([from, to]) : path.set(row, [[from, to]]);
	};
	const stack = [enter(root.row, parts[root.row][1])];
	while (stack.length) {
		const at = stack[stack.length - 1];
		while (at.next < at.kids.length && parts[at.kids[at.next]][1] > at.to)
			at.next++;
		if (at.next === at.kids.length) {
			add(at.row, parts[at.row][0], at.to);
			stack.pop();
			continue;
		}
		const kid = at.kids[at.next++];
		add(at.row, parts[kid][1], at.to);
		at.to = parts[kid][0];
		stack.push(enter(kid, parts[kid][1]));
	}
	return path;
}

/* ---- Finding in a trace, by Jaeger's rules ---- */

/*
 * Words apart by blanks, of which one has to be there; "in quotes" with blanks;
 * key=value; -key leaves the tags of that key aside. An id has to be whole.
 */
function finder(text) {
	const words = [...text.matchAll(/"([^"]*)"|(\S+)/g)].map(m => (m[1] ?? m[2]).toLowerCase());
	const without = new Set(words.filter(w => w.length > 1 && w[0] === '-').map(w => w.slice(1)));
	const wanted = words.filter(w => w && !(w.length > 1 && w[0] === '-'));
	const ids = new Set(wanted.map(shortId));
	const holds = text => wanted.some(w => text.includes(w));
	const inPairs = tags => tags.some(t => {
		const key = t.key.toLowerCase();
		return !without.has(key) && (holds(key) || holds(t.value.toLowerCase()) || holds(key + '=' + t.value.toLowerCase()));
	});
	return wanted.length ? s => holds(s.name.toLowerCase()) || holds(s.service.toLowerCase()) || inPairs(s.tags) ||
		s.logs.some(l => inPairs(l.fields)) || inPairs(s.process.tags) || ids.has(s.key) : null;
}
