/*
 * A trace by service and operation: how many spans, how long, and where its
 * time is.
 */
function statsOf(trace, path) {
	const all = new Map();
	for (const s of trace.rows) {
		const key = s.service + '\0' + s.name;
		const of = all.get(key) || {name: key, service: s.service, operation: s.name, spans: 0, errors: 0, total: 0, longest: 0, self: 0, critical: 0, first: s.row};
		of.spans++;
		of.errors += s.error;
		of.total += s.duration;
		of.longest = Math.max(of.longest, s.duration);
		of.self += s.self;
		for (const [from, to] of path.get(s.row) || [])
			of.critical += to - from;
		all.set(key, of);
	}
	return [...all.values()];
}

const STATS = [
	['Service and operation', r => r.name], ['Spans', r => -r.spans], ['Errors', r => -r.errors], ['Total', r => -r.total, 'Durations of all its spans together'],
	['Mean', r => -r.total / r.spans], ['Longest', r => -r.longest], ['Self', r => -r.self, 'Time in which no child ran'],
	['Critical path', r => -r.critical, 'Its part of what the trace waited for'],
];

/* ONFIND is called with what is true of the spans of a line, and the first of them. */
function statsTable(trace, path, onfind) {
	const rows = statsOf(trace, path), self = rows.reduce((n, r) => n + r.self, 0) || 1, critical = rows.reduce((n, r) => n + r.critical, 0) || 1;
	const time = us => make('td', 'n', lasted(us));
	const share = (us, all) => make('td', us ? 'n' : 'n quiet', lasted(us), make('span', 'share', percent(us / all)));
	return sortable('stats', STATS, rows, 6, r => make('tr', '', make('td', 'name', ...serviceName(r.service),
		button(brief(r.operation), () => onfind(s => s.service === r.service && s.name === r.operation, r.first), {class: 'link', title: 'Show its spans'})),
	make('td', 'n', r.spans.toLocaleString('en')), make('td', 'n', r.errors ? make('b', 'error', '\u2717 ' + r.errors.toLocaleString('en')) : ''),
	time(r.total), time(r.total / r.spans), time(r.longest), share(r.self, self), share(r.critical, critical)));
}
