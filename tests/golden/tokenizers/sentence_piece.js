// SentencePiece models for make.js: reads them, and makes of them the tokenizer.json that Hugging Face's converters make.
// Run alone it trains the models anew; README.md says how.
const fs = require('fs')
const path = require('path')
const { execFileSync } = require('child_process')

const folder = path.join(__dirname, 'sentence_piece')

// ---- training -------------------------------------------------------------------------------------------------------

const sentences = [
  'The quick brown fox jumps over the lazy dog, and the dog sleeps on.',
  'Once upon a time there was a little girl who lived in a small house near the forest.',
  'Tokens are pieces of words; models read tokens, and people read words.',
  'Training a model on small texts is quick, but the model learns only what is there.',
  'Der schnelle braune Fuchs springt über den faulen Hund, während es regnet.',
  'Le renard brun saute par-dessus le chien paresseux près de la forêt.',
  'El zorro marrón salta sobre el perro perezoso mañana por la mañana.',
  'Быстрая коричневая лиса прыгает через ленивую собаку.',
  '敏捷的棕色狐狸跳过了懒狗。', '素早い茶色の狐がのろまな犬を飛び越える。',
  'for (int i = 0; i < n; ++i) { sum += values[i] * weights[i]; }',
  'def square(x):  return x * x  # a comment',
  'In 2024 there were 1234 of them, 56.7 percent more than in 1999.',
]

// The replacements of a small charsmap: code points, and what they become.
const rules = [
  ['FB01', '66 69'], ['00BD', '31 2F 32'], ['2460', '31'], ['FF46', '66'], ['FF55', '75'], ['FF4C', '6C'], ['0009', '20'],
  ['000A', '20'], ['3000', '20'], ['00AD', ''], ['200B', ''], ['0001', ''], ['0065 0301', 'E9'], ['006F 0308', 'F6'],
  ['212B', '61 30A'], ['D55C', '1112 1161 11AB'], ['338F', '6B 67'],
]

const models = {
  t5: { file: 'spiece.model', config: { tokenizer_class: 'T5Tokenizer', extra_ids: 5 }, arguments: {
    model_type: 'unigram', vocab_size: 420, normalization_rule_name: 'nmt_nfkc', pad_id: 0, eos_id: 1, unk_id: 2, bos_id: -1 } },
  xlm_roberta: { file: 'sentencepiece.bpe.model', config: {}, rules, arguments: { model_type: 'unigram', vocab_size: 380 } },
  unigram_bytes: { file: 'tokenizer.model', config: { add_bos_token: false }, arguments: {
    model_type: 'unigram', vocab_size: 640, byte_fallback: true, normalization_rule_name: 'identity' } },
  llama: { file: 'tokenizer.model', config: {}, arguments: {
    model_type: 'bpe', vocab_size: 600, byte_fallback: true, split_digits: true, normalization_rule_name: 'identity',
    remove_extra_whitespaces: false, allow_whitespace_only_pieces: true } },
  gemma: { file: 'tokenizer.model', config: { tokenizer_class: 'GemmaTokenizer' }, arguments: {
    model_type: 'bpe', vocab_size: 600, byte_fallback: true, split_digits: true, normalization_rule_name: 'identity',
    remove_extra_whitespaces: false, allow_whitespace_only_pieces: true, add_dummy_prefix: false,
    pad_id: 0, eos_id: 1, bos_id: 2, unk_id: 3, pad_piece: '<pad>', eos_piece: '<eos>', bos_piece: '<bos>',
    user_defined_symbols: '<start_of_turn>,<end_of_turn>' } },
}

function train(name, model, corpus) {
  const place = path.join(folder, name)
  fs.mkdirSync(place, { recursive: true })
  // Relative names: the models keep them.
  const all = { input: corpus, model_prefix: `${name}/m`, character_coverage: 0.98, hard_vocab_limit: false,
                num_threads: 1, ...model.arguments }
  if (model.rules) {
    all.normalization_rule_tsv = 'rules.tsv'
    fs.writeFileSync(path.join(folder, 'rules.tsv'), model.rules.map((rule) => rule.join('\t') + '\n').join(''))
  }
  execFileSync('spm_train', Object.entries(all).map(([key, value]) => `--${key}=${value}`), 
               { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  fs.renameSync(path.join(place, 'm.model'), path.join(place, model.file))
  fs.rmSync(path.join(place, 'm.vocab'))
  if (model.rules) fs.rmSync(path.join(folder, 'rules.tsv'))
  fs.writeFileSync(path.join(place, 'tokenizer_config.json'), JSON.stringify(model.config) + '\n')
}

function trainAll() {
  const corpus = 'corpus.txt'
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(path.join(folder, corpus), Array(8).fill(sentences.join('\n')).join('\n') + '\n')
  for (const [name, model] of Object.entries(models)) train(name, model, corpus)
  fs.rmSync(path.join(folder, corpus))
}

// ---- reading --------------------------------------------------------------------------------------------------------

function* fields(bytes) {
  let at = 0
  const varint = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return BigInt.asIntN(64, value)
    }
  }
  while (at < bytes.length) {
    const key = Number(varint())
    const sizes = { 1: 8, 5: 4 }
    if (key % 8 == 0) yield [key >> 3, Number(varint())]
    else {
      const size = key % 8 == 2 ? Number(varint()) : sizes[key % 8]
      yield [key >> 3, bytes.subarray(at, (at += size))]
    }
  }
}

function read(name) {
  const model = { pieces: [], type: 1, unk: 0, bos: 1, eos: 2, byteFallback: false, dummyPrefix: true, removeSpaces: true }
  for (const [number, value] of fields(fs.readFileSync(path.join(folder, name, models[name].file)))) {
    if (number == 1) {
      const piece = { type: 1, score: 0 }
      for (const [n, v] of fields(value)) {
        if (n == 1) piece.text = v.toString('utf8')
        if (n == 2) piece.score = v.readFloatLE(0)
        if (n == 3) piece.type = v
      }
      model.pieces.push(piece)
    }
    const names = { 2: { 3: 'type', 35: 'byteFallback', 40: 'unk', 41: 'bos', 42: 'eos' },
                    3: { 2: 'charsmap', 3: 'dummyPrefix', 4: 'removeSpaces' } }[number] || {}
    if (number == 2 || number == 3) for (const [n, v] of fields(value)) if (names[n]) model[names[n]] = v
  }
  return model
}

// ---- conversion, as transformers/convert_slow_tokenizer.py ----------------------------------------------------------

function mergesOf(pieces) {
  const ids = new Map(pieces.map((piece, id) => [piece.text, id]))
  const merges = []
  for (const { text, score } of pieces) {
    const characters = [...text]
    const own = []
    for (let i = 1; i < characters.length; ++i) {
      const pair = [characters.slice(0, i).join(''), characters.slice(i).join('')]
      if (ids.has(pair[0]) && ids.has(pair[1])) own.push({ pair, score })
    }
    own.sort((a, b) => ids.get(a.pair[0]) - ids.get(b.pair[0]) || ids.get(a.pair[1]) - ids.get(b.pair[1]))
    merges.push(...own)
  }
  const length = (text) => [...text].length
  merges.sort((a, b) => b.score - a.score || length(b.pair[0]) - length(a.pair[0]) || length(b.pair[1]) - length(a.pair[1]))
  return merges.map((merge) => merge.pair)
}

const replace = (pattern, content) => ({ type: 'Replace', pattern, content })
const part = (id, type) => (id == 'A' || id == 'B' ? { Sequence: { id, type_id: type } } : { SpecialToken: { id, type_id: type } })
const added = (id, content, special, lstrip = false) =>
  ({ id, content, single_word: false, lstrip, rstrip: false, normalized: false, special })

function template(single, pair, ids) {
  const special_tokens = {}
  for (const [id] of pair) if (id != 'A' && id != 'B') special_tokens[id] = { id, ids: [ids[id]], tokens: [id] }
  return { type: 'TemplateProcessing', single: single.map((p) => part(...p)), pair: pair.map((p) => part(...p)), special_tokens }
}

function convert(name) {
  const model = read(name)
  let pieces = model.pieces
  let unk = model.unk
  if (name == 't5') for (let i = 4; i >= 0; --i) pieces.push({ text: `<extra_id_${i}>`, score: 0, type: 3 })
  if (name == 'xlm_roberta') {
    pieces = [...['<s>', '<pad>', '</s>', '<unk>'].map((text) => ({ text, score: 0, type: 3 })), ...pieces.slice(3),
              { text: '<mask>', score: 0, type: 3 }]
    unk = 3
  }
  const ids = Object.fromEntries(pieces.map((piece, id) => [piece.text, id]))
  const bos = model.bos >= 0 ? model.pieces[model.bos].text : ''
  const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true }
  const charsmap = model.charsmap && model.charsmap.length
    ? [{ type: 'Precompiled', precompiled_charsmap: model.charsmap.toString('base64') }] : []
  const file = { version: '1.0', truncation: null, padding: null, pre_tokenizer: null,
                 added_tokens: pieces.flatMap((piece, id) => [2, 3, 4].includes(piece.type)
                   ? [added(id, piece.text, piece.type != 4, piece.text == '<mask>')] : []) }
  const bytes = !!model.byteFallback
  if (model.type == 1) {
    file.model = { type: 'Unigram', unk_id: unk, byte_fallback: bytes, vocab: pieces.map((p) => [p.text, p.score]) }
    file.normalizer = { type: 'Sequence', normalizers: [...charsmap, { type: 'Strip', strip_left: false, strip_right: true },
                                                        replace({ Regex: ' {2,}' }, '▁')] }
    file.pre_tokenizer = metaspace
    file.decoder = bytes ? { type: 'Sequence', decoders: [{ type: 'ByteFallback' }, metaspace] } : metaspace
  } else {
    file.model = { type: 'BPE', dropout: null, unk_token: '<unk>', continuing_subword_prefix: null, end_of_word_suffix: null,
                   fuse_unk: true, byte_fallback: bytes, ignore_merges: false, vocab: ids, merges: mergesOf(pieces) }
    file.normalizer = { type: 'Sequence', normalizers: [...(model.dummyPrefix ? [{ type: 'Prepend', prepend: '▁' }] : []),
                                                        replace({ String: ' ' }, '▁')] }
    file.decoder = { type: 'Sequence', decoders: [replace({ String: '▁' }, ' '), { type: 'ByteFallback' }, { type: 'Fuse' },
      ...(model.dummyPrefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : [])] }
  }
  const [before, after, between] = { t5: ['', '</s>', ''], xlm_roberta: ['<s>', '</s>', '</s>'],
    unigram_bytes: ['', '', ''] }[name] || [bos, '', bos]
  const second = ['t5', 'xlm_roberta'].includes(name) ? 0 : 1
  const row = (list) => list.filter(([id]) => id)
  const single = row([[before, 0], ['A', 0], [after, 0]])
  file.post_processor = template(single, [...single, ...row([[between, second], ['B', second], [after, second]])], ids)
  return file
}

module.exports = { folder, names: Object.keys(models), read, convert }
if (require.main === module) trainAll()
