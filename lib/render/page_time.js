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
