/*
 * The search as a form, as the address that Jaeger has for it, as TraceQL and
 * as a command.
 */
const LOOKBACKS = ['5m', '15m', '30m', '1h', '2h', '3h', '6h', '12h', '24h', '2d', '7d', '30d'];
const LIMITS = [20, 50, 100, 200, 500, 1000, 1500];

/* "error=true http.status_code=500 "quoted key"="a b"" as pairs, as logfmt has it. */
function readTags(text) {
	const pairs = [];
	const word = String.raw`"(?:[^"\\]|\\.)*"|[^\s="]+`;
	for (const m of text.matchAll(new RegExp(`(${word})(?:=("(?:[^"\\\\]|\\\\.)*"|[^\\s"]*))?`, 'g')))
		pairs.push([unquoted(m[1]), m[2] === undefined ? 'true' : unquoted(m[2])]);
	return pairs;
}

function unquoted(word) {
	const names = {n: '\n', t: '\t', r: '\r'};
	return word[0] === '"' ? word.slice(1, -1).replace(/\\(.)/gs, (all, c) => names[c] || c) : word;
}

const quoted = text => '"' + String(text).replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t')
	.replaceAll('\r', '\\r') + '"';
const logfmt = text => /^[^\s="\\]+$/.test(text) ? text : quoted(text);
const writeTags = pairs => pairs.map(([key, value]) => `${logfmt(key)}=${logfmt(value)}`).join(' ');

/* What an address asks for. */
function readSearch(params) {
	const s = {};
	for (const key of ['q', 'service', 'operation', 'minDuration', 'maxDuration', 'limit', 'lookback', 'start', 'end'])
		s[key] = params.get(key) || '';
	s.tags = [];
	try {
		s.tags = Object.entries(JSON.parse(params.get('tags') || '{}')).map(([k, v]) => [k, textOf(v)]);
	} catch (e) {
		s.tags = readTags(params.get('tags'));
	}
	for (const tag of params.getAll('tag'))
		s.tags.push([tag.split(':')[0], tag.split(':').slice(1).join(':')]);
	s.ids = params.getAll('traceID');
	s.limit = s.limit || '20';
	s.lookback = s.lookback || (s.start ? 'custom' : '1h');
	return s;
}

/* Microseconds; a lookback that is not custom counts back from the end. */
function timesOf(s) {
	const end = +s.end || nowUs();
	return [+s.start || end - (lookbackUs(s.lookback) || 3600e6), end];
}

const tagsJson = tags => tags.length ? JSON.stringify(Object.fromEntries(tags)) : '';

function searchParams(s) {
	return [['q', s.q], ['service', s.service], ['operation', s.operation], ['tags', tagsJson(s.tags)],
		['minDuration', s.minDuration], ['maxDuration', s.maxDuration], ['limit', s.limit],
		['lookback', s.lookback], ['start', s.start], ['end', s.end]];
}

/* A key in TraceQL, which has names of its own for what is no attribute. */
const attribute = key => /^[\w.-]+$/.test(key) ? '.' + key : '.' + quoted(key);

function traceql(s) {
	const all = s.tags.map(([key, value]) => key === 'error' && value === 'true' ? 'status = error' :
		`${attribute(key)} = ${/^(true|false|-?\d+(\.\d+)?)$/.test(value) ? value : quoted(value)}`);
	if (s.service)
		all.unshift(`resource.service.name = ${quoted(s.service)}`);
	if (s.operation)
		all.push(`name = ${quoted(s.operation)}`);
	if (s.minDuration)
		all.push(`duration >= ${s.minDuration}`);
	if (s.maxDuration)
		all.push(`duration <= ${s.maxDuration}`);
	return all.length ? `{ ${all.join(' && ')} }` : '{}';
}

function searchCommand(s) {
	const words = ['span-query', '-s', STORE];
	const add = (option, value) => value && words.push(option, value);
	s.ids.forEach(id => add('--trace-id', id));
	if (s.ids.length)
		return [...words, '-o', 'table'];
	if (s.lookback === 'custom') {
		add('--since', s.start && '@' + s.start / 1e6);
		add('--until', s.end && '@' + s.end / 1e6);
	} else {
		add('--since', s.lookback);
	}
	add('--service', s.service && literal(s.service));
	add('--operation', s.operation && literal(s.operation));
	add('--tag', writeTags(s.tags));
	add('--min-duration', s.minDuration);
	add('--max-duration', s.maxDuration);
	words.push('--limit', s.limit, '-o', 'table');
	if (s.q)
		words.push('-e', s.q);
	return words;
}

/* span-query(1) takes names as globs, too. */
const literal = name => /[*?[\\]/.test(name) || name[0] === '~' ? name.replace(/[*?[\\]|^~/g, '\\$&') : name;

/* ---- The form ---- */

const field = (label, input, hint) => make('label', 'field', make('span', '', label), input, hint && make('small', '', hint));

function choice(name, values, chosen, more) {
	const e = make('select', {name, ...more});
	setChoices(e, values, chosen);
	return e;
}

function setChoices(e, values, chosen) {
	e.replaceChildren();
	for (const [value, text] of values)
		e.append(make('option', {value, title: text.length > 60 ? visible(text).slice(0, 1000) : null}, brief(text, 60)));
	if (!values.some(([value]) => value === chosen))
		e.append(make('option', {value: chosen}, brief(chosen, 60)));
	/* A value as it is, not as it is shown. */
	[...e.options].forEach((o, i) => o.value = i < values.length ? values[i][0] : chosen);
	e.value = chosen;
}

/* Other names, or none; what is chosen stays. */
const offer = (e, none, names) => setChoices(e, [['', none], ...names.map(n => [n, n])], e.value);

const inputFor = (name, value, more) => {
	const e = make('input', {name, autocomplete: 'off', spellcheck: 'false', ...more});
	e.value = value;
	return e;
};

/* datetime-local has neither zone nor microseconds. */
const localTime = us => us ? moment(us, 0).replace(' ', 'T') : '';

function fromLocal(text) {
	const us = Date.parse(text + (remembered('zone') === 'UTC' ? 'Z' : '')) * 1000;
	return isNaN(us) ? '' : String(us);
}

const rfc3339 = us => new Date(us / 1000).toISOString().slice(0, 19) + '.' + String(Math.floor(us) % 1e6).padStart(6, '0') + 'Z';

function searchForm(s, submit) {
	const custom = make('div', {class: 'pair', hidden: s.lookback !== 'custom'},
		field(`From, ${zone(nowUs())}`, inputFor('start', localTime(+s.start), {type: 'datetime-local', step: 1})),
		field(`To, ${zone(nowUs())}`, inputFor('end', localTime(+s.end), {type: 'datetime-local', step: 1})));
	const expression = make('textarea', {name: 'q', rows: 3, class: 'code', spellcheck: 'false', placeholder: '{ duration > 1s && status = error }',
		onkeydown: e => {
			if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) {
				e.preventDefault();
				form.requestSubmit();
			}
		}});
	expression.value = s.q;
	const form = make('form', {id: 'search', 'aria-label': 'Search'},
		field('Service', choice('service', [['', 'all services']], s.service)),
		field('Operation', choice('operation', [['', 'all operations']], s.operation)),
		field('Tags', inputFor('tags', writeTags(s.tags), {placeholder: 'error http.status_code=500'})),
		make('div', 'pair', field('Min duration', inputFor('minDuration', s.minDuration, {placeholder: '1.2s, 100ms, 500us'})),
			field('Max duration', inputFor('maxDuration', s.maxDuration, {placeholder: '1h30m'}))),
		make('div', 'pair', field('Lookback', choice('lookback', [...LOOKBACKS.map(l => [l, 'last ' + l]), ['custom', 'from ... to']], s.lookback,
			{onchange: e => custom.hidden = e.target.value !== 'custom'})),
			field('Traces, at most', choice('limit', LIMITS.map(n => [String(n), String(n)]), s.limit))),
		custom,
		field('TraceQL', expression, 'and all of the above'),
		make('div', 'buttons', make('button', {class: 'main'}, 'Find traces'),
			button('As TraceQL', () => toTraceql(form), {title: 'Write all of the above in TraceQL'})));
	const {service, operation} = form.elements;
	const ask = async () => {
		const of = service.value, names = of ? operationNames(await data('api/operations', [['service', of]]).catch(() => [])) : [];
		if (of === service.value)
			offer(operation, 'all operations', names);
	};
	service.addEventListener('change', () => {
		setChoices(operation, [['', 'all operations']], '');
		ask();
	});
	form.addEventListener('input', () => form.typed = true);
	form.addEventListener('submit', e => {
		e.preventDefault();
		submit(readForm(form));
	});
	ask();
	return form;
}

function toTraceql(form) {
	const e = form.elements;
	e.q.value = traceql(readForm(form));
	for (const name of ['service', 'operation', 'tags', 'minDuration', 'maxDuration'])
		e[name].value = '';
	e.q.focus();
}

const operationNames = all => [...new Set(list(all).map(o => typeof o === 'string' ? o : String(o.name)))].sort();

function readForm(form) {
	const text = name => form.elements[name] ? form.elements[name].value.trim() : '';
	const s = {lookback: text('lookback'), limit: text('limit'), q: text('q'), tags: readTags(text('tags')), ids: []};
	s.service = form.elements.service.value;
	s.operation = form.elements.operation.value;
	s.minDuration = text('minDuration');
	s.maxDuration = text('maxDuration');
	s.end = s.lookback === 'custom' ? fromLocal(text('end')) : String(nowUs());
	s.start = s.lookback === 'custom' ? fromLocal(text('start')) : String(s.end - lookbackUs(s.lookback));
	return s;
}
