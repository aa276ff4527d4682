/*
 * The colour of a service is the one that terminals give it: XXH3 of its name,
 * modulo 12. The way of each length up to 128 bytes is written out here after
 * the specification of xxHash; of longer names the first 128 bytes count.
 */
const COLOURS = 12n;
const SECRET = new DataView(Uint8Array.from((
	'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f' +
	'cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c' +
	'3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8' +
	'a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364')
	.match(/../g), h => parseInt(h, 16)).buffer);

const bits = n => BigInt.asUintN(64, n);
const rotated = (n, by) => bits(n << by) | n >> 64n - by;
const secret = at => SECRET.getBigUint64(at, true);

function folded128(a, b) {
	const product = a * b;
	return bits(product) ^ product >> 64n;
}

function avalanche(h) {
	h = bits((h ^ h >> 37n) * 0x165667919e3779f9n);
	return h ^ h >> 32n;
}

function avalanche64(h) {
	h = bits((h ^ h >> 33n) * 0xc2b2ae3d27d4eb4fn);
	h = bits((h ^ h >> 29n) * 0x165667b19e3779f9n);
	return h ^ h >> 32n;
}

function upTo16(of, len) {
	if (len > 8) {
		const low = of.getBigUint64(0, true) ^ secret(24) ^ secret(32);
		const high = of.getBigUint64(len - 8, true) ^ secret(40) ^ secret(48);
		const swapped = new DataView(new ArrayBuffer(8));
		swapped.setBigUint64(0, low, true);
		return avalanche(bits(BigInt(len) + swapped.getBigUint64(0) + high + folded128(low, high)));
	}
	if (len > 3) {
		const mixed = bits(BigInt(of.getUint32(len - 4, true)) + (BigInt(of.getUint32(0, true)) << 32n));
		let h = mixed ^ secret(8) ^ secret(16);
		h = bits((h ^ rotated(h, 49n) ^ rotated(h, 24n)) * 0x9fb21c651e98df25n);
		h = bits((h ^ bits((h >> 35n) + BigInt(len))) * 0x9fb21c651e98df25n);
		return h ^ h >> 28n;
	}
	if (!len)
		return avalanche64(secret(56) ^ secret(64));
	const all = (of.getUint8(0) << 16 | of.getUint8(len >> 1) << 24 | of.getUint8(len - 1) | len << 8) >>> 0;
	return avalanche64(BigInt((all ^ SECRET.getUint32(0, true) ^ SECRET.getUint32(4, true)) >>> 0));
}

function upTo128(of, len) {
	const mix = (at, s) => folded128(of.getBigUint64(at, true) ^ secret(s), of.getBigUint64(at + 8, true) ^ secret(s + 8));
	let h = bits(BigInt(len) * 0x9e3779b185ebca87n);
	for (let i = (len - 1 >> 5); i >= 0; i--)
		h = bits(h + mix(16 * i, 32 * i) + mix(len - 16 * (i + 1), 32 * i + 16));
	return avalanche(h);
}

const colours = new Map();
let lentColours = new Map(); /* to services of a trace whose own is taken */

function usualColour(service) {
	let colour = colours.get(service);
	if (colour === undefined) {
		const bytes = new TextEncoder().encode(service).slice(0, 128);
		const of = new DataView(bytes.buffer);
		colour = Number((bytes.length > 16 ? upTo128 : upTo16)(of, bytes.length) % COLOURS);
		colours.set(service, colour);
	}
	return colour;
}

const colourOf = service => lentColours.get(service) ?? usualColour(service);

/* Of SERVICES, up to 12, no two have one colour: the first of those that share one keeps it. */
function tellApart(services) {
	const taken = new Set(), others = [];
	for (const service of services)
		if (taken.has(usualColour(service)))
			others.push(service);
		else
			taken.add(usualColour(service));
	const free = [...Array(Number(COLOURS)).keys()].filter(c => !taken.has(c));
	lentColours = new Map(others.slice(0, free.length).map((service, i) => [service, free[i]]));
}
