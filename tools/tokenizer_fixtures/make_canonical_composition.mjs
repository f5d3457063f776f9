// Writes src/KvTiers.Inference/Tokens/canonical-composition.txt from the Unicode data of the running Node (String.prototype.normalize).
import fs from 'node:fs';

const out = process.argv[2];
const hex = c => c.toString(16).toUpperCase().padStart(4, '0');
const scalars = [];
for (let c = 0; c < 0x110000; c++) if (c < 0xd800 || c > 0xdfff) scalars.push(c);
const isHangul = c => c >= 0xac00 && c <= 0xd7a3;
const str = (...cs) => String.fromCodePoint(...cs);
const nfd = s => [...s.normalize('NFD')].map(x => x.codePointAt(0));
const nfc = s => [...s.normalize('NFC')].map(x => x.codePointAt(0));

// Two marks change places under NFD when the first has the higher class and the second is not a starter.
const swaps = (a, b) => { const r = nfd(str(0x41, a, b)); return r[r.length - 2] === b && r[r.length - 1] === a && a !== b; };
// One known mark of every canonical combining class in use.
const known = { 1: 0x334, 6: 0x16ff0, 7: 0x93c, 8: 0x3099, 9: 0x94d, 10: 0x5b0, 11: 0x5b1, 12: 0x5b2, 13: 0x5b3, 14: 0x5b4, 15: 0x5b5, 16: 0x5b6, 17: 0x5b7,
  18: 0x5b8, 19: 0x5b9, 20: 0x5bb, 21: 0x5bc, 22: 0x5bd, 23: 0x5bf, 24: 0x5c1, 25: 0x5c2, 26: 0xfb1e, 27: 0x64b, 28: 0x64c, 29: 0x64d, 30: 0x64e, 31: 0x64f,
  32: 0x650, 33: 0x651, 34: 0x652, 35: 0x670, 36: 0x711, 84: 0xc55, 91: 0xc56, 103: 0xe38, 107: 0xe48, 118: 0xeb8, 122: 0xec8, 129: 0xf71, 130: 0xf72,
  132: 0xf74, 202: 0x321, 214: 0x1dce, 216: 0x31b, 218: 0x302a, 220: 0x316, 222: 0x59a, 224: 0x302e, 226: 0x1d16d, 228: 0x5ae, 230: 0x301, 232: 0x315,
  233: 0x35c, 234: 0x35d, 240: 0x345 };
const classes = Object.keys(known).map(Number).sort((a, b) => a - b);
for (let i = 0; i + 1 < classes.length; i++)
  if (!swaps(known[classes[i + 1]], known[classes[i]])) throw new Error(`classes ${classes[i]} and ${classes[i + 1]}`);

function combiningClass(c) {
  if (!swaps(known[240], c) && !swaps(c, known[1])) return 0;
  for (const k of classes) if (c === known[k] || (!swaps(c, known[k]) && !swaps(known[k], c))) return k;
  throw new Error(`no class for ${hex(c)}`);
}

const lines = ['# Canonical combining classes (first-last class), canonical compositions (composite=first second) and',
  `# decompositions that never compose (character>parts). Unicode ${process.versions.unicode}. Hangul syllables are computed.`];
let run = null;
for (const c of scalars) {
  const k = isHangul(c) || nfd(str(c)).length > 1 || nfd(str(c))[0] !== c ? 0 : combiningClass(c);
  if (run && run[1] === c - 1 && run[2] === k) { run[1] = c; continue; }
  if (run && run[2]) lines.push(`${hex(run[0])}-${hex(run[1])} ${run[2]}`);
  run = [c, c, k];
}
for (const c of scalars) {
  if (isHangul(c)) continue;
  const parts = nfd(str(c));
  if (parts.length === 1 && parts[0] === c) continue;
  if (nfc(str(c))[0] === c && nfc(str(c)).length === 1) {
    const first = nfc(str(...parts.slice(0, -1)));
    if (first.length !== 1) throw new Error(hex(c));
    lines.push(`${hex(c)}=${hex(first[0])} ${hex(parts.at(-1))}`);
  } else lines.push(`${hex(c)}>${parts.map(hex).join(' ')}`);
}
fs.writeFileSync(out, lines.join('\n') + '\n');
