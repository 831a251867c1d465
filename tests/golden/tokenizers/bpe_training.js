// Writes bpe_training.json: what the reference's own trainer learns from a text. README.md says how to run it.
const fs = require('fs')
const os = require('os')
const path = require('path')

const { Tokenizer } = require(path.join(process.argv[2], 'tokenizers'))

const license = fs.readFileSync(path.join(__dirname, '../../../LICENSE'), 'utf8').slice(0, 6000)
const cases = JSON.parse(fs.readFileSync(path.join(__dirname, 'cases.json'), 'utf8'))
const text = license + '\n' + cases.filter((c) => c.text).map((c) => c.text).join('\n') + '\n'

const stage = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }
const tokenizer = Tokenizer.fromString(JSON.stringify({
  version: '1.0', truncation: null, padding: null, added_tokens: [], normalizer: null, pre_tokenizer: stage,
  post_processor: null, decoder: stage,
  model: { type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null,
           fuse_unk: false, byte_fallback: false, ignore_merges: false, vocab: {}, merges: [] },
}))

// The binding takes files, reads them by lines that keep their ends, and trains with the trainer's own defaults: 30,000
// tokens, no least frequency, and of the bytes only those that occur.
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bpe-'))
fs.writeFileSync(path.join(folder, 'text'), text)
tokenizer.train([path.join(folder, 'text')])
tokenizer.save(path.join(folder, 'tokenizer.json'), false)
const { vocab, merges } = JSON.parse(fs.readFileSync(path.join(folder, 'tokenizer.json'), 'utf8')).model
fs.rmSync(folder, { recursive: true })

const vocabulary = Object.keys(vocab).sort((a, b) => vocab[a] - vocab[b])
fs.writeFileSync(path.join(__dirname, 'bpe_training.json'), JSON.stringify({ text, vocabulary, merges }) + '\n')
