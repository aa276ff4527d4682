'use strict';
/*
 * What the page of trace-view(1) and that of span-serve(1) say alike, and
 * terminals too: durations and numbers of things.
 */
/* Half up, as span_text_duration() has it: the page says what a terminal does. */
const rounded = (ns, unit) => Math.floor(ns / unit) + (ns % unit >= unit / 2);

function threeDigits(ns) {
	for (let digits = 0, last = 10; ; digits++, last *= 10) {
		const n = rounded(ns, last), decimals = 2 - digits % 3;
		if (n < 1000)
			return (n / 10 ** decimals).toFixed(decimals) + ['us', 'ms', 's'][Math.floor(digits / 3)];
	}
}

function twoUnits(ns, small, n, big, little) {
	const count = rounded(ns, small), rest = count % n;
	return Math.floor(count / n) + big + (rest ? rest + little : '');
}

function duration(ns) {
	if (ns < 1000)
		return ns === 0 ? '0' : ns + 'ns';
	if (rounded(ns, 1e8) < 600)
		return threeDigits(ns);
	if (rounded(ns, 1e9) < 3600)
		return twoUnits(ns, 1e9, 60, 'm', 's');
	if (rounded(ns, 6e10) < 1440)
		return twoUnits(ns, 6e10, 60, 'h', 'm');
	if (rounded(ns, 36e11) < 24000)
		return twoUnits(ns, 36e11, 24, 'd', 'h');
	return rounded(ns, 864e11) + 'd';
}

const offset = ns => (ns < 0 ? '-' : '+') + duration(Math.abs(ns));
const plural = (n, what) => n.toLocaleString('en') + ' ' + what + (n === 1 ? '' : 's');

/* ---- Axes: marks at round times ---- */

const CLOCK = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400]; /* s */

/* The shortest round time, in ns, that is not shorter. */
function roundTime(ns) {
	const day = 864e11, s = CLOCK.find(s => s * 1e9 >= ns);
	if (ns > 5e8 && s)
		return s * 1e9;
	const unit = ns > day ? day : 1, tens = 10 ** Math.floor(Math.log10(Math.max(1, ns / unit)));
	return [1, 2, 5, 10].find(n => n * tens * unit >= ns * 0.999999) * tens * unit;
}

/* Where the axis of FROM to TO, in ns, has up to MOST marks. */
function marksOf(from, to, most) {
	const step = roundTime((to - from) / most), all = [];
	for (let at = Math.ceil(from / step) * step; at <= to && all.length <= most; at += step)
		all.push(at);
	return {step, all};
}

/* A mark as short as it tells marks STEP apart from each other: 1.25s, 2m. */
function markText(ns, step) {
	const [unit, name] = ns < 1e3 ? [1, 'ns'] : ns < 1e6 ? [1e3, 'us'] : ns < 1e9 ? [1e6, 'ms'] : [1e9, 's'];
	const short = (n, unit) => String(+(n / unit).toFixed(Math.max(0, Math.round(Math.log10(unit / step) + 0.49))));
	if (ns < 6e10)
		return ns === 0 ? '0' : short(ns, unit) + name;
	if (step >= 1e9)
		return duration(ns);
	const rest = ns % 6e10;
	return duration(ns - rest) + (rest ? short(rest, 1e9) + 's' : '');
}
