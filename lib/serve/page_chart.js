/*
 * Lines over time, small. Lines differ by their dashes, too, and have their
 * name at the end.
 */
const DASHES = ['none', '6 3', '2 3'];

/* A round number from N up. */
function roundUp(n) {
	if (!(n > 0))
		return 1;
	const unit = 10 ** Math.floor(Math.log10(n));
	return [1, 2, 2.5, 5, 10].find(k => k * unit >= n * 0.9999) * unit;
}

/* LINES [{name, points: [[us, value or null]]}] between TIMES; FORMAT of a value. */
function chart(title, lines, [first, last], format, most) {
	const w = 420, h = 150, left = 58, right = 44, bottom = 18, top = 10;
	const known = lines.flatMap(l => l.points).filter(p => p[1] !== null);
	const svg = draw('svg', {class: 'chart', viewBox: `0 0 ${w} ${h}`, role: 'img', 'aria-label': title});
	const figure = make('figure', '', make('figcaption', '', title), svg);
	if (!known.length) {
		svg.append(draw('text', {class: 'quiet', x: w / 2, y: h / 2, 'text-anchor': 'middle'}, 'nothing in this time'));
		return figure;
	}
	const high = most || roundUp(Math.max(...known.map(p => p[1])));
	const x = us => left + (w - left - right) * (us - first) / (last - first || 1), y = v => h - bottom - (h - bottom - top) * Math.min(1, v / high);
	for (let k = 0; k <= 2; k++)
		svg.append(draw('line', {x1: left, x2: w - right, y1: y(high * k / 2), y2: y(high * k / 2)}),
			draw('text', {x: left - 5, y: y(high * k / 2) + 3.5, 'text-anchor': 'end'}, format(high * k / 2)));
	for (const [us, text] of clockMarks(first, last, 4))
		svg.append(draw('line', {x1: x(us), x2: x(us), y1: h - bottom, y2: h - bottom + 4}), draw('text', {x: x(us), y: h - 4, 'text-anchor': 'middle'}, text));
	const ends = [];
	lines.forEach((l, i) => {
		svg.append(draw('path', {class: 'line l' + i, d: lineOf(l.points, x, y), 'stroke-dasharray': DASHES[i]}));
		const end = l.points.findLast(p => p[1] !== null);
		if (end && lines.length > 1)
			ends.push([l.name, y(end[1])]);
	});
	apart(ends, h - bottom).forEach(([name, at]) => svg.append(draw('text', {x: w - right + 4, y: at + 3.5}, name)));
	columns(svg, lines, x, (w - left - right) / 40, h - bottom, format);
	return figure;
}

/* Where there is no value there is no line; one alone is a ring. */
function lineOf(points, x, y) {
	let d = '', gap = true;
	points.forEach(([us, v], i) => {
		if (v !== null)
			d += `${gap ? 'M' : 'L'}${x(us).toFixed(1)} ${y(v).toFixed(1)}` + (gap && (!points[i + 1] || points[i + 1][1] === null) ? 'm-2 0a2 2 0 1 0 4 0a2 2 0 1 0 -4 0' : '');
		gap = v === null;
	});
	return d;
}

/* Labels that stand neither on each other nor below LOWEST. */
function apart(labels, lowest) {
	labels.sort((a, b) => a[1] - b[1]);
	for (let i = 1; i < labels.length; i++)
		labels[i][1] = Math.max(labels[i][1], labels[i - 1][1] + 11);
	for (let i = labels.length - 1, low = lowest; i >= 0; i--, low -= 11)
		labels[i][1] = Math.min(labels[i][1], low);
	return labels;
}

/* What the pointer is over is told. */
function columns(svg, lines, x, width, height, format) {
	lines[0].points.forEach(([us], i) => {
		const values = lines.map(l => l.points[i] && l.points[i][1] !== null ? `${l.name}: ${format(l.points[i][1])}` : null).filter(t => t);
		if (values.length)
			svg.append(draw('rect', {class: 'column', x: x(us) - width / 2, y: 0, width, height}, draw('title', null, `${moment(us, 0)}\n${values.join('\n')}`)));
	});
}

function spark(points, [first, last]) {
	const w = 90, h = 20, known = points.filter(p => p[1] !== null);
	const svg = draw('svg', {class: 'spark', viewBox: `0 0 ${w} ${h}`, width: w, height: h, 'aria-hidden': 'true'});
	if (known.length) {
		const high = Math.max(...known.map(p => p[1])) || 1;
		svg.append(draw('path', {class: 'line l0', d: lineOf(points, us => 1 + (w - 2) * (us - first) / (last - first || 1), v => h - 3 - (h - 6) * v / high)}));
	}
	return svg;
}
