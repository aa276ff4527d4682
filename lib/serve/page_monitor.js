/*
 * Rate, errors and latency of services and of their operations.
 */
const MONITOR_LOOKBACKS = ['5m', '15m', '30m', '1h', '3h', '6h', '12h', '24h', '2d', '7d'];
const QUANTILES = [0.5, 0.75, 0.95];
const MINUTE = 60000, ADDRESS_ROOM = 4000;
const STEPS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 360, 720, 1440]; /* minutes */
const KINDS = ['server', 'client', 'producer', 'consumer', 'internal'];
const millis = ms => duration(Math.round(ms * 1e6));

/* By the value of LABEL: [[us, value or null]], with a gap where one of each STEP ms is missing. */
function readSeries(answer, label, step) {
	const all = new Map();
	for (const m of list(answer && answer.metrics)) {
		const of = list(m.labels).find(l => l.name === label);
		all.set(of ? String(of.value) : '', list(m.metricPoints).map(p => {
			const n = p.gaugeValue ? Number(p.gaugeValue.doubleValue) : NaN;
			return [Date.parse(p.timestamp) * 1000, Number.isFinite(n) ? n : null];
		}).sort((a, b) => a[0] - b[0]).flatMap((p, i, every) => i && p[0] - every[i - 1][0] > step * 1500 ? [[p[0] - step * 1000, null], p] : [p]));
	}
	return all;
}

/* An address has room for so many names at once, and for longer ones not at all. */
function askable(names) {
	const all = [[]];
	let room = ADDRESS_ROOM;
	for (const name of names) {
		const takes = encodeURIComponent(name).length + 9;
		if (takes > ADDRESS_ROOM)
			continue;
		if (takes > room) {
			all.push([]);
			room = ADDRESS_ROOM;
		}
		all[all.length - 1].push(name);
		room -= takes;
	}
	return all.filter(some => some.length);
}

/*
 * How far apart points are, in ms: there are 40, or as few as 4 where the store
 * answers that at once, and has to count spans for more.
 */
async function stepOf(s) {
	const lookback = lookbackUs(s.lookback) / 1000;
	const quick = Number(await data('api/metrics/minstep', [['endTs', Date.now()], ['lookback', lookback]])) || MINUTE;
	const wanted = Math.max(quick, lookback / 40);
	return STEPS.map(m => m * MINUTE).find(step => step >= wanted && step % quick === 0) || Math.ceil(wanted / quick) * quick;
}

/*
 * One value over all of the time, or lines. Points are at whole minutes, and at
 * multiples of their step: the last one may be yet to come, and is left out of
 * rates, as its time is not over.
 */
function metrics(s, services, byOperation) {
	const lookback = Math.round(lookbackUs(s.lookback) / 1000), now = Date.now(), {step} = s;
	const whole = n => Math.ceil(n / MINUTE) * MINUTE;
	return async (what, isWhole, quantile) => {
		const params = [['quantile', quantile], ['groupByOperation', byOperation],
			['endTs', isWhole ? whole(now) : Math.ceil(now / step) * step], ['lookback', isWhole ? 0 : lookback],
			['step', isWhole ? MINUTE : step], ['ratePer', isWhole ? lookback : step], ['spanKind', s.kind]];
		const answers = await Promise.all(askable(services).map(some =>
			request('api/metrics/' + what, [...some.map(name => ['service', name]), ...params])));
		const all = new Map(answers.flatMap(a => [...readSeries(a, byOperation ? 'operation' : 'service_name', step)]));
		if (!isWhole && what === 'calls')
			all.forEach((points, name) => all.set(name, points.filter(([us]) => us <= now * 1000)));
		return all;
	};
}

const lastOf = points => points && points.length ? points[points.length - 1][1] : null;

/* The rows of a table: name, rate, errors, quantiles and their lines. */
async function readRows(s, services, byOperation) {
	const ask = metrics(s, services, byOperation);
	const [calls, errors, rates, slow, failed, ...latencies] = await Promise.all([ask('calls', true), ask('errors', true),
		ask('calls', false), ask('latencies', false, 0.95), ask('errors', false), ...QUANTILES.map(q => ask('latencies', true, q))]);
	const rows = [...calls].map(([name, points]) => ({name, rate: lastOf(points) || 0, errors: lastOf(errors.get(name)) || 0,
		quantiles: latencies.map(l => lastOf(l.get(name))), rates: rates.get(name) || [], slow: slow.get(name) || [], failed: failed.get(name) || []}));
	const most = Math.max(1e-9, ...rows.map(r => r.rate * r.quantiles[2]));
	for (const r of rows)
		r.impact = r.rate * r.quantiles[2] / most;
	return rows.filter(r => r.rate > 0);
}

/* ---- Tables ---- */

const columnsOf = what => [
	[what, r => r.name],
	['Rate', r => -r.rate], ['Errors', r => -r.errors], ['p50', r => -r.quantiles[0]], ['p75', r => -r.quantiles[1]],
	['p95', r => -r.quantiles[2]], ['Impact', r => -r.impact, 'p95 times rate, of the greatest: where time goes'],
];

function monitorRow(r, times, nameCell) {
	const bar = make('i', {class: 'measure', 'aria-hidden': 'true'}), how = grade(r.errors);
	bar.style.width = r.impact * 100 + '%';
	return make('tr', '', make('td', 'name', nameCell(r)), make('td', 'n', rate(r.rate), spark(r.rates, times)),
		make('td', 'n', make(how ? 'b' : 'span', how, how ? '\u2717 ' : '', percent(r.errors)), spark(r.failed, times)),
		...r.quantiles.map((q, i) => make('td', 'n', q === null ? '\u2013' : millis(q), i === 2 ? spark(r.slow, times) : null)),
		make('td', {class: 'n impact', 'aria-label': percent(r.impact)}, bar));
}

const timesShown = s => [nowUs() - lookbackUs(s.lookback), nowUs()];

/* ---- The view ---- */

async function serviceCharts(s) {
	const times = timesShown(s);
	const ask = metrics(s, [s.service], false);
	const [calls, errors, ...latencies] = await Promise.all([ask('calls', false), ask('errors', false), ...QUANTILES.map(q => ask('latencies', false, q))]);
	const of = map => map.get(s.service) || [...map.values()][0] || [];
	const failed = of(errors);
	return make('div', 'charts', chart('Latency', latencies.map((l, i) => ({name: 'p' + QUANTILES[i] * 100, points: of(l)})).reverse(), times, millis),
		chart('Errors, of all calls', [{name: 'errors', points: failed}], times, percent, Math.min(1, roundUp(Math.max(0.01, ...failed.map(p => p[1] || 0))))),
		chart('Calls', [{name: 'calls', points: of(calls)}], times, rate));
}

async function showMonitor(params) {
	const s = {lookback: params.get('lookback') || '1h', service: params.get('service') || '', kind: params.get('spanKind') || 'server'};
	if (!lookbackUs(s.lookback))
		s.lookback = '1h';
	show('Monitor', waiting('Loading\u2026'));
	command('span-stats', '-s', STORE, '--since', s.lookback, '--kind', s.kind, ...s.service ? ['--service', literal(s.service)] : [],
		'--by', s.service ? 'operation' : 'service', '--quantile', QUANTILES.join(','));
	const names = list(await data('api/services')).map(String).sort();
	const to = change => address('monitor', Object.entries({service: s.service, lookback: s.lookback, spanKind: s.kind, ...change}));
	const tools = make('div', 'tools', make('h1', '', 'Monitor'),
		choice('service', [['', 'all services'], ...names.map(n => [n, n])], s.service, {'aria-label': 'Service', onchange: e => go(to({service: e.target.value}))}),
		make('label', '', 'of the last ', choice('lookback', MONITOR_LOOKBACKS.map(l => [l, l]), s.lookback, {onchange: e => go(to({lookback: e.target.value}))})),
		make('label', '', 'spans of kind ', choice('spanKind', KINDS.map(k => [k, k]), s.kind, {onchange: e => go(to({spanKind: e.target.value}))})));
	if (!names.length)
		return show('Monitor', make('div', 'plain', tools, make('p', 'empty', 'No service has sent spans.')));
	s.step = await stepOf(s);
	const [rows, charts] = await Promise.all([readRows(s, s.service ? [s.service] : names, !!s.service), s.service ? serviceCharts(s) : null]);
	const link = s.service ? r => address('search', [['service', s.service], ['operation', r.name], ['lookback', s.lookback], ['limit', '20']]) :
		r => to({service: r.name});
	tools.append(make('span', {class: 'quiet', id: 'step'}, rows.length ? `a point every ${millis(s.step)}` : ''));
	show('Monitor', make('div', 'plain', tools, rows.length && charts || '', rows.length ? sortable('monitor', columnsOf(s.service ? 'Operation' : 'Service'), rows, 6, r => monitorRow(r, timesShown(s), r => make('a', {href: link(r)}, ...s.service ? [brief(r.name)] : serviceName(r.name)))) :
		make('p', 'empty', `No spans of kind ${s.kind} in this time. Look back further, or at another kind.`),
	askable(names).flat().length < names.length ? make('p', 'quiet', 'Services whose names are of several thousand characters are left out.') : ''));
	say(plural(rows.length, s.service ? 'operation' : 'service'));
}
