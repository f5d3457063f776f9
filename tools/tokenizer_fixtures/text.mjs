// Deterministic text: sentences to train on, and awkward strings to test with.

export function random(seed) {
  let state = BigInt(seed);
  // 64-bit linear congruential generator, the upper bits; the C# tests run the same one.
  return bound => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number((state >> 33n) % BigInt(bound));
  };
}

export const sentences = [
  'The cache keeps the keys and values of every token, so the next turn computes only what is new.',
  "I'm sure they'll say it's what we've got; you'd better not, she's sure he'll've seen 'em.",
  "DON'T SHOUT. IT'S FINE, WE'LL SEE, THEY'RE HERE, I'VE 1234567 REASONS AND I'D SAY SO.",
  'My name is Tamara, I live in Porto, and my cat is called Biscuit. What is my name?',
  'for (int i = 0; i < 10; i++) {\n    sum += values[i] * 2.5e-3; // running total\n}\n',
  'def render(messages, add_generation_prompt=True):\r\n\treturn "\\n".join(m["content"] for m in messages)\r\n',
  'SELECT name, COUNT(*) FROM orders WHERE price >= 19.99 GROUP BY name ORDER BY 2 DESC;',
  'Les élèves français ont mangé des crêpes à Noël, où l\'été était déjà fini. Ça va ?',
  'Die Straße führt über die Brücke; größere Häuser stehen am Fluß, und Öl ist teuer.',
  'El niño comió piñas en la montaña. ¿Cuándo volverá? ¡Mañana por la mañana!',
  'Zażółć gęślą jaźń. Příliš žluťoučký kůň úpěl ďábelské ódy. Árvíztűrő tükörfúrógép.',
  'Быстрая коричневая лиса прыгает через ленивую собаку. Это всё, что я знаю.',
  'Η γρήγορη καφέ αλεπού πηδάει πάνω από το τεμπέλικο σκυλί. Τι κάνεις;',
  'השועל החום המהיר קופץ מעל הכלב העצלן. שָׁלוֹם עֲלֵיכֶם.',
  'الثعلب البني السريع يقفز فوق الكلب الكسول. السَّلَامُ عَلَيْكُمْ ١٢٣٤٥',
  'तेज़ भूरी लोमड़ी आलसी कुत्ते के ऊपर कूदती है। क्षत्रिय १२३४',
  'দ্রুত বাদামী শিয়াল অলস কুকুরের উপর লাফ দেয়।',
  'வேகமான பழுப்பு நரி சோம்பேறி நாயின் மேல் குதிக்கிறது.',
  'สุนัขจิ้งจอกสีน้ำตาลกระโดดข้ามสุนัขขี้เกียจ ๑๒๓',
  '敏捷的棕色狐狸跳过了懒狗。缓存保存每个词元的键和值。',
  '素早い茶色の狐がのろまな犬を飛び越える。カタカナとひらがな。ﾊﾝｶｸ',
  '다람쥐 헌 쳇바퀴에 타고파. 키스의 고유조건은 입술끼리 만나야 하고.',
  'სწრაფი ყავისფერი მელა. Արագ շագանակագույն աղվեսը։ የፈጠነ ቡናማ ቀበሮ።',
  'Con cáo nâu nhanh nhẹn nhảy qua con chó lười biếng. Tiếng Việt có nhiều dấu.',
  '🙂 😀 👍🏽 👩‍👩‍👧‍👦 🏳️‍🌈 🇵🇹🇯🇵 ❤️ 1️⃣ 🧑🏿‍💻 🎉🎉🎉',
  'x² + y³ = z₁ ⅔ Ⅷ ① ½ ∑∫≠≤ → ⇒ € £ ¥ “quoted” ‘single’ — en–dash … «guillemets»',
];

const fragments = [
  ...sentences.flatMap(s => s.split(/(?<= )/)), "'s", "'S", "'ſ", "'t", "'RE", "'Ve", "'ll", "'LL", "'lL", "'m", "'D", "'", "''", "'x", "’s",
  ' ', '  ', '   ', '       ', '\t', '\t\t', '\n', '\n\n', '\r\n', '\r\n\r\n', '\r', ' \n', '\n ', ' \n \n  ', '\u000b', '\u000c', '\u0085', '\u00a0', '\u1680', '\u180e',
  '\u2000', '\u2003', '\u2007', '\u200a', '\u200b', '\u200c', '\u200d', '\u2028', '\u2029', '\u202f', '\u205f', '\u2060', '\u3000', '\ufeff', '\u00ad', '\u0000', '\u0001', '\u0007', '\u001b', '\u001c',
  '\u001f', '\u007f', '\u0080', '\u009f', '\ufffd', '\ufffe', '\ufdd0', '\ue000', '\u{f0000}', '\u{10ffff}', '\u0378', '\u{1fffe}',
  '0', '1', '12', '123', '1234', '12345678901', '3.14159', '1,000,000', '٣٤٥', '१२', '²³', '½', 'Ⅻ', '①②③', '𝟘𝟙𝟚𝟛', '𝟏𝟐', '𐒠𐒡', '🄀', '〇', '一二三', '1️⃣',
  'e\u0301', 'é', 'A\u030a', 'Å', '\u212b', '\u1e9b\u0323', 'q\u0307\u0323', '\u0344', '\u0958', '\u0915\u093c', '\u1100\u1161\u11a8', '가\u11a8', '각', '\u0301', '\u0300\u0316a\u0316\u0300', 'ﬁ', '\ufb1d', '\u2126', 'Ω',
  'o\u0302\u0301', '\u{1d15e}', '\u{1d157}\u{1d165}', '\u0f73', '\u{11099}\u{110ba}', 'z\u0335\u0321\u0353\u0301\u0302\u0303\u0304',
  '𠀀𠀁', '𠮷野家', '𪜶', '𫝀', '𰀀', '𝒜𝓃𝑒𝓌', '𝕳𝖊𝖑𝖑𝖔', '𝔘𝔫𝔦', '𐍈𐌰', '𐐨𐐀', '𓀀𓂀', '𞤀𞤢', 'ꟿ', 'ǅ', 'ʰ', 'ª', 'º', 'ⅷ', 'Ⓐ', '🄰', '𛀀',
  '😀', '👍🏽', '👩‍👩‍👧‍👦', '🏳️‍🌈', '🇵🇹🇯🇵🇺', '❤️', '❤', '🧑🏿‍💻', '☺', '🫠', '⛄️', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🀄', '♂️',
  '!', '!!', '?!', '...', '…', '---', '——', '***', '#', '##', '$', '$$', '%', '&&', '||', '=>', '->', '::', '://', '</p>', '<', '>', '<|', '|>', '{}', '[]', '()', '();\n', '{\n', '"', '\\', '/', '@', '_', '__init__', '~', '`', '```\n', '^', '+', '=', '==',
  'a', 'A', 'the', ' the', 'The', 'THE', 'camelCaseWord', 'snake_case_word', 'kebab-case', 'x1y2z3', 'http://example.com/a?b=c&d=%20', 'user@example.com', 'naïve', 'ẞß', 'İıIi', 'ﾊﾟ', 'ぱ', 'は\u309a', 'ஸ்ரீ', 'ক্ষ',
  '<|endoftext|>', '<|im_start|>', '<|im_end|>', '<|begin_of_text|>', '<|eot_id|>', '<tool_call>', '<left>', '<right>', '<both>', 'word', 'words', '<caf\u00e9>', '<cafe\u0301>', '<|im_', 'start|>', '<<|im_end|>>', '<|im_start', '<tool_call><tool_call>',
];

export function strings(count, seed) {
  const next = random(seed);
  const pick = list => list[next(list.length)];
  const made = new Set(['', ' ', '\n', ...sentences, ...fragments]);
  const longRuns = [' '.repeat(70) + 'x', '\n'.repeat(60), 'a'.repeat(150), '🙂'.repeat(40), 'é'.repeat(90), 'e\u0301'.repeat(40), '1'.repeat(100), '-'.repeat(120), ' \n'.repeat(45), '字'.repeat(70),
    'thethethe'.repeat(20), 'supercalifragilisticexpialidocious'.repeat(5), '\t'.repeat(65) + '\r\n', "'s".repeat(50), 'Ā'.repeat(64) + 'a'.repeat(64), '<|im_start|>'.repeat(8)];
  longRuns.forEach(s => made.add(s));
  while (made.size < count) {
    const kind = next(10);
    let s = '';
    if (kind < 5) for (let n = 1 + next(8); n > 0; n--) s += pick(fragments);
    else if (kind < 7) for (let n = 1 + next(6); n > 0; n--) s += pick(fragments) + pick([' ', '', '\n', '  ']);
    else if (kind < 8) { const t = [...pick(sentences)]; const from = next(t.length); s = t.slice(from, from + 1 + next(30)).join(''); }
    else if (kind < 9) for (let n = 1 + next(12); n > 0; n--) s += scalar(next);
    else for (let n = 1 + next(10); n > 0; n--) s += String.fromCharCode(next(128));
    made.add(s);
  }
  return [...made];
}

// A random Unicode scalar, the low planes more often.
function scalar(next) {
  for (;;) {
    const c = [next(0x250), next(0x3000), next(0x10000), 0x10000 + next(0x20000), next(0x110000)][next(5)];
    if (c < 0xd800 || c > 0xdfff) return String.fromCodePoint(c);
  }
}

// Marks and starters in any order, for normalization.
export function markSequence(next) {
  const ranges = [[0x41, 0x5a], [0xc0, 0x17f], [0x300, 0x36f], [0x300, 0x36f], [0x591, 0x5c7], [0x64b, 0x655], [0x915, 0x94d], [0x9bc, 0x9d7], [0xdca, 0xddf], [0xf71, 0xf84], [0x1025, 0x103a],
    [0x1100, 0x1112], [0x1161, 0x1175], [0x11a7, 0x11c2], [0xac00, 0xd7a3], [0x1dc0, 0x1df5], [0x1e00, 0x1eff], [0x1f00, 0x1fff], [0x3046, 0x309a], [0xfb1d, 0xfb4e], [0x11099, 0x110ba], [0x1d157, 0x1d172], [0x2126, 0x212b], [0xf900, 0xfaff]];
  let s = '';
  for (let n = 1 + next(6); n > 0; n--) {
    const [first, last] = ranges[next(ranges.length)];
    s += String.fromCodePoint(first + next(last - first + 1));
  }
  return s;
}
