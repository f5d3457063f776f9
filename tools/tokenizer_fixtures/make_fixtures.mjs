// Trains small tokenizers and records what the reference implementation makes of many strings. See README.md.
import fs from 'node:fs';
import path from 'node:path';
import { createHash } from 'node:crypto';
import reference from '@anush008/tokenizers';
import { Tokenizer as JsTokenizer } from '@huggingface/tokenizers';
import { markSequence, random, sentences, strings } from './text.mjs';

const folder = process.argv[2];
const gpt2 = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
const qwen2 = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const llama3 = qwen2.replace('|\\p{N}|', '|\\p{N}{1,3}|');
const split = (regex, behavior = 'Isolated', invert = false) => ({ type: 'Split', pattern: { Regex: regex }, behavior, invert });
const byteLevel = (use_regex, add_prefix_space = false) => ({ type: 'ByteLevel', add_prefix_space, trim_offsets: true, use_regex });
const sequence = (...pretokenizers) => ({ type: 'Sequence', pretokenizers });
const added = (content, flags = {}) => ({ content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true, ...flags });
const template = (single, ids) => ({
  type: 'TemplateProcessing', single, pair: [...single, { Sequence: { id: 'B', type_id: 1 } }],
  special_tokens: Object.fromEntries(Object.entries(ids).map(([id, value]) => [id, { id, ids: [value], tokens: [id] }])),
});
const A = { Sequence: { id: 'A', type_id: 0 } };
const token = id => ({ SpecialToken: { id, type_id: 0 } });

const alphabet = reference.byteLevelAlphabet();
const printable = c => (c >= 33 && c <= 126) || (c >= 161 && c <= 172) || c >= 174;
const order = [...alphabet].sort((a, b) => (printable(b.codePointAt(0)) - printable(a.codePointAt(0))) || (a < b ? -1 : 1));

function build({ pre_tokenizer, normalizer = null, post_processor = null, size, ignore_merges = false, whole = [], pairs = false, addedTokens }) {
  const empty = { version: '1.0', truncation: null, padding: null, added_tokens: [], normalizer, pre_tokenizer, post_processor: null, decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: false, byte_fallback: false, ignore_merges, vocab: {}, merges: [] } };
  const cutter = reference.Tokenizer.fromString(JSON.stringify({ ...empty, model: { ...empty.model, vocab: { a: 0 } } })).getPreTokenizer();
  const counts = new Map();
  for (const sentence of sentences)
    for (const [word] of cutter.preTokenizeString(sentence)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const words = [...counts].map(([word, n]) => [[...word], n]);
  const vocab = Object.fromEntries(order.map((c, i) => [c, i]));
  const merges = [];
  while (Object.keys(vocab).length < size) {
    const pairCounts = new Map();
    for (const [parts, n] of words)
      for (let i = 0; i + 1 < parts.length; i++) {
        const key = parts[i] + ' ' + parts[i + 1];
        pairCounts.set(key, (pairCounts.get(key) ?? 0) + n);
      }
    if (pairCounts.size === 0) break;
    const [best] = [...pairCounts].reduce((x, y) => (y[1] > x[1] || (y[1] === x[1] && y[0] < x[0]) ? y : x));
    const [left, right] = best.split(' ');
    merges.push(pairs ? [left, right] : best);
    vocab[left + right] ??= Object.keys(vocab).length;
    for (const entry of words) {
      const parts = entry[0], merged = [];
      for (let i = 0; i < parts.length; i++)
        if (parts[i] === left && parts[i + 1] === right) { merged.push(left + right); i++; } else merged.push(parts[i]);
      entry[0] = merged;
    }
  }
  for (const word of whole) for (const [piece] of cutter.preTokenizeString(word)) vocab[piece] ??= Object.keys(vocab).length;
  let id = Object.keys(vocab).length;
  const added_tokens = addedTokens.map(t => ({ id: vocab[t.content] ?? id++, ...t }));
  const ids = Object.fromEntries(added_tokens.map(t => [t.content, t.id]));
  return { ...empty, added_tokens, post_processor: post_processor?.(ids) ?? null, model: { ...empty.model, vocab, merges } };
}

const tokenizers = {
  gpt2: build({ pre_tokenizer: byteLevel(true), size: 1000, addedTokens: [added('<|endoftext|>')], post_processor: () => ({ ...byteLevel(true), trim_offsets: false }) }),
  'gpt2-prefix-space': build({ pre_tokenizer: byteLevel(true, true), size: 700, addedTokens: [added('<|endoftext|>', { lstrip: true }), added('<both>', { lstrip: true, rstrip: true, special: false })],
    post_processor: ids => template([token('<|endoftext|>'), A, token('<|endoftext|>')], ids) }),
  llama3: build({ pre_tokenizer: sequence(split(llama3), byteLevel(false)), size: 1200, ignore_merges: true, pairs: true,
    whole: ['camelCaseWord', ' supercalifragilisticexpialidocious', '𠮷野家', '123', '<left>', '\n\n \n'],
    addedTokens: [added('<|begin_of_text|>'), added('<|eot_id|>'), added('<|im_start|>'), added('<|im_end|>')],
    post_processor: ids => ({ type: 'Sequence', processors: [{ ...byteLevel(true), trim_offsets: false }, template([token('<|begin_of_text|>'), A], ids)] }) }),
  qwen2: build({ pre_tokenizer: sequence(split(qwen2, 'Removed', true), byteLevel(false)), normalizer: { type: 'NFC' }, size: 1200,
    addedTokens: [added('<|endoftext|>'), added('<|im_start|>'), added('<|im_end|>'), added('<tool_call>', { special: false }), added('<tool_call><tool_call>', { special: false }),
      added('<left>', { lstrip: true }), added('<right>', { rstrip: true }), added('word', { single_word: true, special: false, normalized: true }), added('<cafe\u0301>', { special: false, normalized: true })],
    post_processor: () => byteLevel(false) }),
  smollm: build({ pre_tokenizer: sequence({ type: 'Digits', individual_digits: true }, byteLevel(true)), size: 900, addedTokens: [added('<|endoftext|>'), added('<|im_start|>'), added('<|im_end|>')] }),
  mixed: build({ pre_tokenizer: sequence(split(gpt2), { type: 'Digits', individual_digits: false }, byteLevel(false)), normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }] }, size: 800,
    addedTokens: [added('<|im_end|>'), added('the', { special: false, single_word: true, lstrip: true })] }),
};

fs.mkdirSync(folder, { recursive: true });
const texts = strings(1500, 20261);
fs.writeFileSync(path.join(folder, 'strings.json'), ascii(JSON.stringify(texts).replaceAll('","', '",\n"')) + '\n');
for (const [name, definition] of Object.entries(tokenizers)) {
  const room = path.join(folder, name);
  fs.mkdirSync(room, { recursive: true });
  fs.writeFileSync(path.join(room, 'tokenizer.json'), JSON.stringify(definition) + '\n');
  const rust = reference.Tokenizer.fromFile(path.join(room, 'tokenizer.json'));
  const js = new JsTokenizer(structuredClone(definition), {});
  const encoded = [], differs = [];
  for (const text of texts) {
    const ids = (await rust.encode(text)).getIds();
    encoded.push(ids);
    if (JSON.stringify(ids) !== JSON.stringify([...js.encode(text).ids])) differs.push(text);
  }
  const next = random(7);
  const size = rust.getVocabSize(true), decoded = [];
  for (let i = 0; i < 150; i++) {
    const ids = Array.from({ length: 1 + next(12) }, () => next(next(2) ? size : 256));
    decoded.push([ids, await rust.decode(ids, true)]);
  }
  fs.writeFileSync(path.join(room, 'expected.json'), `{"encoded":[\n${encoded.map(x => JSON.stringify(x)).join(',\n')}\n],"decoded":[\n${decoded.map(x => ascii(JSON.stringify(x))).join(',\n')}\n]}\n`);
  console.log(`${name}: ${size} tokens, ${texts.length} strings, ${encoded.flat().length} ids; the JavaScript implementation differs on ${differs.length}`);
  for (const text of differs.slice(0, 4)) console.log('   ', ascii(JSON.stringify(text)));
}

// Form C of every scalar and of random sequences of marks, as digests.
const nfc = reference.nfcNormalizer();
const digest = createHash('sha256');
for (let c = 0; c < 0x110000; c++) if (c < 0xd800 || c > 0xdfff) digest.update(nfc.normalizeString(String.fromCodePoint(c)) + '\n');
const next = random(11), samples = createHash('sha256');
for (let i = 0; i < 100000; i++) samples.update(nfc.normalizeString(markSequence(next)) + '\n');
fs.writeFileSync(path.join(folder, 'nfc.json'), JSON.stringify({ scalars: digest.digest('hex'), seed: 11, sequences: 100000, samples: samples.digest('hex') }) + '\n');

// The classes that the patterns use, as ranges of scalars.
const classes = {};
for (const [name, regex] of Object.entries({ letter: '\\p{L}', number: '\\p{N}', space: '\\s' })) {
  const matcher = reference.Tokenizer.fromString(JSON.stringify({ ...tokenizers.gpt2, pre_tokenizer: split(regex) })).getPreTokenizer();
  const ranges = classes[name] = [];
  for (let c = 0; c < 0x110000; c++) {
    if ((c >= 0xd800 && c <= 0xdfff) || matcher.preTokenizeString(`-${String.fromCodePoint(c)}-`).length === 1) continue;
    if (ranges.at(-1)?.[1] === c - 1) ranges.at(-1)[1] = c; else ranges.push([c, c]);
  }
}
fs.writeFileSync(path.join(folder, 'classes.json'), JSON.stringify(classes) + '\n');

function ascii(json) {
  return json.replace(/[^\x20-\x7e\n]/g, c => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));
}
